/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ids of the module's rows, by name.
 */
#ifndef IRQCOST_TESTS_ROWS_H
#define IRQCOST_TESTS_ROWS_H

#define IRQCOST_INSN(id, key, ...) ROW_##key = id,
#define IRQCOST_CALL(id, key, ...) ROW_##key = id,
enum row {
#include <irqcost/probes.def>
};

/*
 * What each architecture has by another name: the row that masks once more, the one that masks
 * where interrupts were on, rows that no hard interrupt may run; the row that masks and unmasks,
 * its name and, with the barriers around it and the stamp after it, its bytes; and all that the
 * module can mask with while an interrupt is raised.
 */
#if defined(__aarch64__)
#define ROW_OWN_MASK ROW_daifset
#define ROW_OWN_MASKING ROW_daifset_setting
#define OWN_NOT_HARD ROW_daifclr_daifset, ROW_daifclr
#define ROW_OWN_PAIR ROW_daifset_daifclr
#define OWN_PAIR "daifset_daifclr"
#define OWN_PAIR_BYTES { 0xdf, 0x3f, 0x03, 0xd5, 0xdf, 0x43, 0x03, 0xd5, 0xff, 0x43, 0x03, 0xd5, \
			 0xdf, 0x3f, 0x03, 0xd5, 0x40, 0xe0, 0x3b, 0xd5 }
#define OWN_MASKINGS ROW_daifset_daifclr, ROW_pmr_off_on
#elif defined(__riscv)
#define ROW_OWN_MASK ROW_csrci
#define ROW_OWN_MASKING ROW_csrci_clearing
#define OWN_NOT_HARD ROW_csrsi_csrci, ROW_csrsi
#define ROW_OWN_PAIR ROW_csrci_csrsi
#define OWN_PAIR "csrci_csrsi"
#define OWN_PAIR_BYTES { 0x0f, 0x00, 0xf0, 0x0f, 0x73, 0x70, 0x01, 0x10, 0x73, 0x60, 0x01, 0x10, \
			 0x0f, 0x00, 0xf0, 0x0f, 0x73, 0x25, 0x00, 0xc0 }
#define OWN_MASKINGS ROW_csrci_csrsi
#else
#define ROW_OWN_MASK ROW_cli
#define ROW_OWN_MASKING ROW_cli_clearing
#define OWN_NOT_HARD ROW_sti_nop_cli, ROW_popf
#define ROW_OWN_PAIR ROW_cli_sti
#define OWN_PAIR "cli_sti"
#define OWN_PAIR_BYTES { 0x0f, 0xae, 0xe8, 0xfa, 0xfb, 0x0f, 0xae, 0xe8, 0x0f, 0x31 }
#define OWN_MASKINGS ROW_cli_sti, ROW_save_cli_popf
#endif

#endif /* IRQCOST_TESTS_ROWS_H */
