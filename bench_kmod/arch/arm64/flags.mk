# SPDX-License-Identifier: GPL-2.0-only
# Assembler of many lines is long by gcc's estimate, which counts them all, alternatives too: without
# these it calls arch_local_irq_*() out of line in some copies of a window and not in others.
CFLAGS_calls.o += $(call cc-option,--param=max-inline-insns-single=10000) \
	$(call cc-option,--param=max-inline-insns-auto=10000) \
	$(call cc-option,--param=max-inline-insns-small=10000) \
	$(call cc-option,--param=early-inlining-insns=10000)
