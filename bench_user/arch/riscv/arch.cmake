# SPDX-License-Identifier: GPL-2.0-only
# 64-bit RISC-V, for bench_user/CMakeLists.txt.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^riscv64$")
  return()
endif()
set(IRQCOST_ARCH riscv)
set(
  IRQCOST_ARCH_SOURCES
  arch/riscv/clock.cc
  arch/riscv/counter.cc
  arch/riscv/cpu.cc
  arch/riscv/hypervisor.cc
  arch/riscv/instructions.cc
  arch/riscv/kernel_code.cc
  arch/common/no_faults.cc
  arch/common/no_kvm.cc
  arch/common/no_smis.cc
)
set(IRQCOST_ARCH_TESTS ../arch/riscv/tests/arch_test.cc)
