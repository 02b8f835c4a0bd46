/* SPDX-License-Identifier: GPL-2.0-only */
// The counter `time`, which user mode may read; that of cycles only where the kernel lets it.
#include "machine/clock.h"

#include <cstdio>
#include <fstream>

namespace irqcost {

std::uint64_t ReadClock() {
  std::uint64_t ticks = 0;
  asm volatile("rdtime %0" : "=r"(ticks));
  return ticks;
}

// By the architecture: one rate, within what the platform says (The RISC-V Instruction Set Manual,
// Volume I, "Zicntr").
bool ClockIsInvariant() { return true; }

// The device tree has the rate, a number of four bytes, the highest first.
CpuClaim ClaimedKhz() {
  std::ifstream file("/proc/device-tree/cpus/timebase-frequency", std::ios::binary);
  unsigned char bytes[4];
  if (!file.read(reinterpret_cast<char*>(bytes), sizeof(bytes))) return {{}, "device tree"};
  std::uint32_t hertz = 0;
  for (const unsigned char byte : bytes) hertz = hertz << 8 | byte;
  if (hertz == 0) return {{}, "device tree"};
  return {hertz / 1e3, "device tree"};
}

}  // namespace irqcost
