/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/settings.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "base/text_file.h"

namespace irqcost {
namespace {

std::optional<std::string> Switch(const std::string& path, const std::string& on) {
  const auto value = ReadLine(path);
  if (!value) return std::nullopt;
  return *value == on ? "on" : "off";
}

// A list of CPUs. An empty one is an answer; older kernels print it as "(null)".
std::optional<std::string> ReadCpuList(const std::string& path) {
  if (const auto line = ReadLine(path))
    return line->find("(null)") == std::string::npos ? *line : "";
  std::error_code missing;
  if (std::filesystem::exists(path, missing)) return "";
  return std::nullopt;
}

// The value of a parameter that the kernel was booted with; the last one counts.
std::optional<std::string> Parameter(const std::string& command_line, const std::string& name) {
  std::istringstream words(command_line);
  std::optional<std::string> value;
  for (std::string word; words >> word && word != "--";)
    if (word.starts_with(name + "=")) value = word.substr(name.size() + 1);
  return value;
}

std::optional<Idle> ReadIdle(const std::string& cpus, const std::string& own) {
  const auto driver = ReadLine(cpus + "cpuidle/current_driver");
  if (!driver) return std::nullopt;
  Idle idle{*driver, ReadLine(cpus + "cpuidle/current_governor_ro"), {}};
  for (int i = 0;; ++i) {
    const std::string state = own + "cpuidle/state" + std::to_string(i) + "/";
    const auto name = ReadLine(state + "name");
    if (!name) return idle;
    if (ReadLine(state + "disable") != "1") idle.states.push_back(*name);
  }
}

// Masks are hexadecimal digits in groups of eight, the last digit of CPUs 3 to 0.
bool MaskHas(std::string mask, int cpu) {
  std::erase(mask, ',');
  const auto digit = static_cast<std::size_t>(cpu / 4);
  if (digit >= mask.size()) return false;
  const std::string bits(1, mask[mask.size() - 1 - digit]);
  return bits.find_first_not_of("0123456789abcdef") == std::string::npos &&
         (std::stoi(bits, nullptr, 16) >> (cpu % 4) & 1) != 0;
}

std::optional<IrqAffinity> ReadIrqAffinity(int cpu, const std::string& directory) {
  std::error_code missing;
  std::filesystem::directory_iterator entries(directory, missing);
  if (missing) return std::nullopt;
  IrqAffinity affinity;
  affinity.standard = ReadLine(directory + "/default_smp_affinity");
  for (const auto& entry : entries) {
    const auto mask = ReadLine(entry.path() / "smp_affinity");
    if (!mask) continue;
    ++affinity.irqs;
    if (MaskHas(*mask, cpu)) ++affinity.may_hit;
  }
  return affinity;
}

}  // namespace

Settings ReadSettings(int cpu, const std::string& root) {
  const std::string cpus = root + "/sys/devices/system/cpu/";
  const std::string own = cpus + "cpu" + std::to_string(cpu) + "/";
  Settings settings;
  settings.governor = ReadLine(own + "cpufreq/scaling_governor");
  settings.boost = Switch(cpus + "cpufreq/boost", "1");
  if (!settings.boost) settings.boost = Switch(cpus + "intel_pstate/no_turbo", "0");
  settings.smt = ReadLine(cpus + "smt/control");
  settings.siblings = ReadLine(own + "topology/thread_siblings_list");
  settings.idle = ReadIdle(cpus, own);
  settings.isolated = ReadCpuList(cpus + "isolated");
  settings.nohz_full = ReadCpuList(cpus + "nohz_full");
  if (const auto command_line = ReadLine(root + "/proc/cmdline"))
    settings.rcu_nocbs = Parameter(*command_line, "rcu_nocbs");
  settings.irq_affinity = ReadIrqAffinity(cpu, root + "/proc/irq");
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(cpus + "vulnerabilities", missing))
    if (const auto sentence = ReadLine(entry.path()))
      settings.mitigations.emplace(entry.path().filename(), *sentence);
  return settings;
}

}  // namespace irqcost
