/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_RING3_WINDOWS_H
#define IRQCOST_BENCH_USER_BACKENDS_RING3_WINDOWS_H

#include <irqcost/body.h>

#include <cstdint>

namespace irqcost {

/**
 * The IRQCOST_NR_WINDOWS windows of a row (irqcost_window_index() tells which is
 * which), or nullptr for a row that is not legal in ring 3.
 */
const irqcost_window_fn* Ring3Windows(std::uint32_t probe_id);

/** Its IRQCOST_NR_SECTIONS in situ windows (irqcost_section_index()), or nullptr. */
const irqcost_window_fn* Ring3InSituWindows(std::uint32_t probe_id);

/** The windows of the sections alone, in the same order. */
const irqcost_window_fn* Ring3SectionWindows();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_RING3_WINDOWS_H
