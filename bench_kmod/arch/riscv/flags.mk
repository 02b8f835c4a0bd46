# SPDX-License-Identifier: GPL-2.0-only
# As in arm64: nothing of a body may be called out of line in some copies and not in others.
CFLAGS_calls.o += $(call cc-option,--param=max-inline-insns-single=10000) \
	$(call cc-option,--param=max-inline-insns-auto=10000) \
	$(call cc-option,--param=max-inline-insns-small=10000) \
	$(call cc-option,--param=early-inlining-insns=10000)
