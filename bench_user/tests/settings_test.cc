/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/settings.h"

#include <gtest/gtest.h>

#include "fake_machine.h"

namespace irqcost {
namespace {

const std::string kCpus = "sys/devices/system/cpu/";

TEST(Settings, OfALaptop) {
  FakeMachine machine;
  machine.Write(kCpus + "cpu1/cpufreq/scaling_governor", "powersave\n");
  machine.Write(kCpus + "intel_pstate/no_turbo", "0\n");
  machine.Write(kCpus + "smt/control", "on\n");
  machine.Write(kCpus + "cpu1/topology/thread_siblings_list", "1,5\n");
  machine.Write(kCpus + "cpuidle/current_driver", "intel_idle\n");
  machine.Write(kCpus + "cpuidle/current_governor_ro", "menu\n");
  for (const auto& [state, name] :
       {std::pair{"state0", "POLL"}, {"state1", "C1"}, {"state2", "C6"}})
    machine.Write(kCpus + "cpu1/cpuidle/" + state + "/name", std::string(name) + "\n");
  machine.Write(kCpus + "cpu1/cpuidle/state2/disable", "1\n");
  machine.Write(kCpus + "vulnerabilities/retbleed", "Not affected\n");
  const Settings settings = ReadSettings(1, machine.Root());
  EXPECT_EQ(settings.governor, "powersave");
  EXPECT_EQ(settings.boost, "on");
  EXPECT_EQ(settings.siblings, "1,5");
  ASSERT_TRUE(settings.idle);
  EXPECT_EQ(settings.idle->driver, "intel_idle");
  EXPECT_EQ(settings.idle->governor, "menu");
  EXPECT_EQ(settings.idle->states, (std::vector<std::string>{"POLL", "C1"}));
  EXPECT_EQ(settings.mitigations.at("retbleed"), "Not affected");
}

TEST(Settings, TellsNoneFromUnknown) {
  FakeMachine machine;
  EXPECT_FALSE(ReadSettings(0, machine.Root()).isolated);
  EXPECT_FALSE(ReadSettings(0, machine.Root()).idle);
  EXPECT_FALSE(ReadSettings(0, machine.Root()).irq_affinity);
  machine.Write(kCpus + "isolated", "\n");
  machine.Write(kCpus + "nohz_full", "  (null)\n");
  machine.Write("proc/cmdline", "rcu_nocbs=1 quiet rcu_nocbs=2-3 -- rcu_nocbs=9\n");
  const Settings settings = ReadSettings(0, machine.Root());
  EXPECT_EQ(settings.isolated, "");
  EXPECT_EQ(settings.nohz_full, "");
  EXPECT_EQ(settings.rcu_nocbs, "2-3");
  machine.Write(kCpus + "isolated", "1-3\n");
  EXPECT_EQ(ReadSettings(0, machine.Root()).isolated, "1-3");
}

TEST(Settings, CountsTheInterruptsThatMayComeHere) {
  FakeMachine machine;
  machine.Write("proc/irq/default_smp_affinity", "ffffffff,ffffffff\n");
  machine.Write("proc/irq/24/smp_affinity", "00000000,00000002\n");
  machine.Write("proc/irq/25/smp_affinity", "00000002,00000001\n");
  machine.Write("proc/irq/26/smp_affinity", "00000002,00000000\n");
  machine.Write("proc/irq/27/chip", "");
  const auto of = [&machine](int cpu) { return ReadSettings(cpu, machine.Root()).irq_affinity; };
  EXPECT_EQ(of(1)->irqs, 3);
  EXPECT_EQ(of(1)->may_hit, 1);
  EXPECT_EQ(of(0)->may_hit, 1);
  EXPECT_EQ(of(33)->may_hit, 2);
  EXPECT_EQ(of(300)->may_hit, 0);
  EXPECT_EQ(of(1)->standard, "ffffffff,ffffffff");
}

}  // namespace
}  // namespace irqcost
