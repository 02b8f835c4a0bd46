/* SPDX-License-Identifier: GPL-2.0-only */
// How willingly this process gives way to others on its CPU.
#ifndef IRQCOST_BENCH_USER_MACHINE_PRIORITY_H
#define IRQCOST_BENCH_USER_MACHINE_PRIORITY_H

namespace irqcost {

/**
 * Lets no ordinary task of its CPU take turns with this process, which runs for seconds, where it
 * may (CAP_SYS_NICE) and was started at the niceness that everything has. Not a real-time
 * priority: the kernel's own work still gets its time.
 */
void RaisePriority();

/** This process's niceness, from -20 to 19. */
int Niceness();

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MACHINE_PRIORITY_H
