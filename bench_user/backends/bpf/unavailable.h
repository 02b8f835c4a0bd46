/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_UNAVAILABLE_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_UNAVAILABLE_H

#include <cstdint>
#include <optional>
#include <string>

#include "backends/backend.h"

namespace irqcost {

/**
 * The capabilities that BPF programs of this harness need and a set of effective ones
 * (bits as in linux/capability.h) lacks: "CAP_BPF and CAP_PERFMON", one of them, or empty.
 */
std::string MissingCapabilities(std::uint64_t effective);

/** What keeps this process from loading a BPF program and reading the kernel's memory with it. */
std::optional<Unavailable> WhyNotLoadable();

/** What else keeps it from measuring with one. */
std::optional<Unavailable> WhyNotMeasurable();

/** That the kernel has no loops without a bound at build time. Reads the kernel's BTF, which takes
 * a tenth of a second: to be asked where programs do not load. */
std::optional<Unavailable> WhyNoLoops();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_UNAVAILABLE_H
