// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is measured, as it is in memory: a row's window and the functions that
 * it calls (IRQCOST_IOC_TEXT). It is read and never written, and no address to
 * read from comes from user space.
 */
#include <linux/capability.h>
#include <linux/kallsyms.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "internal.h"

/**
 * struct function - a function of the kernel or of a module
 * @start: where it begins
 * @bytes: up to the next symbol
 * @stays: that its memory stays while this module is loaded: its own, and the kernel's
 * @symbol: its name
 */
struct function {
	unsigned long start;
	unsigned long bytes;
	bool stays;
	char symbol[KSYM_SYMBOL_LEN];
};

/**
 * struct reading - a text that is being read
 * @text: the answer
 * @function: what is read
 * @other: what one of its branches goes to
 * @callees: where the first functions that it calls begin
 * @nr_callees: how many these are
 */
struct reading {
	struct irqcost_text text;
	struct function function;
	struct function other;
	unsigned long callees[IRQCOST_MAX_TARGETS];
	u32 nr_callees;
};

/*
 * The only exported function that knows where a symbol ends writes it as text:
 * "name+0xoffset/0xsize", and after it in brackets what is not the kernel's own.
 */
static bool find_function(struct function *function, unsigned long address)
{
	unsigned long offset;
	char *behind;

	sprint_symbol(function->symbol, address);
	behind = strchr(function->symbol, '+');
	if (!behind || sscanf(behind, "+%lx/%lx", &offset, &function->bytes) != 2)
		return false;
	function->start = address - offset;
	function->stays = !strchr(behind, '[') || within_module(address, THIS_MODULE);
	*behind = '\0';
	return true;
}

/* By reads that may fault: what looks like a call may look like one to memory that is gone. */
static int read_bytes(u8 *to, const struct function *function)
{
	const u8 *from = (const u8 *)function->start;
	unsigned long i;

	if (function->bytes > IRQCOST_MAX_TEXT)
		return -EFBIG;
	pagefault_disable();
	for (i = 0; i < function->bytes; i++)
		__get_kernel_nofault(to + i, from + i, u8, fault);
	pagefault_enable();
	return 0;
fault:
	pagefault_enable();
	return -EIO;
}

static void add_callee(struct reading *reading)
{
	u32 i;

	for (i = 0; i < reading->nr_callees; i++)
		if (reading->callees[i] == reading->other.start)
			return;
	if (i < IRQCOST_MAX_TARGETS)
		reading->callees[reading->nr_callees++] = reading->other.start;
}

/* Name where the branches of the text go that leave it. */
static void find_targets(struct reading *reading)
{
	struct irqcost_text *text = &reading->text;
	struct irqcost_text_target *target;
	unsigned long address;
	u32 at;

	for (at = 0; at + IRQCOST_BRANCH_BYTES <= text->length; at += IRQCOST_BRANCH_STEP) {
		if (text->nr_targets == IRQCOST_MAX_TARGETS)
			return;
		address = irqcost_branch_target(text->bytes + at, reading->function.start + at);
		if (!address)
			continue;
		if (address - reading->function.start < text->length ||
		    !find_function(&reading->other, address) || reading->other.start != address)
			continue;
		target = &text->targets[text->nr_targets++];
		target->offset = at;
		strscpy(target->symbol, reading->other.symbol, sizeof(target->symbol));
		if (reading->other.stays)
			add_callee(reading);
	}
}

static int read_text(struct reading *reading, unsigned long address)
{
	struct irqcost_text *text = &reading->text;
	int ret;

	if (!find_function(&reading->function, address))
		return -EOPNOTSUPP;
	ret = read_bytes(text->bytes, &reading->function);
	if (ret)
		return ret;
	text->length = reading->function.bytes;
	strscpy(text->symbol, reading->function.symbol, sizeof(text->symbol));
	find_targets(reading);
	return 0;
}

/* What the caller's structure is besides the question goes: the answer alone returns. */
static void keep_question(struct irqcost_text *text)
{
	const u32 probe = text->probe, number = text->number;

	memset(text, 0, sizeof(*text));
	text->size = sizeof(*text);
	text->probe = probe;
	text->number = number;
}

static int read_callee(struct reading *reading)
{
	struct irqcost_text *text = &reading->text;
	const u32 index = text->number - 1;

	if (index >= reading->nr_callees)
		return -ERANGE;
	keep_question(text);
	return read_text(reading, reading->callees[array_index_nospec(index, IRQCOST_MAX_TARGETS)]);
}

static int answer(struct reading *reading)
{
	struct irqcost_text *text = &reading->text;
	const struct irqcost_row *row = irqcost_row_by_id(text->probe);
	int ret;

	if (text->flags || text->reserved)
		return -EINVAL;
	if (!capable(CAP_SYSLOG))
		return -EPERM;
	if (!row)
		return -ENOENT;
	if (!row->windows[0])
		return -ENODATA;
	keep_question(text);
	ret = read_text(reading, (unsigned long)row->windows[0]);
	return ret || !text->number ? ret : read_callee(reading);
}

/**
 * irqcost_ioc_text() - IRQCOST_IOC_TEXT
 * @arg: the caller's struct irqcost_text
 *
 * Return: 0 or a negative errno as text.h has it.
 */
int irqcost_ioc_text(void __user *arg)
{
	struct reading *reading = kzalloc(sizeof(*reading), GFP_KERNEL);
	int ret;

	if (!reading)
		return -ENOMEM;
	ret = irqcost_copy_in(&reading->text, arg, sizeof(reading->text));
	if (!ret)
		ret = answer(reading);
	if (!ret && copy_to_user(arg, &reading->text, sizeof(reading->text)))
		ret = -EFAULT;
	kfree(reading);
	return ret;
}
