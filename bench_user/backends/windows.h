/* SPDX-License-Identifier: GPL-2.0-only */
// The timed windows of the assembler rows: one copy, which ring 3 runs in place and the guest of
// backend `kvm` in ring 0.
#ifndef IRQCOST_BENCH_USER_BACKENDS_WINDOWS_H
#define IRQCOST_BENCH_USER_BACKENDS_WINDOWS_H

#include <irqcost/body.h>
#include <irqcost/catalogue.h>

#include "base/catalogue.h"

namespace irqcost {

/** What a window may write to. */
struct alignas(IRQCOST_SCRATCH_BYTES) Scratch {
  unsigned char bytes[IRQCOST_SCRATCH_BYTES];
};

/**
 * The IRQCOST_NR_WINDOWS windows of a row (irqcost_window_index() tells which is
 * which), or nullptr for one that is no assembler row or not legal in that ring.
 */
const irqcost_window_fn* Windows(const Probe& probe, irqcost_where ring);

/** Its IRQCOST_NR_SECTIONS in situ windows (irqcost_section_index()), or nullptr. */
const irqcost_window_fn* InSituWindows(const Probe& probe, irqcost_where ring);

/** The windows of the sections alone, in the same order. */
const irqcost_window_fn* SectionWindows();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_WINDOWS_H
