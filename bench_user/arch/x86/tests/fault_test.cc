/* SPDX-License-Identifier: GPL-2.0-only */
#include <gtest/gtest.h>
#include <ucontext.h>
#include <x86intrin.h>

#include <csignal>
#include <vector>

#include "backends/ring3/fault_guard.h"
#include "base/catalogue.h"

namespace irqcost {
namespace {

// Set by the test's own handler, which the guard must leave as it was.
volatile int own_faults;

TEST(FaultGuard, SkipsAndCountsAndPutsBack) {
  struct sigaction own {};
  own.sa_sigaction = [](int, siginfo_t*, void* context) {
    static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 1;
    own_faults = own_faults + 1;
  };
  own.sa_flags = SA_SIGINFO;
  struct sigaction before {
  }, after{};
  ASSERT_EQ(sigaction(SIGSEGV, &own, &before), 0);
  sigset_t segv, mask;
  sigemptyset(&segv);
  sigaddset(&segv, SIGSEGV);
  ASSERT_EQ(sigprocmask(SIG_BLOCK, &segv, nullptr), 0);
  {
    const FaultGuard guard;
    asm volatile("cli; sti; cli");
    EXPECT_EQ(FaultGuard::Count(), 3U);
    EXPECT_EQ(own_faults, 0);
  }
  ASSERT_EQ(sigprocmask(SIG_UNBLOCK, &segv, &mask), 0);
  EXPECT_EQ(sigismember(&mask, SIGSEGV), 1) << "the mask is as it was";
  asm volatile("cli");
  EXPECT_EQ(own_faults, 1) << "the handler is the one from before";
  ASSERT_EQ(sigaction(SIGSEGV, &before, &after), 0);
  EXPECT_EQ(after.sa_sigaction, own.sa_sigaction);
  EXPECT_EQ(FaultGuard::Count(), 3U);
}

TEST(FaultGuard, LeavesOtherFaultsToTheirHandler) {
  EXPECT_EXIT(
      {
        const FaultGuard guard;
        asm volatile("hlt");
      },
      testing::KilledBySignal(SIGSEGV), "");
}

TEST(Ring3, FaultsAreNoMasking) {
  EXPECT_EQ(WhyNoFault(), "");
  EXPECT_EQ(__readeflags() & 0x3000, 0U) << "the I/O privilege level is never raised";
  for (const char* key : {"cli_fault", "sti_fault"}) {
    const Probe& probe = *FindProbe(key);
    EXPECT_EQ(probe.kind, Kind::kFault);
    EXPECT_EQ(probe.where, unsigned{IRQCOST_RING3});
    EXPECT_EQ(RepeatableModes(probe), std::vector<Mode>{IRQCOST_THROUGHPUT});
  }
}

}  // namespace
}  // namespace irqcost
