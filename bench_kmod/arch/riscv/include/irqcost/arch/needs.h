/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RISC-V: what differs between CPUs, for enum irqcost_needs (catalogue.h). Linux asks for all that
 * these rows have.
 */
#ifndef IRQCOST_ARCH_NEEDS_H
#define IRQCOST_ARCH_NEEDS_H

#define IRQCOST_ARCH_NEEDS

#define IRQCOST_ARCH_NEEDS_PAIR 0

#endif /* IRQCOST_ARCH_NEEDS_H */
