// SPDX-License-Identifier: GPL-2.0-only
/*
 * abuse_text [--exact]: ask /dev/irqcost for the texts of rows, rightly and wrongly.
 *
 * Every wrong request is wrong in one way only and has its own errno, and after
 * each of them a right request must give a right answer. --exact is taken as the
 * other programs take it, and changes nothing: a text takes no time.
 *
 * Runs as root with the module loaded. Prints TAP; exit code 0 where all is
 * well, 1 where a test failed, 4 where there is no device.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <irqcost/abi.h>
#include <irqcost/catalogue.h>
#include "rows.h"
#include "tap.h"

/*
 * A row with what kernels call the functions of which it must call one (NULL: none), and what it
 * needs. A row that is neither the CPU's nor the module's own is one that a kernel may lack.
 */
static const struct {
	enum row id;
	const char *calls[2];
	unsigned int needs;
} rows[] = {
#define IRQCOST_INSN(id, key, group, where, irqs, needs, ...) { ROW_##key, {}, 0 },
#define IRQCOST_CALL(id, key, group, where, irqs, needs, ...)			\
	{ ROW_##key, {}, IRQCOST_NEEDS_##needs & ~IRQCOST_NEEDS_IRQ },
#include <irqcost/probes.def>
	/* The lock, or where it is inline (ARCH_INLINE_SPIN_LOCK_IRQSAVE), its slow path. */
	{ ROW_raw_spin_lock_irqsave, { "_raw_spin_lock_irqsave", "queued_spin_lock_slowpath" }, 0 },
};

#define DEVICE "/dev/" IRQCOST_DEVICE

static int device;

static struct irqcost_text good(void)
{
	return (struct irqcost_text) { .size = sizeof(struct irqcost_text), .probe = ROW_OWN_PAIR };
}

static bool names(const struct irqcost_text *text, const char *symbol)
{
	unsigned int i;

	for (i = 0; symbol && i < text->nr_targets; i++)
		if (!strcmp(text->targets[i].symbol, symbol))
			return true;
	return false;
}

/* Between the two barriers of the window stand masking and unmasking, and nothing else. */
static bool still_right(void)
{
	static const unsigned char body[] = OWN_PAIR_BYTES;
	struct irqcost_text text = good();

	return !command(device, IRQCOST_IOC_TEXT, &text) && text.length <= IRQCOST_MAX_TEXT &&
	       memmem(text.bytes, text.length, body, sizeof(body)) &&
	       !strcmp(text.symbol, "irqcost_" OWN_PAIR "_1");
}

static void refused(const char *title, int want, int got)
{
	report(got == want, "%s gives %s%s%s", title, name(want),
	       got == want ? "" : ", not ", got == want ? "" : name(got));
	report(still_right(), "after that, a right text is right");
}

#define REFUSED(title, want, field, value)					\
	do {									\
		struct irqcost_text text = good();				\
										\
		text.field = value;						\
		refused(title, want, command(device, IRQCOST_IOC_TEXT, &text));	\
	} while (0)

static void wrong_fields(void)
{
	REFUSED("size 0", E2BIG, size, 0);
	REFUSED("size one less", E2BIG, size, sizeof(struct irqcost_text) - 1);
	REFUSED("size one more", E2BIG, size, sizeof(struct irqcost_text) + 1);
	REFUSED("flags 1", EINVAL, flags, 1);
	REFUSED("flags 2^31", EINVAL, flags, 1U << 31);
	REFUSED("reserved 1", EINVAL, reserved, 1);
	REFUSED("probe 0", ENOENT, probe, 0);
	REFUSED("probe 2^32-1", ENOENT, probe, ~0U);
	REFUSED("text 1000", ERANGE, number, 1000);
	REFUSED("text 2^31", ERANGE, number, 1U << 31);
	REFUSED("text 2^32-1", ERANGE, number, ~0U);
}

static void wrong_memory(void)
{
	const size_t page = sysconf(_SC_PAGESIZE);
	const __u32 size = sizeof(struct irqcost_text);
	const size_t length = (size / page + 1) * page;
	char *place = mmap(NULL, length + page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct irqcost_text text = good();

	if (place == MAP_FAILED || mprotect(place + length, page, PROT_NONE)) {
		report(false, "mmap and mprotect: %s", name(errno));
		return;
	}
	refused("a structure at 0", EFAULT, command(device, IRQCOST_IOC_TEXT, NULL));
	refused("a structure in the kernel", EFAULT,
		command(device, IRQCOST_IOC_TEXT, (void *)0xffffffff81000000));
	refused("a structure that ends in unmapped memory", EFAULT,
		command(device, IRQCOST_IOC_TEXT,
			memcpy(place + length - sizeof(size), &size, sizeof(size))));
	memcpy(place, &text, sizeof(text));
	mprotect(place, length, PROT_READ);
	refused("a structure that cannot be written", EFAULT,
		command(device, IRQCOST_IOC_TEXT, place));
	munmap(place, length + page);
}

static bool drop_syslog(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return false;
	data[CAP_TO_INDEX(CAP_SYSLOG)].effective &= ~CAP_TO_MASK(CAP_SYSLOG);
	return !syscall(SYS_capset, &header, data);
}

static void without_the_right(void)
{
	struct irqcost_text text = good();
	int status;
	pid_t child = fork();

	if (!child)
		_exit(drop_syslog() ? command(device, IRQCOST_IOC_TEXT, &text) : 255);
	waitpid(child, &status, 0);
	refused("a caller without CAP_SYSLOG", EPERM, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* Each row has its window, and each function that this calls a text; then ERANGE. */
static void every_row(void)
{
	struct irqcost_text text;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *const *calls = rows[i].calls;
		bool named = !calls[0];
		__u32 number;
		int got;

		for (number = 0;; number++) {
			text = good();
			text.probe = rows[i].id;
			text.number = number;
			memset(text.bytes, 0xa5, sizeof(text.bytes));
			got = command(device, IRQCOST_IOC_TEXT, &text);
			/* A function may be longer than what is returned; a window is not. */
			if (got && !(number && got == EFBIG))
				break;
			named |= !number && (names(&text, calls[0]) || names(&text, calls[1]));
		}
		if (!number && rows[i].needs && got == ENODATA) {
			report(true, "row %u is not offered by this kernel", rows[i].id);
			continue;
		}
		report(number && got == ERANGE && named,
		       "row %u has its window and %u functions: %s", rows[i].id,
		       number ? number - 1 : 0, name(got));
	}
	report(still_right(), "after that, a right text is right");
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	device = open(DEVICE, O_RDWR);
	if (device < 0) {
		printf("1..0 # SKIP %s: %s\n", DEVICE, strerror(errno));
		return 4;
	}
	report(still_right(), "a right text is right");
	wrong_fields();
	wrong_memory();
	without_the_right();
	every_row();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
