/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/activity.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/text_file.h"

namespace irqcost {
namespace {

using Words = std::vector<std::string>;

// The states of /proc/stat in their order. What follows them (guest) is part of `user`.
constexpr const char* kStates[] = {"user",   "nice", "system",  "idle",
                                   "iowait", "irq",  "softirq", "steal"};

Words Split(const std::string& line) {
  std::istringstream stream(line);
  return {std::istream_iterator<std::string>(stream), {}};
}

std::optional<std::uint64_t> Number(const std::string& word) {
  std::uint64_t value = 0;
  const char* end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, value);
  if (error != std::errc() || rest != end) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> ReadNumber(const std::string& path) {
  const auto line = ReadLine(path);
  return line ? Number(*line) : std::nullopt;
}

// The header names the CPUs that are online; each line has a label, a count for each of them, and
// a description. ERR and MIS count for the whole machine and are left out.
std::optional<std::map<std::string, std::uint64_t>> ReadInterrupts(int cpu,
                                                                   const std::string& root) {
  std::ifstream file(root + "/proc/interrupts");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const Words cpus = Split(line);
  const auto column = std::find(cpus.begin(), cpus.end(), "CPU" + std::to_string(cpu));
  if (column == cpus.end()) return std::nullopt;
  const auto place = static_cast<std::size_t>(column - cpus.begin()) + 1;
  std::map<std::string, std::uint64_t> counts;
  while (std::getline(file, line)) {
    const Words words = Split(line);
    if (words.size() <= cpus.size() || words.front().back() != ':') continue;
    const auto count = Number(words[place]);
    if (!count || !Number(words[cpus.size()])) continue;
    std::string name = words.front().substr(0, words.front().size() - 1);
    for (std::size_t i = cpus.size() + 1; i < words.size(); ++i) name += " " + words[i];
    counts[name] += *count;
  }
  return counts;
}

std::optional<std::map<std::string, std::uint64_t>> ReadCpuTicks(int cpu, const std::string& root) {
  std::ifstream file(root + "/proc/stat");
  const std::string label = "cpu" + std::to_string(cpu);
  for (std::string line; std::getline(file, line);) {
    const Words words = Split(line);
    if (words.empty() || words.front() != label) continue;
    std::map<std::string, std::uint64_t> time;
    for (std::size_t i = 0; i < std::size(kStates) && i + 1 < words.size(); ++i)
      if (const auto ticks = Number(words[i + 1])) time[kStates[i]] = *ticks;
    return time;
  }
  return std::nullopt;
}

// Counters may be set back (a CPU that went offline and came again): then nothing is known.
std::optional<std::uint64_t> Difference(std::optional<std::uint64_t> before,
                                        std::optional<std::uint64_t> after) {
  if (!before || !after || *after < *before) return std::nullopt;
  return *after - *before;
}

}  // namespace

double TicksPerSecond() { return static_cast<double>(sysconf(_SC_CLK_TCK)); }

Activity ReadActivity(int cpu, const std::string& root) {
  const std::string throttle =
      root + "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/thermal_throttle/";
  return {ReadInterrupts(cpu, root), ReadCpuTicks(cpu, root),
          ReadNumber(throttle + "core_throttle_count"),
          ReadNumber(throttle + "package_throttle_count"), ReadSmis(cpu, root)};
}

Activity Growth(const Activity& before, const Activity& after) {
  Activity growth;
  if (before.interrupts && after.interrupts) {
    growth.interrupts.emplace();
    for (const auto& [name, count] : *after.interrupts) {
      const auto known = before.interrupts->find(name);
      const std::uint64_t earlier = known == before.interrupts->end() ? 0 : known->second;
      if (count > earlier) growth.interrupts->emplace(name, count - earlier);
    }
  }
  if (before.cpu_ticks && after.cpu_ticks) {
    growth.cpu_ticks.emplace();
    for (const auto& [state, ticks] : *after.cpu_ticks)
      if (const auto known = before.cpu_ticks->find(state); known != before.cpu_ticks->end())
        // The kernel's idle and iowait may step back by a tick; time does not.
        growth.cpu_ticks->emplace(state, ticks - std::min(ticks, known->second));
  }
  growth.core_throttles = Difference(before.core_throttles, after.core_throttles);
  growth.package_throttles = Difference(before.package_throttles, after.package_throttles);
  growth.smis = Difference(before.smis, after.smis);
  return growth;
}

std::vector<double> ReadLoad(const std::string& root) {
  std::ifstream file(root + "/proc/loadavg");
  std::vector<double> load(3);
  for (double& average : load)
    if (!(file >> average)) return {};
  return load;
}

}  // namespace irqcost
