/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_TEXT_FILE_H
#define IRQCOST_BENCH_USER_BASE_TEXT_FILE_H

#include <optional>
#include <string>

namespace irqcost {

/** First line of a file, without trailing blanks; nothing where it cannot be read or is empty. */
std::optional<std::string> ReadLine(const std::string& path);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_TEXT_FILE_H
