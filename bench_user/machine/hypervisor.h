/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H
#define IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H

#include <cstdint>
#include <optional>
#include <string>

namespace irqcost {

/** What CPUID says of a hypervisor. */
struct Hypervisor {
  bool present = false;                  ///< leaf 1, ECX bit 31
  std::optional<std::string> name;       ///< leaf 0x40000000
  std::optional<std::uint32_t> tsc_khz;  ///< leaf 0x40000010, where there is one
};

Hypervisor FindHypervisor();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_HYPERVISOR_H
