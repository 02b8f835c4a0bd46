# SPDX-License-Identifier: GPL-2.0-only
# 64-bit Arm, for bench_user/CMakeLists.txt.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  return()
endif()
set(IRQCOST_ARCH arm64)
set(
  IRQCOST_ARCH_SOURCES
  arch/arm64/clock.cc
  arch/arm64/counter.cc
  arch/arm64/cpu.cc
  arch/arm64/hypervisor.cc
  arch/arm64/instructions.cc
  arch/arm64/kernel_code.cc
  arch/arm64/midr.cc
  arch/common/no_faults.cc
  arch/common/no_kvm.cc
  arch/common/no_smis.cc
)
set(IRQCOST_ARCH_TESTS ../arch/arm64/tests/arch_test.cc)
