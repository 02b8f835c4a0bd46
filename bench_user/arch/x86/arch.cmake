# SPDX-License-Identifier: GPL-2.0-only
# x86-64, for bench_user/CMakeLists.txt.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  return()
endif()
set(IRQCOST_ARCH x86)

find_path(IRQCOST_LIBCPUID_INCLUDE libcpuid/libcpuid.h REQUIRED DOC "Where libcpuid.h lies")
# Archives are preferred: the binary then needs fewer libraries in the guest.
find_library(IRQCOST_LIBCPUID_LIBRARY NAMES libcpuid.a cpuid REQUIRED DOC "libcpuid")
mark_as_advanced(IRQCOST_LIBCPUID_INCLUDE IRQCOST_LIBCPUID_LIBRARY)
set(IRQCOST_ARCH_INCLUDES ${IRQCOST_LIBCPUID_INCLUDE})
set(IRQCOST_ARCH_LIBRARIES ${IRQCOST_LIBCPUID_LIBRARY})

# Bodies push below the stack pointer of whoever was inlined around them.
set(IRQCOST_ARCH_WINDOW_OPTIONS -mno-red-zone)
set(IRQCOST_ARCH_WINDOW_SOURCES arch/x86/kvm/guest.cc)
# The guest has neither thread-local storage nor a C library, and saves no vector registers.
set_source_files_properties(
  arch/x86/kvm/guest.cc
  PROPERTIES
    COMPILE_OPTIONS "-fno-stack-protector;-mgeneral-regs-only;-fno-exceptions;-fno-tree-loop-distribute-patterns"
)
set(
  IRQCOST_ARCH_SOURCES
  arch/x86/clock.cc
  arch/x86/counter.cc
  arch/x86/cpu.cc
  arch/x86/fault.cc
  arch/x86/hypervisor.cc
  arch/x86/instructions.cc
  arch/x86/kernel_code.cc
  arch/x86/kvm/execution.cc
  arch/x86/kvm/kvm.cc
  arch/x86/kvm/memory.cc
  arch/x86/kvm/system.cc
  arch/x86/kvm/unavailable.cc
  arch/x86/kvm/vm.cc
  arch/x86/microarchitecture.cc
  arch/x86/msr.cc
  arch/x86/smis.cc
)
set(
  IRQCOST_ARCH_TESTS
  ../arch/x86/tests/catalogue_test.cc
  ../arch/x86/tests/fault_test.cc
  ../arch/x86/tests/instructions_test.cc
  ../arch/x86/tests/kvm_test.cc
  ../arch/x86/tests/microarchitecture_test.cc
  ../arch/x86/tests/simulate_test.cc
  ../arch/x86/tests/smis_test.cc
  ../arch/x86/tests/windows_test.cc
)
