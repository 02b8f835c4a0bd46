// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several CPUs take one lock: IRQCOST_IOC_CONTENTION.
 *
 * A thread bound to each CPU; they begin each half of a round together and stop
 * within one operation of each other. They remain preemptible, and hold nothing
 * but the lock that is measured.
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/overflow.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include "compat.h"
#include "internal.h"
#include "workers.h"

/* The least of so many operations is what one takes alone. */
#define TRIALS 16

/* Threads that are not over. No run begins before those of the last one are. */
static atomic_t threads;
static DECLARE_WAIT_QUEUE_HEAD(all_over);

static void put_workers(struct workers *workers)
{
	if (refcount_dec_and_test(&workers->users))
		vfree(workers);
}

/*
 * Wait until all are here; the last one to come begins the half. They spin, so
 * that they begin within a cache miss of each other, but let others run.
 *
 * Return: whether there is a half to run.
 */
static bool gather(struct contender *c)
{
	struct workers *const workers = c->workers;
	const u64 since = irqcost_now();

	if (atomic_inc_return(&workers->arrived) == (c->half + 1) * workers->size) {
		workers->deadline = irqcost_now() + workers->half_ticks;
		/* Pairs with the acquire below: who sees the half begun sees its deadline. */
		smp_store_release(&workers->begun, c->half + 1);
		return true;
	}
	/* Pairs with the release above. */
	while (smp_load_acquire(&workers->begun) <= c->half) {
		if (READ_ONCE(workers->cancelled))
			return false;
		if (irqcost_now() - since > workers->timeout) {
			WRITE_ONCE(workers->cancelled, true);
			return false;
		}
		cond_resched();
		cpu_relax();
	}
	return true;
}

static unsigned long switches(void)
{
	return current->nvcsw + current->nivcsw;
}

/* The caller may leave while a thread is preempted in mid-round: it sees whole ones only. */
static void tell(struct contender *c)
{
	raw_spin_lock(&c->lock);
	if (!c->closed)
		c->told = c->result;
	raw_spin_unlock(&c->lock);
}

/* On another CPU, where the kernel moves it when its own goes offline, nothing is measured. */
static bool at_home(struct contender *c)
{
	if (raw_smp_processor_id() == c->result.cpu)
		return true;
	raw_spin_lock(&c->lock);
	if (!c->closed)
		c->told.elsewhere = 1;
	raw_spin_unlock(&c->lock);
	WRITE_ONCE(c->workers->cancelled, true);
	return false;
}

/* Return: whether the round was run to its end. */
static bool run_round(struct contender *c)
{
	struct irqcost_contender *result = &c->result;
	const struct lock_kind *kind = c->workers->kind;
	unsigned long before;
	bool preempted, missed;
	u64 chain, start, end;

	if (READ_ONCE(c->workers->cancelled) || !at_home(c))
		return false;
	chain = irqcost_chain_ticks();
	if (!gather(c))
		return false;
	missed = half_ended(c);
	before = switches();
	start = irqcost_now_ordered();
	kind->counted(c);
	end = irqcost_now_ordered();
	preempted = switches() != before;
	result->ticks += end - start;
	if (!result->first)
		result->first = start;
	result->last = end;

	c->half++;
	cond_resched();
	if (!at_home(c) || !gather(c))
		return false;
	missed |= half_ended(c);
	before = switches();
	kind->stamped(c);
	preempted |= switches() != before;
	result->last = irqcost_now_ordered();
	c->half++;
	if (!at_home(c))
		return false;

	if (chain && (!result->chain || chain < result->chain))
		result->chain = chain;
	result->preempted += preempted;
	result->missed += missed;
	result->rounds++;
	tell(c);
	return true;
}

/* Nobody waits for a thread to end: it gives back what it holds, the module last. */
static int contend(void *data)
{
	struct contender *c = data;
	struct workers *workers = c->workers;

	while (c->result.rounds < workers->rounds && run_round(c))
		cond_resched();
	if (atomic_dec_and_test(&threads))
		wake_up(&all_over);
	put_workers(workers);
	irqcost_exit_thread();
	return 0;
}

static struct task_struct *new_thread(struct contender *c)
{
	const u32 cpu = c->result.cpu;
	struct task_struct *task;

	task = kthread_create_on_node(contend, c, cpu_to_node(cpu), "irqcost/%u", cpu);
	if (IS_ERR(task))
		return task;
	kthread_bind(task, cpu);
	__module_get(THIS_MODULE);
	refcount_inc(&c->workers->users);
	atomic_inc(&threads);
	return task;
}

/* A thread for each CPU, all of them made before the first one runs. */
static int start_threads(struct workers *workers)
{
	struct task_struct **tasks;
	int ret = 0;
	u32 i, made;

	tasks = kvmalloc_array(workers->size, sizeof(*tasks), GFP_KERNEL_ACCOUNT);
	if (!tasks)
		return -ENOMEM;
	for (made = 0; made < workers->size; made++) {
		tasks[made] = new_thread(&workers->contenders[made]);
		if (IS_ERR(tasks[made])) {
			ret = PTR_ERR(tasks[made]);
			WRITE_ONCE(workers->cancelled, true);
			break;
		}
	}
	/* Where not all could be made, those that were only end. */
	for (i = 0; i < made; i++)
		wake_up_process(tasks[i]);
	kvfree(tasks);
	return ret;
}

/* Return: whether all threads are over now; at most so many milliseconds are waited for that. */
static bool await_threads(unsigned int ms)
{
	wait_event_killable_timeout(all_over, !atomic_read(&threads), msecs_to_jiffies(ms));
	return !atomic_read(&threads);
}

/*
 * Run the workers to their end, until a signal comes, or until the time is up. Threads
 * that have a CPU then end within a half; others are left to themselves.
 */
static int run_workers(struct workers *workers)
{
	const unsigned int most = irqcost_contention_ms(workers->rounds) - IRQCOST_END_MS;
	int ret = start_threads(workers);

	if (ret)
		return ret;
	ret = wait_event_interruptible_timeout(all_over, !atomic_read(&threads),
					       msecs_to_jiffies(most));
	WRITE_ONCE(workers->cancelled, true);
	if (ret <= 0)
		await_threads(IRQCOST_END_MS);
	return min(ret, 0);
}

static u64 least_alone(struct workers *workers, u32 passes, bool *masks)
{
	u64 least = U64_MAX;
	u32 i;

	for (i = 0; i < TRIALS; i++)
		least = min(least, workers->kind->alone(workers, passes, masks));
	return least;
}

/*
 * What one operation takes alone, 0 where that is too long to be tried. The
 * section grows to its length by doubling, so that no trial masks for longer
 * than what the one before it has shown to be short enough.
 */
static u64 time_alone(struct workers *workers, bool *masks)
{
	const u64 limit = irqcost_ticks(IRQCOST_MAX_IRQS_OFF_NS) / 2;
	u32 passes = min(workers->passes, 1U);
	u64 least = least_alone(workers, passes, masks);

	while (passes < workers->passes) {
		passes = min(2 * passes, workers->passes);
		if (2 * least > limit)
			return 0;
		least = least_alone(workers, passes, masks);
	}
	return least * workers->size > limit ? 0 : least;
}

static struct workers *new_workers(const struct irqcost_contention *request,
				   const struct lock_kind *kind)
{
	struct workers *workers;

	/* Whole pages, so that each CPU's part begins at a cache line. */
	workers = __vmalloc(struct_size(workers, contenders, request->nr_cpus),
			    GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!workers)
		return NULL;
	refcount_set(&workers->users, 1);
	workers->kind = kind;
	workers->passes = request->section / IRQCOST_HOLD_STEP;
	workers->rounds = request->rounds;
	workers->size = request->nr_cpus;
	workers->half_ticks = irqcost_ticks(IRQCOST_ROUND_US * NSEC_PER_USEC);
	workers->timeout = irqcost_ticks(IRQCOST_LATE_MS * NSEC_PER_MSEC);
	spin_lock_init(&workers->spin_lock);
	spin_lock_init(&workers->spin_lock_masking);
	raw_spin_lock_init(&workers->raw_spin_lock_masking);
	return workers;
}

/* The CPUs that the caller names: online, its own to run on, and different. */
static int read_cpus(struct workers *workers, const struct irqcost_contender __user *user)
{
	cpumask_var_t seen;
	int ret = 0;
	u32 i, cpu;

	if (!zalloc_cpumask_var(&seen, GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < workers->size && !ret; i++) {
		if (get_user(cpu, &user[i].cpu))
			ret = -EFAULT;
		else if (!irqcost_cpu_online(&cpu))
			ret = -ENODEV;
		else if (!cpumask_test_cpu(cpu, current->cpus_ptr))
			ret = -EXDEV;
		else if (cpumask_test_and_set_cpu(cpu, seen))
			ret = -EINVAL;
		workers->contenders[i].result.cpu = cpu;
		workers->contenders[i].told.cpu = cpu;
		workers->contenders[i].workers = workers;
		raw_spin_lock_init(&workers->contenders[i].lock);
	}
	free_cpumask_var(seen);
	return ret;
}

/* End the run for the caller. Return: rounds of the CPU that ran the fewest. */
static u32 close_workers(struct workers *workers, bool *any)
{
	u32 i, common = U32_MAX;

	*any = false;
	for (i = 0; i < workers->size; i++) {
		struct contender *c = &workers->contenders[i];

		raw_spin_lock(&c->lock);
		c->closed = true;
		raw_spin_unlock(&c->lock);
		common = min(common, c->told.rounds);
		*any |= c->told.rounds;
	}
	return common;
}

static int copy_results(struct irqcost_contender __user *user, const struct workers *workers)
{
	u32 i;

	for (i = 0; i < workers->size; i++)
		if (copy_to_user(&user[i], &workers->contenders[i].told, sizeof(user[i])))
			return -EFAULT;
	return 0;
}

static int measure(struct irqcost_contention *request, struct workers *workers)
{
	bool masks = false, any;
	int ret;

	request->alone = time_alone(workers, &masks);
	if (!request->alone)
		return -EDOM;
	request->traits = masks ? IRQCOST_LOCK_MASKS : 0;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && !masks)
		request->traits |= IRQCOST_LOCK_SLEEPS;

	ret = run_workers(workers);
	request->rounds = close_workers(workers, &any);
	/* What was measured until a signal came is kept; -ERESTARTSYS is for the kernel alone. */
	if (ret == -ERESTARTSYS)
		ret = any ? 0 : -EINTR;
	return ret;
}

static int check(const struct irqcost_contention *request, const struct irqcost_row *row)
{
	if (request->flags || request->reserved)
		return -EINVAL;
	if (!row)
		return -ENOENT;
	if (!irqcost_lock_kind(row) || irqcost_row_unusable(row, IRQCOST_PROCESS))
		return -EOPNOTSUPP;
	if (request->section % IRQCOST_HOLD_STEP || request->section > IRQCOST_MAX_HOLD_CYCLES)
		return -EDOM;
	if (!request->rounds || request->rounds > IRQCOST_MAX_ROUNDS)
		return -ERANGE;
	if (!request->nr_cpus || request->nr_cpus > IRQCOST_MAX_CONTENDERS)
		return -ERANGE;
	if (request->buffer_bytes < request->nr_cpus * sizeof(struct irqcost_contender))
		return -ENOSPC;
	return 0;
}

/**
 * irqcost_ioc_contention() - IRQCOST_IOC_CONTENTION
 * @arg: the caller's struct irqcost_contention
 *
 * Return: 0 or a negative errno as contention.h has it.
 */
int irqcost_ioc_contention(void __user *arg)
{
	struct irqcost_contender __user *user;
	struct irqcost_contention request;
	const struct irqcost_row *row;
	struct workers *workers;
	int ret;

	ret = irqcost_copy_in(&request, arg, sizeof(request));
	if (ret)
		return ret;
	row = irqcost_row_by_id(request.probe);
	ret = check(&request, row);
	if (ret)
		return ret;

	user = u64_to_user_ptr(request.contenders);
	workers = new_workers(&request, irqcost_lock_kind(row));
	if (!workers)
		return -ENOMEM;
	ret = read_cpus(workers, user);
	if (ret)
		goto put;
	ret = -EBUSY;
	if (!mutex_trylock(&irqcost_run_lock))
		goto put;
	/* Those of a caller that was killed are about to end. */
	if (await_threads(IRQCOST_END_MS))
		ret = measure(&request, workers);
	mutex_unlock(&irqcost_run_lock);

	if (!ret)
		ret = copy_results(user, workers);
	if (!ret && copy_to_user(arg, &request, sizeof(request)))
		ret = -EFAULT;
put:
	put_workers(workers);
	return ret;
}
