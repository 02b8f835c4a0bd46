/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/cpu_choice.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <thread>

#include "base/affinity.h"
#include "base/text_file.h"
#include "machine/activity.h"

namespace irqcost {
namespace {

using Cpus = std::vector<int>;

// /proc/stat counts in hundredths of a second: this shows five of them.
constexpr std::chrono::milliseconds kPause{50};
// Ticks of that in which an idle CPU may do something: a timer of the kernel, and its rounding.
constexpr std::uint64_t kIdleTicks = 1;

const std::string kDirectory = "/sys/devices/system/cpu/";

bool Has(const Cpus& cpus, int cpu) { return std::binary_search(cpus.begin(), cpus.end(), cpu); }

Cpus Without(const Cpus& all, const Cpus& some) {
  Cpus rest;
  std::set_difference(all.begin(), all.end(), some.begin(), some.end(), std::back_inserter(rest));
  return rest;
}

Cpus ReadCpus(const std::string& root, const char* file) {
  return CpuList(ReadLine(root + kDirectory + file).value_or(""));
}

// Ticks in which a CPU did something since the machine's start.
std::uint64_t BusyTicks(int cpu, const std::string& root) {
  std::uint64_t busy = 0;
  const auto ticks = ReadActivity(cpu, root).cpu_ticks;
  if (!ticks) return 0;
  for (const auto& [state, count] : *ticks)
    if (state != "idle" && state != "iowait") busy += count;
  return busy;
}

// A CPU is isolated for somebody's sake. Is that another program, it is not to be disturbed; and a
// task of real-time priority would never let this one run.
Cpus IdleOnes(const Cpus& cpus, const CpuAccess& access, const std::string& root) {
  if (cpus.empty()) return {};
  std::map<int, std::uint64_t> before;
  for (const int cpu : cpus) before[cpu] = BusyTicks(cpu, root);
  access.pause();
  Cpus idle;
  for (const int cpu : cpus)
    if (BusyTicks(cpu, root) <= before[cpu] + kIdleTicks) idle.push_back(cpu);
  return idle;
}

}  // namespace

CpuAccess OwnCpuAccess() {
  return {AllowedCpus(), CanBindTo, [] { std::this_thread::sleep_for(kPause); }};
}

std::vector<int> CpuList(const std::string& text) {
  Cpus cpus;
  std::istringstream ranges(text);
  for (std::string range; std::getline(ranges, range, ',');) {
    int first = 0, last = 0;
    const char* end = range.data() + range.size();
    const auto [rest, error] = std::from_chars(range.data(), end, first);
    if (error != std::errc()) continue;
    if (rest == end || *rest != '-' || std::from_chars(rest + 1, end, last).ec != std::errc())
      last = first;
    for (int cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<int> CpusByPreference(const CpuAccess& access, const std::string& root) {
  const Cpus online = ReadCpus(root, "online");
  const Cpus isolated = ReadCpus(root, "isolated");
  Cpus others = Without(access.allowed, isolated);
  const bool by_default = access.allowed == Without(online, isolated);
  Cpus usable;
  for (const int cpu : isolated)
    if (Has(access.allowed, cpu) || (by_default && Has(online, cpu) && access.can_bind(cpu)))
      usable.push_back(cpu);
  Cpus cpus = IdleOnes(usable, access, root);
  if (others.size() > 1 && others.front() == 0)
    std::rotate(others.begin(), others.begin() + 1, others.end());
  cpus.insert(cpus.end(), others.begin(), others.end());
  // Somebody chose isolated CPUs alone, and all are busy.
  return cpus.empty() ? access.allowed : cpus;
}

std::string WhyNotOn(int cpu, const CpuAccess& access, const std::string& root) {
  if (Has(access.allowed, cpu) || access.can_bind(cpu)) return "";
  std::string why = "CPU " + std::to_string(cpu);
  const auto online = ReadLine(root + kDirectory + "online");
  if (online && !Has(CpuList(*online), cpu)) return why + " is not online; online are: " + *online;
  why +=
      " is not in the cpuset of this process's cgroup, so the kernel does not let it run there; "
      "allowed are:";
  for (const int one : access.allowed) why.append(" ").append(std::to_string(one));
  return why;
}

}  // namespace irqcost
