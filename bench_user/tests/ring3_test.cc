/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/ring3.h"

#include <gtest/gtest.h>
#include <ucontext.h>
#include <x86intrin.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <string>
#include <system_error>

#include "backends/kmod/kmod.h"
#include "backends/ring3/fault_guard.h"
#include "backends/windows.h"
#include "base/affinity.h"
#include "measure/estimate.h"

namespace irqcost {
namespace {

// Most copies of `code` one after the other in so many bytes of machine code.
std::size_t Copies(const char* text, std::size_t bytes, const std::string& code) {
  std::size_t most = 0;
  for (std::size_t start = 0; start < bytes; ++start) {
    std::size_t copies = 0;
    while (start + (copies + 1) * code.size() <= bytes &&
           std::memcmp(text + start + copies * code.size(), code.data(), code.size()) == 0)
      ++copies;
    most = std::max(most, copies);
  }
  return most;
}

// Bytes from a window of a row to the next one; the windows of a row lie in order of size.
std::size_t Length(const irqcost_window_fn* windows, int index, const std::string& code) {
  constexpr std::size_t kFrame = 192;  // stamps and fences of the last window, and padding
  if (index + 1 == IRQCOST_NR_WINDOWS) return 128 * code.size() + kFrame;
  return reinterpret_cast<std::uintptr_t>(windows[index + 1]) -
         reinterpret_cast<std::uintptr_t>(windows[index]);
}

// The machine code of each window is so many copies of the row and nothing between them.
TEST(Windows, HoldTheirCopies) {
  const struct {
    const char* key;
    std::string code;
  } rows[] = {
      {"popf", std::string("\x68\x02\x02\x00\x00\x9d", 6)},  // push $0x202; popfq
      {"pushf_pop", "\x9c\x58"},                             // pushfq; pop %rax
      {"dep_imul", "\x48\x0f\xaf\xc3"},                      // imul %rbx, %rax
      {"dep_xor", "\x48\x31\xd8"},                           // xor %rbx, %rax
      {"zero_idiom", "\x31\xc0"},                            // xor %eax, %eax
      {"rdtsc", "\x0f\x31"},
  };
  for (const auto& [key, code] : rows) {
    const irqcost_window_fn* windows = Windows(*FindProbe(key), IRQCOST_RING3);
    ASSERT_NE(windows, nullptr) << key;
    for (int index = 0; index < IRQCOST_NR_WINDOWS; ++index) {
      const std::size_t size = index == 0 ? 1 : std::size_t{2} << index;
      EXPECT_EQ(
          Copies(reinterpret_cast<const char*>(windows[index]), Length(windows, index, code), code),
          size)
          << key << " " << index;
    }
  }
}

// Whether the loop of a window, which begins on one of its cache lines, is this code.
bool LoopIs(irqcost_window_fn window, const std::string& code) {
  const auto* text = reinterpret_cast<const char*>(window);
  return std::memcmp(text + 64, code.data(), code.size()) == 0 ||
         std::memcmp(text + 128, code.data(), code.size()) == 0;
}

// In situ, a window is one copy of the row around its section; its base is the section alone.
TEST(Windows, InSituEncloseTheirSection) {
  const std::string add("\x49\x01\xdb", 3);                // add %rbx, %r11
  const std::string end("\x4c\x89\xf4\x41\xff\xcc", 6);    // mov %r14, %rsp; dec %r12d
  const std::string enter("\x9c\x58"), leave("\x50\x9d");  // pushfq; pop %rax; push %rax; popfq
  for (std::size_t i = 0; i < IRQCOST_NR_SECTIONS; ++i) {
    std::string section;
    for (unsigned cycle = 0; cycle < irqcost_sections[i]; ++cycle) section += add;
    const Probe& row = *FindProbe("pushf_pop_push_popf");
    std::string body = enter;
    body.append(section).append(leave).append(end);
    EXPECT_TRUE(LoopIs(InSituWindows(row, IRQCOST_RING3)[i], body)) << irqcost_sections[i];
    EXPECT_TRUE(LoopIs(SectionWindows()[i], section + end)) << irqcost_sections[i];
  }
}

TEST(Windows, AreThoseThatTheRingMayRun) {
  EXPECT_EQ(Windows(*FindProbe("cli"), IRQCOST_RING3), nullptr);
  EXPECT_NE(Windows(*FindProbe("cli"), IRQCOST_RING0), nullptr);
  EXPECT_EQ(Windows(*FindProbe("spin_lock"), IRQCOST_RING0), nullptr);
  EXPECT_EQ(InSituWindows(*FindProbe("cli_sti"), IRQCOST_RING3), nullptr);
  EXPECT_NE(InSituWindows(*FindProbe("cli_sti"), IRQCOST_RING0), nullptr);
}

TEST(Ring3, SupportsTheRowsOfUserModeInTheirModes) {
  const std::vector<SupportedProbe> probes = Ring3().SupportedProbes();
  for (const SupportedProbe& supported : probes) {
    EXPECT_TRUE(supported.probe->where & IRQCOST_RING3) << supported.probe->key;
    EXPECT_EQ(supported.modes, RepeatableModes(*supported.probe)) << supported.probe->key;
  }
  EXPECT_EQ(probes.size(), static_cast<std::size_t>(std::count_if(
                               kCatalogue.begin(), kCatalogue.end(),
                               [](const Probe& p) { return (p.where & IRQCOST_RING3) != 0; })));
}

// Every row runs, comes back, and leaves a sample in which time has passed.
TEST(Ring3, MeasuresEveryRowInEveryMode) {
  const int cpu = AllowedCpus().front();
  Ring3 ring3;
  for (const SupportedProbe& supported : ring3.SupportedProbes()) {
    if (!supported.unusable.empty()) continue;
    for (const Mode mode : supported.modes) {
      const unsigned unroll = mode == IRQCOST_THROUGHPUT ? supported.min_unroll : 0;
      const irqcost::Run run = ring3.Measure({supported.probe, mode, cpu, unroll, {3, 2, 2}, 5});
      EXPECT_EQ(run.ops, mode == IRQCOST_THROUGHPUT ? 12U : 3U) << supported.probe->key;
      ASSERT_EQ(run.samples.size(), 5U);
      EXPECT_FALSE(run.longest_irqs_off);
      for (const irqcost_sample& sample : run.samples) {
        EXPECT_GT(sample.start, 0U);
        EXPECT_GT(sample.chain_base, 0U);
        EXPECT_GT(sample.chain_body, 0U);
        EXPECT_GT(sample.sensor, 0U);
        EXPECT_GT(sample.base, 0U);
        EXPECT_GT(sample.body, 0U);
        EXPECT_EQ(sample.interrupts, 0U);
      }
    }
  }
  EXPECT_EQ(AllowedCpus(), std::vector{cpu});
}

// Seven cycles at each reading.
class FakeCycles final : public CycleCounter {
 public:
  std::optional<std::uint64_t> Read() override {
    if (readings_ == most) return std::nullopt;
    return 7 * ++readings_;
  }
  unsigned most = ~0U;

 private:
  unsigned readings_ = 0;
};

TEST(Ring3, CountsCyclesAroundAllWindows) {
  auto fake = std::make_unique<FakeCycles>();
  fake->most = 4;  // two samples; then another event has the counter
  Ring3 ring3({std::move(fake), {}});
  EXPECT_EQ(ring3.GetCounter().name, "perf");
  const int cpu = AllowedCpus().front();
  const irqcost::Run run =
      ring3.Measure({FindProbe("popf"), IRQCOST_THROUGHPUT, cpu, 4, {3, 2, 2}, 3});
  for (const std::size_t i : {0U, 1U}) {
    const irqcost_sample& s = run.samples[i];
    EXPECT_EQ(s.span_cycles, 7U);
    EXPECT_GE(s.span_ticks, s.chain_base + s.chain_body + s.sensor + s.base + s.body);
    EXPECT_EQ(s.span_mperf, 0U);
  }
  EXPECT_EQ(run.samples[2].span_ticks, 0U);
}

TEST(Ring3, SaysWhyItCountsNoCycles) {
  const Ring3 ring3({nullptr, "not here"});
  EXPECT_EQ(ring3.GetCounter().name, "");
  EXPECT_EQ(ring3.GetCounter().reason, "not here");
}

// A counter of 48 bits at -5 after an offset of 1000, as the kernel sets it up.
TEST(CycleCounter, ReadsThroughThePage) {
  perf_event_mmap_page page{};
  page.index = 3;
  page.offset = 1000;
  page.pmc_width = 48;
  unsigned asked = 0;
  const auto rdpmc = [&asked](unsigned index) {
    asked = index;
    return (std::uint64_t{1} << 48) - 5;
  };
  EXPECT_EQ(ReadThroughPage(page, rdpmc), 995U);
  EXPECT_EQ(asked, 2U);
  EXPECT_EQ(ReadThroughPage(page, [](unsigned) { return std::uint64_t{17}; }), 1017U);
  page.index = 0;
  EXPECT_EQ(ReadThroughPage(page, rdpmc), std::nullopt);
}

TEST(CycleCounter, ReadsAgainWhenTheKernelWroteMeanwhile) {
  perf_event_mmap_page page{};
  page.index = 1;
  page.offset = 10;
  page.pmc_width = 48;
  int calls = 0;
  const auto rdpmc = [&](unsigned) {
    if (++calls == 1) {
      page.lock += 2;
      page.offset = 20;
    }
    return std::uint64_t{1};
  };
  EXPECT_EQ(ReadThroughPage(page, rdpmc), 21U);
  EXPECT_EQ(calls, 2);
}

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

TEST(Ring3, SaysWhichCpuItCannotHave) {
  Ring3 ring3;
  EXPECT_THROW(ring3.Measure({FindProbe("nop"), IRQCOST_ISOLATED, 65535, 0, {}, 1}),
               std::system_error);
}

TEST(Kmod, AdvisesWhatThisKernelCanFollow) {
  const auto advice = [](int error, bool loads_modules) {
    return CannotOpen("/dev/irqcost", error, loads_modules).remedy;
  };
  EXPECT_NE(advice(ENOENT, true).find("insmod"), std::string::npos);
  EXPECT_NE(advice(ENOENT, false).find("loads no modules"), std::string::npos);
  EXPECT_EQ(advice(EACCES, false).find("loads no modules"), std::string::npos);
}

TEST(Kmod, SaysWhyItCannotRun) {
  const Kmod missing("/no/such/device");
  ASSERT_TRUE(missing.WhyUnavailable());
  EXPECT_NE(missing.WhyUnavailable()->reason.find("/no/such/device"), std::string::npos);
  EXPECT_TRUE(missing.SupportedProbes().empty());
  EXPECT_FALSE(missing.GetKernelFacts());

  const Kmod other("/dev/null");
  ASSERT_TRUE(other.WhyUnavailable());
  EXPECT_NE(other.WhyUnavailable()->reason.find("INFO failed"), std::string::npos);
}

}  // namespace
}  // namespace irqcost
