/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/build.h"

#include <gtest/gtest.h>

#include "fake_machine.h"

namespace irqcost {
namespace {

using namespace std::string_literals;

TEST(Build, TellsTheModuleByItsNote) {
  FakeMachine machine;
  EXPECT_FALSE(FindBuild(machine.Root()).module);
  machine.Write("sys/module/irqcost/refcnt", "0\n");
  const auto bare = FindBuild(machine.Root()).module;
  ASSERT_TRUE(bare);
  EXPECT_FALSE(bare->srcversion || bare->build_id);

  machine.Write("sys/module/irqcost/srcversion", "0123456789ABCDEF0123456\n");
  const std::string note = "sys/module/irqcost/notes/.note.gnu.build-id";
  machine.Write(note, "\4\0\0\0\3\0\0\0\3\0\0\0GNU\0\x9c\0\xfa\0"s);
  EXPECT_EQ(FindBuild(machine.Root()).module->srcversion, "0123456789ABCDEF0123456");
  EXPECT_EQ(FindBuild(machine.Root()).module->build_id, "9c00fa");
  machine.Write(note, "\4\0\0\0\x14\0\0\0\3\0\0\0GNU\0\x9c"s);  // cut off
  EXPECT_FALSE(FindBuild(machine.Root()).module->build_id);
}

TEST(Build, HashesTheProgramThatRuns) {
  const Build build = FindBuild();
  ASSERT_TRUE(build.sha256);
  EXPECT_EQ(build.sha256->size(), 64);
  EXPECT_FALSE(build.compiler.empty());
}

}  // namespace
}  // namespace irqcost
