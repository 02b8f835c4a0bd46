/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/ring3/cycle_counter.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/unique_fd.h"

namespace irqcost {
namespace {

// The kernel writes the page whenever it likes.
template <typename Value>
Value Once(const Value& value) {
  return *const_cast<const volatile Value*>(&value);
}

class PerfCycles final : public CycleCounter {
 public:
  PerfCycles(UniqueFd fd, perf_event_mmap_page* page, std::size_t bytes)
      : fd_(std::move(fd)), page_(page), bytes_(bytes) {}
  ~PerfCycles() override { munmap(page_, bytes_); }

  std::optional<std::uint64_t> Read() override { return ReadThroughPage(*page_, ReadCounter); }

 private:
  UniqueFd fd_;
  perf_event_mmap_page* page_;
  std::size_t bytes_;
};

std::string Failure(const char* call) {
  const int error = errno;
  std::string text = std::string(call) + ": " + std::generic_category().message(error);
  if (error == ENOENT || error == EOPNOTSUPP || error == ENODEV)
    return text + " (no performance counters here; a guest has them only where its host says so)";
  if (error == EACCES || error == EPERM) return text + " (kernel.perf_event_paranoid is above 2)";
  return text;
}

}  // namespace

std::optional<std::uint64_t> ReadThroughPage(const perf_event_mmap_page& page,
                                             const CounterReader& read) {
  for (;;) {
    const std::uint32_t before = Once(page.lock);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const std::uint32_t index = Once(page.index);
    const auto offset = static_cast<std::uint64_t>(Once(page.offset));
    const unsigned unused_bits = 64U - Once(page.pmc_width);
    std::uint64_t hardware = 0;
    if (index != 0 && unused_bits < 64) {
      const auto value = read(index - 1);
      if (!value) return std::nullopt;
      // The counter is as wide as it says, and its value signed.
      hardware = static_cast<std::uint64_t>(static_cast<std::int64_t>(*value << unused_bits) >>
                                            unused_bits);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (Once(page.lock) != before) continue;
    if (index == 0 || unused_bits >= 64) return std::nullopt;
    return offset + hardware;
  }
}

CycleCounterOrReason OpenPerfCycles() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof(attributes);
  attributes.config = PERF_COUNT_HW_CPU_CYCLES;
  attributes.pinned = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  AskForUserAccess(attributes);
  UniqueFd fd(
      static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC)));
  if (fd.Get() < 0) return {nullptr, Failure("perf_event_open")};
  const auto bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const page = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.Get(), 0);
  if (page == MAP_FAILED) return {nullptr, Failure("mmap of the event")};
  auto counter =
      std::make_unique<PerfCycles>(std::move(fd), static_cast<perf_event_mmap_page*>(page), bytes);
  if (!static_cast<const perf_event_mmap_page*>(page)->cap_user_rdpmc)
    return {nullptr, std::string("the kernel does not let user mode read the counter (") +
                         kUserAccessSwitch + ")"};
  if (!counter->Read()) return {nullptr, "all counters of the CPU are in use by others"};
  return {std::move(counter), {}};
}

}  // namespace irqcost
