/* SPDX-License-Identifier: GPL-2.0-only */
// A BPF program as the kernel's JIT has translated it.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_JITED_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_JITED_H

#include <optional>
#include <string>

#include "backends/bpf/live_code.h"

namespace irqcost {

/**
 * The program's instructions and their address, under a name.
 * Nothing where the kernel does not show them: to a process that may not see the kernel's addresses
 * (CAP_SYSLOG, kernel.kptr_restrict).
 */
std::optional<FunctionCode> ReadJited(int program, const std::string& name);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_JITED_H
