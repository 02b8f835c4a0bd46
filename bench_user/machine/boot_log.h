/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_BOOT_LOG_H
#define IRQCOST_BENCH_USER_MACHINE_BOOT_LOG_H

#include <optional>
#include <string>
#include <string_view>

namespace irqcost {

/** The kernel's log; nothing where this process may not read it (kernel.dmesg_restrict). */
std::optional<std::string> ReadBootLog();

/** What stands after @words in the first line of a log that has them, to the end of the line. */
std::optional<std::string> BehindIn(std::string_view log, std::string_view words);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_BOOT_LOG_H
