/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_SETTINGS_H
#define IRQCOST_BENCH_USER_MACHINE_SETTINGS_H

#include <map>
#include <optional>
#include <string>

namespace irqcost {

/** Settings of the host that change what masking costs or how steadily it is measured. */
struct Settings {
  std::optional<std::string> governor;  ///< of frequency scaling
  std::optional<std::string> boost;     ///< "on" or "off"
  std::optional<std::string> smt;       ///< the kernel's word, such as "on" or "notsupported"
  std::map<std::string, std::string> mitigations;  ///< vulnerability: the kernel's sentence
};

/** Reads sysfs. What it does not have is nothing. */
Settings ReadSettings(int cpu);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_SETTINGS_H
