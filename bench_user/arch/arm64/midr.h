/* SPDX-License-Identifier: GPL-2.0-only */
// The main identification register (MIDR_EL1).
#ifndef IRQCOST_BENCH_USER_ARCH_ARM64_MIDR_H
#define IRQCOST_BENCH_USER_ARCH_ARM64_MIDR_H

#include <cstdint>
#include <optional>
#include <string>

namespace irqcost {

/** Its fields. */
struct Midr {
  int implementer = 0, variant = 0, part = 0, revision = 0;
};

Midr ParseMidr(std::uint64_t value);

/** Who made the core; nothing for a code that the table does not have. */
std::optional<std::string> Implementer(const Midr& midr);

/** The core's name, such as "Neoverse N1"; nothing for one that the table does not have. */
std::optional<std::string> CoreName(const Midr& midr);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_ARM64_MIDR_H
