/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/affinity.h"

#include <sched.h>
#include <sys/resource.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

namespace irqcost {
namespace {

// More CPUs than any kernel is configured for, so that one size fits every machine.
constexpr int kMaxCpus = 65536;

struct FreeSet {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};

std::unique_ptr<cpu_set_t, FreeSet> EmptySet() {
  std::unique_ptr<cpu_set_t, FreeSet> set(CPU_ALLOC(kMaxCpus));
  if (!set) throw std::system_error(ENOMEM, std::generic_category(), "CPU set");
  CPU_ZERO_S(CPU_ALLOC_SIZE(kMaxCpus), set.get());
  return set;
}

}  // namespace

CpuGone::CpuGone(int cpu)
    : std::system_error(ENODEV, std::generic_category(),
                        "CPU " + std::to_string(cpu) +
                            " went offline, or was taken from this process; nothing measured in it "
                            "is kept") {}

std::vector<int> AllowedCpus() {
  const auto set = EmptySet();
  if (sched_getaffinity(0, CPU_ALLOC_SIZE(kMaxCpus), set.get()) != 0)
    throw std::system_error(errno, std::generic_category(), "sched_getaffinity");
  std::vector<int> cpus;
  for (int cpu = 0; cpu < kMaxCpus; ++cpu)
    if (CPU_ISSET_S(cpu, CPU_ALLOC_SIZE(kMaxCpus), set.get())) cpus.push_back(cpu);
  return cpus;
}

void BindToCpus(const std::vector<int>& cpus) {
  const auto set = EmptySet();
  for (const int cpu : cpus) CPU_SET_S(cpu, CPU_ALLOC_SIZE(kMaxCpus), set.get());
  if (sched_setaffinity(0, CPU_ALLOC_SIZE(kMaxCpus), set.get()) == 0) return;
  if (errno == EINVAL) throw CpuGone(cpus.front());
  throw std::system_error(errno, std::generic_category(),
                          "cannot bind to CPU " + std::to_string(cpus.front()));
}

void PinToCpu(int cpu) { BindToCpus({cpu}); }

bool CanBindTo(int cpu) {
  if (cpu < 0 || cpu >= kMaxCpus) return false;
  const std::vector<int> before = AllowedCpus();
  try {
    PinToCpu(cpu);
  } catch (const CpuGone&) {
    return false;
  }
  BindToCpus(before);
  return true;
}

long ContextSwitches() {
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) != 0)
    throw std::system_error(errno, std::generic_category(), "getrusage");
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

}  // namespace irqcost
