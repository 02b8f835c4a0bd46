/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_UNAVAILABLE_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_UNAVAILABLE_H

#include <string>

#include "backends/backend.h"

namespace irqcost {

/** Why the device cannot be opened, and what would help. @error: an errno. */
Unavailable CannotOpenKvm(const std::string& device, int error);

/** Why KVM makes no machine (KVM_CREATE_VM failed with this errno), and what would help. */
Unavailable CannotCreateVm(int error);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_UNAVAILABLE_H
