/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_BPF_CALLED_H
#define IRQCOST_BENCH_USER_BACKENDS_BPF_CALLED_H

#include <string>
#include <string_view>
#include <vector>

namespace irqcost {

/**
 * The kernel's functions that one operation of an IRQCOST_BPF row calls, in order and as often
 * as it calls them: the names bpf_…( in its code (see probes.def).
 */
std::vector<std::string> CalledFunctions(std::string_view code);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BPF_CALLED_H
