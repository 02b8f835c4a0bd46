// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this module and this kernel are: IRQCOST_IOC_INFO, IRQCOST_IOC_PROBE.
 */
#include <linux/kconfig.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <generated/utsrelease.h>
#include "internal.h"

#define CONFIG_BIT(symbol) (IS_ENABLED(CONFIG_##symbol) ? IRQCOST_CONFIG_##symbol : 0)

static u64 kernel_config(void)
{
	u64 config = CONFIG_BIT(PREEMPT_RT) | CONFIG_BIT(PREEMPT_DYNAMIC) |
		     CONFIG_BIT(PREEMPT_COUNT) | CONFIG_BIT(PARAVIRT) |
		     CONFIG_BIT(PARAVIRT_XXL) | CONFIG_BIT(PARAVIRT_SPINLOCKS) |
		     CONFIG_BIT(TRACE_IRQFLAGS) | CONFIG_BIT(LOCKDEP) |
		     CONFIG_BIT(DEBUG_SPINLOCK) | CONFIG_BIT(DEBUG_PREEMPT) |
		     CONFIG_BIT(KASAN) | CONFIG_BIT(RETPOLINE) | CONFIG_BIT(RETHUNK) |
		     CONFIG_BIT(SMP);

	/* CONFIG_PREEMPT is only one of the models that can preempt the kernel. */
	if (IS_ENABLED(CONFIG_PREEMPTION))
		config |= IRQCOST_CONFIG_PREEMPT;
	/* The names since 6.9. */
	if (IS_ENABLED(CONFIG_MITIGATION_RETPOLINE))
		config |= IRQCOST_CONFIG_RETPOLINE;
	if (IS_ENABLED(CONFIG_MITIGATION_RETHUNK))
		config |= IRQCOST_CONFIG_RETHUNK;
	return config;
}

/**
 * irqcost_copy_in() - fetch a structure that begins with its own size
 * @to: where to
 * @from: the caller's
 * @size: what its size must be
 *
 * Return: 0, -E2BIG for another size, -EFAULT.
 */
int irqcost_copy_in(void *to, const void __user *from, u32 size)
{
	u32 said;

	if (get_user(said, (const u32 __user *)from))
		return -EFAULT;
	if (said != size)
		return -E2BIG;
	if (copy_from_user(to, from, size))
		return -EFAULT;
	/* Another thread may have written it between the two reads. */
	return *(u32 *)to == size ? 0 : -E2BIG;
}

/**
 * irqcost_ioc_info() - IRQCOST_IOC_INFO
 * @arg: the caller's struct irqcost_info
 *
 * Return: 0 or a negative errno as abi.h has it.
 */
int irqcost_ioc_info(void __user *arg)
{
	struct irqcost_cycles cycles;
	struct irqcost_info info;
	int ret = irqcost_copy_in(&info, arg, sizeof(info));

	if (ret)
		return ret;

	info = (struct irqcost_info) {
		.size = sizeof(info),
		.abi_revision = IRQCOST_ABI_REVISION,
		.catalogue_hash = irqcost_catalogue_hash(),
		.nr_probes = irqcost_nr_rows,
		.max_samples = IRQCOST_MAX_SAMPLES,
		.max_loops = IRQCOST_MAX_LOOPS,
		.max_irqs_off_ns = IRQCOST_MAX_IRQS_OFF_NS,
		.sample_size = sizeof(struct irqcost_sample),
		.tsc_khz = irqcost_clock_khz(),
		.config = kernel_config(),
		.release = UTS_RELEASE,
		.aperf_errno = -irqcost_read_cycles(&cycles),
		.privilege = irqcost_privilege(),
	};
	strscpy(info.compiler, IRQCOST_COMPILER, sizeof(info.compiler));
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

/**
 * irqcost_ioc_probe() - IRQCOST_IOC_PROBE
 * @arg: the caller's struct irqcost_probe
 *
 * Return: 0 or a negative errno as abi.h has it.
 */
int irqcost_ioc_probe(void __user *arg)
{
	const struct irqcost_row *row;
	struct irqcost_probe probe;
	const char *unusable;
	int ret = irqcost_copy_in(&probe, arg, sizeof(probe));

	if (ret)
		return ret;
	row = irqcost_row_at(probe.index);
	if (!row)
		return -ENOENT;
	if (probe.context >= IRQCOST_NR_CONTEXTS || probe.reserved)
		return -EINVAL;

	probe = (struct irqcost_probe) {
		.size = sizeof(probe),
		.index = probe.index,
		.context = probe.context,
		.id = row->id,
		.where = row->where,
		.irqs = row->irqs,
		.modes = irqcost_row_modes(row, probe.context),
	};
	if (probe.modes & 1 << IRQCOST_THROUGHPUT) {
		probe.min_unroll = IRQCOST_MIN_UNROLL;
		probe.max_unroll = row->max_unroll;
	}
	strscpy(probe.key, row->key, sizeof(probe.key));
	unusable = irqcost_row_unusable(row, probe.context);
	if (unusable)
		strscpy(probe.unusable, unusable, sizeof(probe.unusable));
	return copy_to_user(arg, &probe, sizeof(probe)) ? -EFAULT : 0;
}
