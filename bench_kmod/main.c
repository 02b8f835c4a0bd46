// SPDX-License-Identifier: GPL-2.0-only
/*
 * irqcost: the device /dev/irqcost. Loading the module measures nothing.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include "internal.h"

static long irqcost_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case IRQCOST_IOC_INFO:
		return irqcost_ioc_info(user);
	case IRQCOST_IOC_PROBE:
		return irqcost_ioc_probe(user);
	case IRQCOST_IOC_RUN:
		return irqcost_ioc_run(user);
	case IRQCOST_IOC_CONTENTION:
		return irqcost_ioc_contention(user);
	case IRQCOST_IOC_PENDING:
		return irqcost_ioc_pending(user);
	case IRQCOST_IOC_TEXT:
		return irqcost_ioc_text(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations irqcost_fops = {
	.owner = THIS_MODULE,
	.open = nonseekable_open,
	.unlocked_ioctl = irqcost_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/* Only root: whoever may run a probe can keep a CPU busy with interrupts off. */
static struct miscdevice irqcost_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = IRQCOST_DEVICE,
	.fops = &irqcost_fops,
	.mode = 0600,
};

static int __init irqcost_init(void)
{
	int ret = irqcost_objects_init();

	if (ret)
		return ret;
	irqcost_clock_start();
	irqcost_contexts_init();
	ret = misc_register(&irqcost_device);
	if (ret) {
		irqcost_clock_stop();
		irqcost_objects_exit();
	}
	return ret;
}
module_init(irqcost_init);

static void __exit irqcost_exit(void)
{
	misc_deregister(&irqcost_device);
	irqcost_contexts_exit();
	irqcost_clock_stop();
	irqcost_objects_exit();
}
module_exit(irqcost_exit);

MODULE_DESCRIPTION("Measures what masking interrupts costs");
MODULE_AUTHOR("The irqcost authors");
MODULE_LICENSE("GPL");
MODULE_VERSION(IRQCOST_VERSION);
