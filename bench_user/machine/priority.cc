/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/priority.h"

#include <sys/resource.h>

namespace irqcost {

void RaisePriority() {
  // Without the right to it the measuring goes on as it is, and the result says so.
  if (Niceness() == 0) setpriority(PRIO_PROCESS, 0, -20);
}

int Niceness() { return getpriority(PRIO_PROCESS, 0); }

}  // namespace irqcost
