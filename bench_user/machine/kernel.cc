/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/kernel.h"

#include <irqcost/abi.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>
#include <utility>

#include "machine/text_file.h"

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

}  // namespace

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

Kernel FindKernel(std::optional<std::uint64_t> module_config) {
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
  return kernel;
}

}  // namespace irqcost
