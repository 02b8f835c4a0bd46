/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_MICROARCHITECTURE_H
#define IRQCOST_BENCH_USER_ARCH_X86_MICROARCHITECTURE_H

#include <optional>
#include <string>
#include <string_view>

namespace irqcost {

/**
 * The core of a CPU, such as "Golden Cove" or "Zen 3": which design executes the
 * probes, whatever the product is called. Nothing for a CPU that the table does
 * not have, and for a hybrid one, whose number names two kinds of core, without
 * the type of core.
 *
 * libcpuid's codename does not serve: for a CPU younger than the library it
 * gives the nearest older entry ("Conroe" for Emerald Rapids).
 *
 * @vendor: CPUID's vendor string
 * @family, @model: with their extensions
 * @core_type: as Cpu::core_type (cpu.h), empty where there is none
 */
std::optional<std::string> Microarchitecture(std::string_view vendor, int family, int model,
                                             std::string_view core_type = "");

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_MICROARCHITECTURE_H
