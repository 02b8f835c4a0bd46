# SPDX-License-Identifier: GPL-2.0-only
ccflags-y += $(call has,arch/x86/include/asm/hardirq.h,IRQ_COUNT_MAX,IRQ_COUNTS)
