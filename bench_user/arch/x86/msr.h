/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_MSR_H
#define IRQCOST_BENCH_USER_ARCH_X86_MSR_H

#include <cstdint>
#include <optional>
#include <string>

namespace irqcost {

/**
 * A model-specific register of a CPU, by the kernel's msr driver below @root. Nothing where that
 * is not loaded, this process may not, or the register does not exist.
 */
std::optional<std::uint64_t> ReadMsr(int cpu, std::uint32_t number, const std::string& root = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_MSR_H
