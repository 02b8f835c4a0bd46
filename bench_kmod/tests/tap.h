/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test programs of the module have in common: lines of TAP.
 */
#ifndef IRQCOST_TESTS_TAP_H
#define IRQCOST_TESTS_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

static int tests, failures;

/* One line of TAP. */
static void report(bool ok, const char *format, ...)
{
	va_list args;

	printf("%sok %d - ", ok ? "" : "not ", ++tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	failures += !ok;
}

static const char *name(int error)
{
	return error ? strerrorname_np(error) : "success";
}

/* The errno of a command, 0 where it succeeds. */
static int command(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) ? errno : 0;
}

#endif /* IRQCOST_TESTS_TAP_H */
