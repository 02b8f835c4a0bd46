/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ids of the module's rows, by name.
 */
#ifndef IRQCOST_TESTS_ROWS_H
#define IRQCOST_TESTS_ROWS_H

#define IRQCOST_INSN(id, key, ...) ROW_##key = id,
#define IRQCOST_CALL(id, key, ...) ROW_##key = id,
enum row {
#include <irqcost/probes.def>
};

#endif /* IRQCOST_TESTS_ROWS_H */
