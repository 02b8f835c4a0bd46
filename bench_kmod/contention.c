// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several CPUs take one lock: IRQCOST_IOC_CONTENTION.
 *
 * A thread bound to each CPU; they begin each half of a round together and stop
 * within one operation of each other. They remain preemptible, and hold nothing
 * but the lock that is measured.
 */
#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>
#include <linux/stringify.h>
#include <linux/time64.h>
#include <linux/topology.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/msr.h>
#include <asm/tsc.h>
#include "internal.h"

/* Operations between two looks at the clock, which costs as much as a short section. */
#define LOOK_EVERY 16

/* How long the others wait for a CPU that does not come. */
#define PATIENCE_NS NSEC_PER_SEC

/* The least of so many operations is what one takes alone. */
#define TRIALS 16

struct contender;

/**
 * struct lock_kind - a lock, and what a CPU does with it in each half of a round
 * @key: of its row
 * @counted: take and release it until the half is over, and count
 * @stamped: the same, and stamp each wait
 * @alone: take and release it once; returns the ticks, and whether it masks
 */
struct lock_kind {
	const char *key;
	void (*counted)(struct contender *c);
	void (*stamped)(struct contender *c);
	u64 (*alone)(u32 passes, bool *masks);
};

/*
 * The one run under way (irqcost_run_lock). What all CPUs write has cache lines
 * of its own: only the lock is to be fought for.
 */
static struct {
	const struct lock_kind *kind;
	u32 passes;		/* of IRQCOST_HOLD_STEP adds in a section */
	u32 rounds;
	u32 size;		/* CPUs */
	u64 half_ticks;
	u64 patience;
	bool cancelled;
	u64 deadline;		/* of the half under way */
	u32 begun;		/* halves that all CPUs have come to */
	u32 ended ____cacheline_aligned_in_smp;	/* halves that are over */
	atomic_t arrived ____cacheline_aligned_in_smp;
	atomic_t running;
	struct completion done;
} team;

/* The locks, each alone in its line. */
static DEFINE_SPINLOCK(spin_lock_plain ____cacheline_aligned_in_smp);
static DEFINE_SPINLOCK(spin_lock_masking ____cacheline_aligned_in_smp);
static DEFINE_RAW_SPINLOCK(raw_spin_lock_masking ____cacheline_aligned_in_smp);

/**
 * struct contender - a CPU's part in it
 * @result: what the caller is told
 * @task: its thread
 * @half: the half that it is in
 */
struct contender {
	struct irqcost_contender result;
	struct task_struct *task;
	u32 half;
} ____cacheline_aligned_in_smp;

/* Of 1 core cycle an add; the loop around them runs beside the chain. */
static __always_inline unsigned long section(unsigned long work, u32 passes)
{
	for (; passes; passes--)
		asm volatile(".rept " __stringify(IRQCOST_HOLD_STEP) "\n\t"
			     "add %0, %0\n\t"
			     ".endr" : "+r" (work) : : "cc");
	return work;
}

static __always_inline bool ended(const struct contender *c)
{
	return READ_ONCE(team.ended) > c->half;
}

/*
 * Whether the half is over, after so many operations: so each CPU does at least
 * one. Whoever sees that the time is up ends the half for all, so all end at once.
 */
static __always_inline bool over(const struct contender *c, u64 operations)
{
	if (operations % LOOK_EVERY == 0 && !ended(c) && rdtsc() >= team.deadline)
		WRITE_ONCE(team.ended, c->half + 1);
	return ended(c);
}

static void note_wait(struct contender *c, u64 wait, u64 irqs_off)
{
	struct irqcost_contender *result = &c->result;

	result->waits++;
	result->histogram[irqcost_wait_bin(wait)]++;
	result->longest_wait = max_t(u64, result->longest_wait, wait);
	result->longest_irqs_off = max_t(u64, result->longest_irqs_off, irqs_off);
}

/* Written out for each lock: a call by pointer would stand between the stamps, and be counted. */
#define LOCK_KIND(name, acquire, release)					\
static void name##_counted(struct contender *c)					\
{										\
	unsigned long flags __maybe_unused, work = 1;				\
	const u32 passes = team.passes;						\
	u64 operations = 0;							\
										\
	do {									\
		acquire;							\
		work = section(work, passes);					\
		release;							\
		operations++;							\
	} while (!over(c, operations));						\
	c->result.operations += operations;					\
}										\
										\
static void name##_stamped(struct contender *c)					\
{										\
	unsigned long flags __maybe_unused, work = 1;				\
	const u32 passes = team.passes;						\
	u64 called, held, released, operations = 0;				\
	bool masked;								\
										\
	do {									\
		called = rdtsc_ordered();					\
		acquire;							\
		held = rdtsc_ordered();						\
		masked = irqs_disabled();					\
		work = section(work, passes);					\
		release;							\
		released = rdtsc_ordered();					\
		note_wait(c, held - called, masked ? released - called : 0);	\
		operations++;							\
	} while (!over(c, operations));						\
}										\
										\
static u64 name##_alone(u32 passes, bool *masks)				\
{										\
	unsigned long flags __maybe_unused;					\
	u64 start = rdtsc_ordered();						\
										\
	acquire;								\
	*masks = irqs_disabled();						\
	section(1, passes);							\
	release;								\
	return rdtsc_ordered() - start;						\
}

LOCK_KIND(spin_lock, spin_lock(&spin_lock_plain), spin_unlock(&spin_lock_plain))
LOCK_KIND(spin_lock_irqsave, spin_lock_irqsave(&spin_lock_masking, flags),
	  spin_unlock_irqrestore(&spin_lock_masking, flags))
LOCK_KIND(raw_spin_lock_irqsave, raw_spin_lock_irqsave(&raw_spin_lock_masking, flags),
	  raw_spin_unlock_irqrestore(&raw_spin_lock_masking, flags))

#define KIND(name) { #name, name##_counted, name##_stamped, name##_alone }
static const struct lock_kind kinds[] = {
	KIND(spin_lock),
	KIND(spin_lock_irqsave),
	KIND(raw_spin_lock_irqsave),
};

static const struct lock_kind *kind_of(const struct irqcost_row *row)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].key, row->key))
			return &kinds[i];
	return NULL;
}

/*
 * Wait until all are here; the last one to come begins the half. They spin, so
 * that they begin within a cache miss of each other, but let others run.
 *
 * Return: whether there is a half to run.
 */
static bool gather(struct contender *c)
{
	const u64 since = rdtsc();

	if (atomic_inc_return(&team.arrived) == (c->half + 1) * team.size) {
		team.deadline = rdtsc() + team.half_ticks;
		/* Pairs with the acquire below: who sees the half begun sees its deadline. */
		smp_store_release(&team.begun, c->half + 1);
		return true;
	}
	/* Pairs with the release above. */
	while (smp_load_acquire(&team.begun) <= c->half) {
		if (READ_ONCE(team.cancelled))
			return false;
		if (rdtsc() - since > team.patience) {
			WRITE_ONCE(team.cancelled, true);
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

/* Return: whether the round was run to its end. */
static bool run_round(struct contender *c)
{
	struct irqcost_contender *result = &c->result;
	unsigned long before;
	bool there, preempted, missed;
	u64 chain, start, end;

	chain = irqcost_chain_ticks();
	if (!gather(c))
		return false;
	missed = ended(c);
	there = raw_smp_processor_id() == result->cpu;
	before = switches();
	start = rdtsc_ordered();
	team.kind->counted(c);
	end = rdtsc_ordered();
	preempted = switches() != before;
	result->ticks += end - start;
	if (!result->first)
		result->first = start;
	result->last = end;

	c->half++;
	cond_resched();
	if (!gather(c))
		return false;
	missed |= ended(c);
	before = switches();
	team.kind->stamped(c);
	preempted |= switches() != before;
	result->last = rdtsc_ordered();
	c->half++;

	if (chain && (!result->chain || chain < result->chain))
		result->chain = chain;
	result->preempted += preempted;
	result->missed += missed;
	result->elsewhere += !there || raw_smp_processor_id() != result->cpu;
	result->rounds++;
	return true;
}

static int contend(void *data)
{
	struct contender *c = data;

	while (!kthread_should_stop() && c->result.rounds < team.rounds && run_round(c))
		cond_resched();
	if (atomic_dec_and_test(&team.running))
		complete(&team.done);

	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* A thread for each CPU, all of them made before the first one runs. */
static int assemble(struct contender *contenders)
{
	struct task_struct *task;
	u32 i, cpu;

	for (i = 0; i < team.size; i++) {
		cpu = contenders[i].result.cpu;
		task = kthread_create_on_node(contend, &contenders[i], cpu_to_node(cpu),
					      "irqcost/%u", cpu);
		if (IS_ERR(task))
			return PTR_ERR(task);
		kthread_bind(task, cpu);
		contenders[i].task = task;
	}
	return 0;
}

static void disband(struct contender *contenders)
{
	u32 i;

	WRITE_ONCE(team.cancelled, true);
	for (i = 0; i < team.size && contenders[i].task; i++)
		kthread_stop(contenders[i].task);
}

/* Run the team to its end, or until a signal comes. */
static int run_team(struct contender *contenders)
{
	int ret = assemble(contenders);
	u32 i;

	if (!ret) {
		for (i = 0; i < team.size; i++)
			wake_up_process(contenders[i].task);
		ret = wait_for_completion_interruptible(&team.done);
	}
	disband(contenders);
	return ret;
}

static u64 least_alone(bool *masks)
{
	u64 least = U64_MAX;
	u32 i;

	for (i = 0; i < TRIALS; i++)
		least = min(least, team.kind->alone(team.passes, masks));
	return least;
}

static bool online_and_different(const struct contender *contenders, u32 count,
				 struct cpumask *seen, int *error)
{
	u32 i, cpu;

	for (i = 0; i < count; i++) {
		cpu = contenders[i].result.cpu;
		*error = -ENODEV;
		if (cpu >= nr_cpu_ids || !cpu_online(cpu))
			return false;
		*error = -EINVAL;
		if (cpumask_test_and_set_cpu(cpu, seen))
			return false;
	}
	*error = 0;
	return true;
}

/* With the CPUs of the machine held as they are. */
static int measure(struct irqcost_contention *request, const struct lock_kind *kind,
		   struct contender *contenders)
{
	bool masks = false, any = false;
	u32 i, common;
	int ret;

	team.kind = kind;
	team.passes = request->section / IRQCOST_HOLD_STEP;
	team.rounds = request->rounds;
	team.size = request->nr_cpus;
	team.half_ticks = irqcost_ticks(IRQCOST_ROUND_US * NSEC_PER_USEC);
	team.patience = irqcost_ticks(PATIENCE_NS);
	team.cancelled = false;
	team.begun = 0;
	team.ended = 0;
	atomic_set(&team.arrived, 0);
	atomic_set(&team.running, team.size);
	init_completion(&team.done);

	request->alone = least_alone(&masks);
	if (request->alone * team.size > irqcost_ticks(IRQCOST_MAX_IRQS_OFF_NS) / 2)
		return -EDOM;

	ret = run_team(contenders);
	common = U32_MAX;
	for (i = 0; i < team.size; i++) {
		any |= contenders[i].result.rounds;
		common = min(common, contenders[i].result.rounds);
	}
	/* What was measured until a signal came is kept; -ERESTARTSYS is for the kernel alone. */
	if (ret == -ERESTARTSYS)
		ret = any ? 0 : -EINTR;
	request->rounds = common;
	request->traits = masks ? IRQCOST_LOCK_MASKS : 0;
	if (IS_ENABLED(CONFIG_PREEMPT_RT) && !masks)
		request->traits |= IRQCOST_LOCK_SLEEPS;
	return ret;
}

static int check(const struct irqcost_contention *request, const struct irqcost_row *row)
{
	if (request->flags || request->reserved)
		return -EINVAL;
	if (!row)
		return -ENOENT;
	if (!kind_of(row) || irqcost_row_unusable(row, IRQCOST_PROCESS))
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

static int copy_results(struct irqcost_contender __user *to, const struct contender *contenders,
			u32 count)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (copy_to_user(&to[i], &contenders[i].result, sizeof(to[i])))
			return -EFAULT;
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
	struct contender *contenders;
	cpumask_var_t seen;
	int ret;
	u32 i;

	ret = irqcost_copy_in(&request, arg, sizeof(request));
	if (ret)
		return ret;
	row = irqcost_row_by_id(request.probe);
	ret = check(&request, row);
	if (ret)
		return ret;

	user = u64_to_user_ptr(request.contenders);
	/* Whole pages, so that each CPU's part begins at a cache line. */
	contenders = vzalloc(array_size(request.nr_cpus, sizeof(*contenders)));
	if (!contenders)
		return -ENOMEM;
	ret = -ENOMEM;
	if (!zalloc_cpumask_var(&seen, GFP_KERNEL))
		goto free_contenders;
	ret = -EFAULT;
	for (i = 0; i < request.nr_cpus; i++)
		if (get_user(contenders[i].result.cpu, &user[i].cpu))
			goto free_seen;

	ret = -EBUSY;
	if (!mutex_trylock(&irqcost_run_lock))
		goto free_seen;
	cpus_read_lock();
	if (online_and_different(contenders, request.nr_cpus, seen, &ret))
		ret = measure(&request, kind_of(row), contenders);
	cpus_read_unlock();
	mutex_unlock(&irqcost_run_lock);

	if (!ret)
		ret = copy_results(user, contenders, request.nr_cpus);
	if (!ret && copy_to_user(arg, &request, sizeof(request)))
		ret = -EFAULT;
free_seen:
	free_cpumask_var(seen);
free_contenders:
	vfree(contenders);
	return ret;
}
