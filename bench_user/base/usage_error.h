/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_USAGE_ERROR_H
#define IRQCOST_BENCH_USER_BASE_USAGE_ERROR_H

#include <stdexcept>

namespace irqcost {

/** Something was asked for that cannot be. The text says what, and what would be right. */
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_USAGE_ERROR_H
