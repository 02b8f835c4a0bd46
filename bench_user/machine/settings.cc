/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/settings.h"

#include <filesystem>
#include <system_error>

#include "machine/text_file.h"

namespace irqcost {
namespace {

const std::string kCpuDirectory = "/sys/devices/system/cpu/";

std::optional<std::string> Switch(const std::string& path, const std::string& on) {
  const auto value = ReadLine(path);
  if (!value) return std::nullopt;
  return *value == on ? "on" : "off";
}

}  // namespace

Settings ReadSettings(int cpu) {
  Settings settings;
  settings.governor =
      ReadLine(kCpuDirectory + "cpu" + std::to_string(cpu) + "/cpufreq/scaling_governor");
  settings.boost = Switch(kCpuDirectory + "cpufreq/boost", "1");
  if (!settings.boost) settings.boost = Switch(kCpuDirectory + "intel_pstate/no_turbo", "0");
  settings.smt = ReadLine(kCpuDirectory + "smt/control");
  std::error_code missing;
  for (const auto& entry :
       std::filesystem::directory_iterator(kCpuDirectory + "vulnerabilities", missing))
    if (const auto sentence = ReadLine(entry.path()))
      settings.mitigations.emplace(entry.path().filename(), *sentence);
  return settings;
}

}  // namespace irqcost
