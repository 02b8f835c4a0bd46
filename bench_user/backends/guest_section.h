/* SPDX-License-Identifier: GPL-2.0-only */
// The section of the program that the guest of backend `kvm` sees: the timed windows and the code
// that runs them in ring 0. The linker names its bounds, since its name is an identifier.
#ifndef IRQCOST_BENCH_USER_BACKENDS_GUEST_SECTION_H
#define IRQCOST_BENCH_USER_BACKENDS_GUEST_SECTION_H

#define IRQCOST_GUEST_SECTION "irqcost_text"

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern const unsigned char __start_irqcost_text[];
extern const unsigned char __stop_irqcost_text[];
// NOLINTEND(bugprone-reserved-identifier)
}

#endif  // IRQCOST_BENCH_USER_BACKENDS_GUEST_SECTION_H
