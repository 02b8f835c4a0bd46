/* SPDX-License-Identifier: GPL-2.0-only */
// cli and sti in ring 3: a general-protection fault.
#include <x86intrin.h>

#include "backends/ring3/fault_guard.h"

namespace irqcost {
namespace {

constexpr unsigned long long kIoPrivilegeLevel = 3ULL << 12;  // RFLAGS.IOPL
constexpr greg_t kGeneralProtection = 13;                     // the vector of #GP
constexpr unsigned char kCli = 0xfa;
constexpr unsigned char kSti = 0xfb;

}  // namespace

std::string WhyNoFault() {
  if ((__readeflags() & kIoPrivilegeLevel) == kIoPrivilegeLevel)
    return "the I/O privilege level of this process is 3: cli would mask and not fault";
  return {};
}

bool SkipFaulting(ucontext_t& context) {
  greg_t* registers = context.uc_mcontext.gregs;
  if (registers[REG_TRAPNO] != kGeneralProtection) return false;
  const unsigned char opcode = *reinterpret_cast<const unsigned char*>(registers[REG_RIP]);
  if (opcode != kCli && opcode != kSti) return false;
  registers[REG_RIP] += 1;
  return true;
}

}  // namespace irqcost
