/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/kernel.h"

#include <irqcost/abi.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/text_file.h"
#include "machine/boot_log.h"

namespace irqcost {
namespace {

constexpr std::pair<irqcost_config, const char*> kConfigNames[] = {
    {IRQCOST_CONFIG_PREEMPT_RT, "PREEMPT_RT"},
    {IRQCOST_CONFIG_PREEMPT, "PREEMPT"},
    {IRQCOST_CONFIG_PREEMPT_DYNAMIC, "PREEMPT_DYNAMIC"},
    {IRQCOST_CONFIG_PREEMPT_COUNT, "PREEMPT_COUNT"},
    {IRQCOST_CONFIG_PARAVIRT, "PARAVIRT"},
    {IRQCOST_CONFIG_PARAVIRT_XXL, "PARAVIRT_XXL"},
    {IRQCOST_CONFIG_PARAVIRT_SPINLOCKS, "PARAVIRT_SPINLOCKS"},
    {IRQCOST_CONFIG_TRACE_IRQFLAGS, "TRACE_IRQFLAGS"},
    {IRQCOST_CONFIG_LOCKDEP, "LOCKDEP"},
    {IRQCOST_CONFIG_DEBUG_SPINLOCK, "DEBUG_SPINLOCK"},
    {IRQCOST_CONFIG_DEBUG_PREEMPT, "DEBUG_PREEMPT"},
    {IRQCOST_CONFIG_KASAN, "KASAN"},
    {IRQCOST_CONFIG_RETPOLINE, "RETPOLINE"},
    {IRQCOST_CONFIG_RETHUNK, "RETHUNK"},
    {IRQCOST_CONFIG_SMP, "SMP"},
};

std::vector<std::string> Names(std::uint64_t config) {
  std::vector<std::string> names;
  for (const auto& [bit, name] : kConfigNames)
    if (config & bit) names.emplace_back(name);
  return names;
}

// Parameters that say where a system lies, not how its kernel runs.
constexpr std::array<std::string_view, 6> kPlaces = {
    "BOOT_IMAGE=", "init=", "initrd=", "rdinit=", "resume=", "root="};

// The word of a version that begins with PREEMPT, without what follows a comma or a bracket.
std::optional<std::string> PreemptionModel(const std::string& version) {
  std::istringstream words(version);
  for (std::string word; words >> word;)
    if (word.starts_with("PREEMPT")) return word.substr(0, word.find_first_of(",)("));
  return std::nullopt;
}

// Of "none voluntary (full) lazy" what is in brackets.
std::optional<std::string> Bracketed(const std::string& line) {
  const std::size_t begin = line.find('('), end = line.find(')', begin);
  if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
  return line.substr(begin + 1, end - begin - 1);
}

}  // namespace

Preemption FindPreemption(const std::string& version, const std::optional<std::string>& boot_log,
                          const std::string& root) {
  Preemption found{PreemptionModel(version), {}, {}};
  // The switch is there only where it can be turned, and may have been since the boot.
  const std::string path = "/sys/kernel/debug/sched/preempt";
  if (const auto line = ReadLine(root + path))
    if (const auto mode = Bracketed(*line)) return {found.model, mode, path};
  if (found.model == "PREEMPT") return {found.model, "full", "version"};
  if (found.model == "PREEMPT_RT") return {found.model, "full", "version"};
  if (found.model == "PREEMPT_LAZY") return {found.model, "lazy", "version"};
  if (boot_log && found.model == "PREEMPT_DYNAMIC")
    if (const auto mode = BehindIn(*boot_log, "Dynamic Preempt: "))
      return {found.model, mode, "boot log"};
  const std::string parameter = "preempt=";
  std::istringstream words(ReadLine(root + "/proc/cmdline").value_or(""));
  for (std::string word; words >> word && word != "--";)
    if (word.starts_with(parameter))
      return {found.model, word.substr(parameter.size()), "command line"};
  return found;
}

std::optional<std::string> FindTracepoints(const std::string& root) {
  for (const std::string tracefs : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
    const std::string events = root + tracefs + "/events";
    // "X": some of them are.
    if (const auto line = ReadLine(events + "/preemptirq/enable"))
      return *line == "0" ? "off" : "on";
    if (ReadLine(events + "/enable")) return "absent";
  }
  // A kernel with any tracing has this folder, whether something is mounted there or not.
  const std::filesystem::path kernel = root + "/sys/kernel";
  std::error_code unknown;
  if (std::filesystem::is_directory(kernel, unknown) &&
      !std::filesystem::exists(kernel / "tracing", unknown) && !unknown)
    return "absent";
  return std::nullopt;
}

std::string KernelParameters(const std::string& command_line) {
  std::istringstream words(command_line);
  std::string kept;
  for (std::string word; words >> word && word != "--";) {
    if (std::any_of(kPlaces.begin(), kPlaces.end(),
                    [&word](std::string_view place) { return word.starts_with(place); }))
      continue;
    if (!kept.empty()) kept += ' ';
    kept += word;
  }
  return kept;
}

Kernel FindKernel(std::optional<std::uint64_t> module_config,
                  const std::optional<std::string>& boot_log) {
  Kernel kernel;
  utsname name{};
  if (uname(&name) == 0) {
    kernel.release = name.release;
    kernel.version = name.version;
  }
  if (const auto line = ReadLine("/proc/cmdline")) kernel.command_line = KernelParameters(*line);
  if (module_config) {
    kernel.config = Names(*module_config);
    kernel.realtime = (*module_config & IRQCOST_CONFIG_PREEMPT_RT) != 0;
  } else {
    // The file exists on kernels with the RT patches; the build writes the word into the version.
    kernel.realtime = ReadLine("/sys/kernel/realtime") == "1" ||
                      kernel.version.find("PREEMPT_RT") != std::string::npos;
  }
  kernel.preemption = FindPreemption(kernel.version, boot_log);
  kernel.tracepoints = FindTracepoints();
  return kernel;
}

}  // namespace irqcost
