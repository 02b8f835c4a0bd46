/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/cpu_choice.h"

#include <gtest/gtest.h>

#include <set>

#include "fake_machine.h"

namespace irqcost {
namespace {

using Cpus = std::vector<int>;

// A machine of so many CPUs, and a process that may run on some of them.
class ChooseCpu : public testing::Test {
 protected:
  void Write(const std::string& online, const std::string& isolated) {
    machine.Write("sys/devices/system/cpu/online", online + "\n");
    machine.Write("sys/devices/system/cpu/isolated", isolated + "\n");
  }

  // The kernel's count of what a CPU did, in hundredths of a second.
  void WriteStat(int cpu, int user, int idle) {
    machine.Write("proc/stat", "cpu 0 0 0 0 0 0 0 0\ncpu" + std::to_string(cpu) + " " +
                                   std::to_string(user) + " 0 7 " + std::to_string(idle) +
                                   " 3 0 0 0 0 0\n");
  }

  CpuAccess Access(Cpus allowed, std::set<int> refused = {}) {
    return {std::move(allowed),
            [this, refused](int cpu) {
              ++asked;
              return cpu < 4096 && !refused.contains(cpu);
            },
            [this] {
              ++pauses;
              if (meanwhile) meanwhile();
            }};
  }

  Cpus Chosen(Cpus allowed, std::set<int> refused = {}) {
    return CpusByPreference(Access(std::move(allowed), std::move(refused)), machine.Root());
  }

  FakeMachine machine;
  std::function<void()> meanwhile;
  int asked = 0, pauses = 0;
};

TEST_F(ChooseCpu, Cpu0IsTheLastChoice) {
  Write("0-3", "");
  EXPECT_EQ(Chosen({0, 1, 2, 3}), (Cpus{1, 2, 3, 0}));
  EXPECT_EQ(Chosen({2, 3}), (Cpus{2, 3}));
  EXPECT_EQ(pauses, 0) << "nothing is waited for where no CPU is isolated";
}

TEST_F(ChooseCpu, OfOneThatOne) {
  Write("0", "");
  EXPECT_EQ(Chosen({0}), Cpus{0});
}

TEST_F(ChooseCpu, OfAMachineThatTellsNothing) { EXPECT_EQ(Chosen({0, 5}), (Cpus{5, 0})); }

TEST_F(ChooseCpu, NumbersWithGapsAndAboveAThousand) {
  Write("0,2-3,64,1100-1101", "1101");
  EXPECT_EQ(Chosen({0, 2, 3, 64, 1100}), (Cpus{1101, 2, 3, 64, 1100, 0}));
}

TEST_F(ChooseCpu, AnIsolatedOneIsPreferred) {
  Write("0-3", "1,3");
  EXPECT_EQ(Chosen({0, 2}), (Cpus{1, 3, 2, 0}));
  EXPECT_EQ(pauses, 1);
  Write("0-1", "1");
  EXPECT_EQ(Chosen({0}), (Cpus{1, 0}));
}

TEST_F(ChooseCpu, AnIsolatedOneThatWorksIsLeftInPeace) {
  Write("0-3", "1,3");
  WriteStat(3, 100, 1000);
  meanwhile = [&] { WriteStat(3, 105, 1000); };
  EXPECT_EQ(Chosen({0, 2}), (Cpus{1, 2, 0}));
  meanwhile = [&] { WriteStat(3, 106, 1005); };  // a timer
  EXPECT_EQ(Chosen({0, 2}), (Cpus{1, 3, 2, 0}));
}

TEST_F(ChooseCpu, AnAffinityThatSomebodyChoseIsKeptTo) {
  Write("0-3", "1,3");
  EXPECT_EQ(Chosen({2}), Cpus{2});
  EXPECT_EQ(Chosen({2, 3}), (Cpus{3, 2}));
  EXPECT_EQ(asked, 0);
  WriteStat(3, 100, 1000);
  meanwhile = [&] { WriteStat(3, 105, 1000); };
  EXPECT_EQ(Chosen({3}), Cpus{3}) << "there is no other";
}

TEST_F(ChooseCpu, AnIsolatedOneThatACpusetOrTheMachineLacks) {
  Write("0-2", "1-3");
  EXPECT_EQ(Chosen({0}, {1}), (Cpus{2, 0}));
}

TEST_F(ChooseCpu, TheKernelDecidesWhetherAnAskedOneCanBe) {
  Write("0-3", "1");
  EXPECT_EQ(WhyNotOn(1, Access({0, 2, 3}), machine.Root()), "");
  EXPECT_EQ(WhyNotOn(2, Access({0, 2, 3}), machine.Root()), "");
  EXPECT_EQ(WhyNotOn(7, Access({0, 2, 3}, {7}), machine.Root()),
            "CPU 7 is not online; online are: 0-3");
  EXPECT_EQ(WhyNotOn(1, Access({0, 2}, {1}), machine.Root()),
            "CPU 1 is not in the cpuset of this process's cgroup, so the kernel does not let it "
            "run there; allowed are: 0 2");
}

TEST(CpuList, AsTheKernelWritesIt) {
  EXPECT_EQ(CpuList(""), Cpus{});
  EXPECT_EQ(CpuList("  (null)"), Cpus{});
  EXPECT_EQ(CpuList("7"), Cpus{7});
  EXPECT_EQ(CpuList("0-2,64,1023-1025"), (Cpus{0, 1, 2, 64, 1023, 1024, 1025}));
}

// A binding that is only tried leaves the thread as it was.
TEST(OwnCpuAccess, TriesWithoutChangingAnything) {
  const CpuAccess access = OwnCpuAccess();
  ASSERT_FALSE(access.allowed.empty());
  EXPECT_TRUE(access.can_bind(access.allowed.back()));
  EXPECT_FALSE(access.can_bind(65535));
  EXPECT_FALSE(access.can_bind(1 << 30));
  EXPECT_EQ(OwnCpuAccess().allowed, access.allowed);
}

}  // namespace
}  // namespace irqcost
