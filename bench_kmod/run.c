// SPDX-License-Identifier: GPL-2.0-only
/*
 * Measure one row: IRQCOST_IOC_RUN.
 *
 * A run is a number of samples, a sample is five windows, one after the other:
 * the clock (two), the sensor, base and body. Interrupts are masked a window at
 * a time and on between windows: one that is pending while masked slows some CPUs down.
 */
#include <linux/hardirq.h>
#include <linux/irqflags.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/time64.h>
#include <linux/uaccess.h>
#include "compat.h"
#include "internal.h"

/*
 * Before a run, this many samples of one loop tell how long a loop takes. The
 * first ones are slow for caches and translations that are still cold, any may
 * meet an interrupt or a hypervisor, and nothing makes one too fast: so the
 * least is the one to go by, and it needs few.
 */
#define TRIALS 4

/* Of a sample: the clock's two, the sensor, base and body. */
#define SAMPLE_WINDOWS 5

/* By enum irqcost_sensor. */
static const irqcost_window_fn *const sensors[IRQCOST_NR_SENSORS] = {
	[IRQCOST_SENSOR_NOP] = irqcost_windows_nop,
	[IRQCOST_SENSOR_ZERO_IDIOM] = irqcost_windows_zero_idiom,
	[IRQCOST_SENSOR_PUSH_POP] = irqcost_windows_push_pop,
};

/* One at a time on the whole machine: a second run would be a neighbour that disturbs the first. */
DEFINE_MUTEX(irqcost_run_lock);

/**
 * struct sampler - one run under way
 * @row: what is measured
 * @run: what was asked for
 * @context: where samples are taken now
 * @loops: of base and body
 * @chain_loops: of the clock
 * @sensor_loops: of the sensor
 * @counts: whether the CPU's counters of core cycles can be read
 * @longest: most ticks with interrupts off so far
 * @error: 0, or -EIO once a window broke its promise
 */
struct sampler {
	const struct irqcost_row *row;
	const struct irqcost_run *run;
	u32 context;
	u32 loops;
	u32 chain_loops;
	u32 sensor_loops;
	bool counts;
	u64 longest;
	int error;
};

/*
 * The interrupt flag that a row wants on entry, as the irqs of a row that keeps
 * it: what the base of an isolated sample must be like.
 */
static u32 irqs_of_entry(u32 irqs)
{
	return irqs & IRQCOST_IF_10 ? IRQCOST_IF_11 : IRQCOST_IF_00;
}

/*
 * One window in a masked stretch of its own, or unmasked, as @irqs has it. It is
 * entered and left with interrupts as the context has them, even where it broke
 * its promise. Where the context has them off, they stay off whatever the row.
 */
static __nocfi u64 timed_window(struct sampler *s, irqcost_window_fn window, u32 loops, u32 irqs)
{
	const bool off = irqcost_context_masks(s->context);
	const bool masked = !off && irqs_of_entry(irqs) == IRQCOST_IF_00;
	const bool on_at_exit = !off && irqs & IRQCOST_IF_01;
	const unsigned long masks = irqcost_save_masks();
	const int count = preempt_count();
	u64 from = irqcost_now();
	u64 ticks;

	if (masked)
		local_irq_disable();
	if (masked || off)
		irqcost_mask_for(s->row->needs, off);

	ticks = window(loops, irqcost_objects.scratch);

	if (irqcost_irqs_off() == on_at_exit || preempt_count() != count) {
		preempt_count_set(count);
		s->error = -EIO;
	}
	if (off || irqs != IRQCOST_IF_11)
		s->longest = max_t(u64, s->longest, irqcost_now() - from);

	/*
	 * The raw calls: lock debugging did not see what an assembler row did, so
	 * the flag first goes to where lock debugging believes it to be.
	 */
	if (off || masked)
		raw_local_irq_disable();
	else
		raw_local_irq_enable();
	irqcost_restore_masks(masks);
	if (masked)
		local_irq_enable();
	return ticks;
}

/*
 * A single window is a handful of steps of the clock long. Equal rounds would all
 * meet the step in one phase, and their mean would keep its rounding, of a tick
 * or two. Up to a hundred cycles of delay, of a length that differs from round
 * to round, spread the phase: as in ring 3.
 */
static void vary_phase(u32 round)
{
	u32 product = round, left;

	for (left = round % 31; left; left--)
		asm volatile(IRQCOST_MULTIPLY : "+r" (product));
}

/*
 * Latency: single windows, each between its own fences and with its own entry.
 * One of base and one of body after each other, so that a drift of the clock
 * affects both equally, and in turn first: the second of two equal single windows is
 * faster by a tick or two.
 */
static void timed_singles(struct sampler *s, struct irqcost_sample *sample)
{
	const struct irqcost_row *row = s->row;
	const u32 entry = irqs_of_entry(row->irqs);
	u32 i;

	for (i = 0; i < s->loops; i++) {
		const bool base_first = i % 2 == 0;

		vary_phase(i);
		if (base_first)
			sample->base += timed_window(s, row->empty[0], 1, entry);
		sample->body += timed_window(s, row->windows[0], 1, row->irqs);
		if (!base_first)
			sample->base += timed_window(s, row->empty[0], 1, entry);
	}
}

/* The size is the caller's: what is called must be a window also where the CPU speculates. */
static u64 timed_loops(struct sampler *s, const irqcost_window_fn *windows, u32 size,
		       u32 loops, u32 irqs)
{
	const u32 index = array_index_nospec(irqcost_window_index(size), IRQCOST_NR_WINDOWS);

	return timed_window(s, windows[index], loops, irqs);
}

/* Where the section that is asked for stands among the windows of a row in situ. */
static int section_of(const struct irqcost_run *run)
{
	return run->mode == IRQCOST_IN_SITU_PERCPU ? PERCPU_SECTION :
						     irqcost_section_index(run->section);
}

/*
 * In process context preemption stays on, as where the API is mostly called from:
 * with it off, some kernels take a shorter way through preempt_enable(), and on
 * PREEMPT_RT no row could sleep. The caller is bound to the CPU, and when another task gets
 * it meanwhile the sample says so.
 */
static void take_sample(struct sampler *s, struct irqcost_sample *sample)
{
	const struct irqcost_row *row = s->row;
	const struct irqcost_run *run = s->run;
	struct irqcost_cycles before, after;
	unsigned long switches;
	u32 interrupts;
	int section;
	bool there;

	*sample = (struct irqcost_sample) {};

	there = raw_smp_processor_id() == run->cpu;
	switches = current->nvcsw + current->nivcsw;
	s->counts = s->counts && !irqcost_read_cycles(&before);

	sample->start = irqcost_now();
	sample->chain_base = timed_loops(s, irqcost_windows_dep_imul, IRQCOST_CHAIN_UNROLL,
					 s->chain_loops, IRQCOST_IF_00);
	sample->chain_body = timed_loops(s, irqcost_windows_dep_imul, 2 * IRQCOST_CHAIN_UNROLL,
					 s->chain_loops, IRQCOST_IF_00);
	sample->sensor = timed_loops(s, sensors[run->sensor], IRQCOST_SENSOR_SIZE,
				     s->sensor_loops, IRQCOST_IF_00);

	/*
	 * A reschedule that is due changes the way through preempt_enable(): let it
	 * happen now. An interrupt that asks for one after this shows in the count.
	 */
	interrupts = irqcost_interrupts_of(run->cpu);
	if (s->context == IRQCOST_PROCESS)
		cond_resched();
	switch (run->mode) {
	case IRQCOST_THROUGHPUT:
		sample->base = timed_loops(s, row->windows, run->unroll, s->loops, row->irqs);
		sample->body = timed_loops(s, row->windows, 2 * run->unroll, s->loops, row->irqs);
		break;
	case IRQCOST_ISOLATED:
		timed_singles(s, sample);
		break;
	case IRQCOST_IN_SITU:
	case IRQCOST_IN_SITU_PERCPU:
		section = section_of(run);
		sample->base = timed_window(s, row->section[section], s->loops, row->irqs);
		sample->body = timed_window(s, row->in_situ[section], s->loops, row->irqs);
		break;
	}
	sample->interrupts = irqcost_interrupts_of(run->cpu) - interrupts;
	if (s->counts && !irqcost_read_cycles(&after)) {
		sample->span_ticks = after.ticks - before.ticks;
		sample->span_cycles = after.aperf - before.aperf;
		sample->span_mperf = after.mperf - before.mperf;
	}

	if (sample->interrupts)
		sample->flags |= IRQCOST_SAMPLE_INTERRUPTED;
	if (current->nvcsw + current->nivcsw != switches)
		sample->flags |= IRQCOST_SAMPLE_PREEMPTED;
	if (!there || raw_smp_processor_id() != run->cpu)
		sample->flags |= IRQCOST_SAMPLE_MIGRATED;
}

/* A sample to be taken elsewhere, for irqcost_call_in(). */
struct sample_call {
	struct sampler *sampler;
	struct irqcost_sample *sample;
};

static void run_sample_call(void *argument)
{
	const struct sample_call *call = argument;
	struct sampler *s = call->sampler;
	const u64 from = irqcost_now();

	take_sample(s, call->sample);
	if (irqcost_context_masks(s->context))
		s->longest = max_t(u64, s->longest, irqcost_now() - from);
}

static void take_sample_in_context(struct sampler *s, struct irqcost_sample *sample)
{
	struct sample_call call = { .sampler = s, .sample = sample };

	if (s->context == IRQCOST_PROCESS)
		take_sample(s, sample);
	else
		irqcost_call_in(s->context, run_sample_call, &call);
}

/* Ticks for which windows that share the limit may keep interrupts off. */
static u64 limit_of(u32 windows)
{
	return div_u64((u64)irqcost_clock_khz() * IRQCOST_MAX_IRQS_OFF_NS, USEC_PER_SEC * windows);
}

/*
 * How many of the @loops asked for fit into half of the limit, at @ticks each;
 * the other half is for what the trial could not foresee. At least one, but 0
 * where one alone masks longer than the limit. @windows share the limit.
 */
static u32 fitting_loops(u32 loops, u64 ticks, bool masked, u32 windows)
{
	const u64 limit = limit_of(windows);

	if (masked && ticks > limit)
		return 0;
	return clamp_t(u64, div64_u64(limit / 2, max_t(u64, ticks, 1)), 1, loops);
}

/*
 * Whether the greater window of throughput is short enough to be tried: found by
 * the next smaller one, and so on down to a single operation, so that none masks
 * for much longer than those before it have shown.
 */
static bool may_try(struct sampler *s, u32 windows)
{
	const bool masked = s->row->irqs != IRQCOST_IF_11;
	u32 size, next, i;
	u64 least;

	for (size = 1; size < 2 * s->run->unroll && !s->error; size = next) {
		least = U64_MAX;
		for (i = 0; i < TRIALS; i++) {
			least = min(least, timed_loops(s, s->row->windows, size, 1, s->row->irqs));
			cond_resched();
		}
		next = size == 1 ? IRQCOST_MIN_UNROLL : 2 * size;
		if (masked && least * (next / size) > limit_of(windows))
			return false;
	}
	return true;
}

/*
 * Fix the loops by trial. The limit is one on the time with interrupts off, and
 * serves windows that leave them on as well: the longer one is, the likelier it
 * is interrupted. The trial is in process context, where a window masks for
 * itself alone: what would be too long for another context is never run there.
 */
static int fit_loops(struct sampler *s)
{
	u64 chain = U64_MAX, sensor = U64_MAX, body = U64_MAX;
	const struct irqcost_run *run = s->run;
	const bool off = irqcost_context_masks(run->context);
	const u32 windows = off ? SAMPLE_WINDOWS : 1;
	struct irqcost_sample trial;
	int i;

	s->context = IRQCOST_PROCESS;
	s->loops = 1;
	s->chain_loops = 1;
	s->sensor_loops = 1;
	irqcost_objects_serve(s->context, run->cpu);
	if (run->mode == IRQCOST_THROUGHPUT && !may_try(s, windows))
		return -EDOM;
	for (i = 0; i < TRIALS && !s->error; i++) {
		take_sample(s, &trial);
		chain = min(chain, trial.chain_body);
		sensor = min(sensor, trial.sensor);
		body = min(body, max(trial.base, trial.body));
		cond_resched();
	}
	if (s->error)
		return s->error;

	s->loops = fitting_loops(run->loops, body, off || s->row->irqs != IRQCOST_IF_11, windows);
	s->chain_loops = fitting_loops(run->chain_loops, chain, true, windows);
	s->sensor_loops = fitting_loops(run->sensor_loops, sensor, true, windows);
	s->context = run->context;
	irqcost_objects_serve(s->context, run->cpu);
	return s->loops && s->chain_loops && s->sensor_loops ? 0 : -EDOM;
}

/* Take the samples, and write what came of it into @run. */
static int measure(struct irqcost_sample *samples, const struct irqcost_row *row,
		   struct irqcost_run *run)
{
	const struct irqcost_run asked = *run;
	struct sampler s = { .row = row, .run = &asked, .counts = true };
	u32 n;
	int ret;

	ret = fit_loops(&s);
	if (ret)
		return ret;

	run->interrupted = 0;
	run->preempted = 0;
	run->migrated = 0;
	for (n = 0; n < asked.samples && !signal_pending(current); n++) {
		struct irqcost_sample *sample = &samples[n];

		take_sample_in_context(&s, sample);
		if (s.error)
			return s.error;
		run->interrupted += !!(sample->flags & IRQCOST_SAMPLE_INTERRUPTED);
		run->preempted += !!(sample->flags & IRQCOST_SAMPLE_PREEMPTED);
		run->migrated += !!(sample->flags & IRQCOST_SAMPLE_MIGRATED);
		cond_resched();
	}
	if (!n)
		return -EINTR;

	run->loops = s.loops;
	run->chain_loops = s.chain_loops;
	run->sensor_loops = s.sensor_loops;
	run->samples = n;
	run->ops = asked.mode == IRQCOST_THROUGHPUT ? (u64)s.loops * asked.unroll : s.loops;
	run->longest_irqs_off = s.longest;
	return 0;
}

static bool unroll_fits(const struct irqcost_row *row, const struct irqcost_run *run)
{
	if (run->mode != IRQCOST_THROUGHPUT)
		return !run->unroll;
	return is_power_of_2(run->unroll) && run->unroll >= IRQCOST_MIN_UNROLL &&
	       run->unroll <= row->max_unroll;
}

static bool section_fits(const struct irqcost_run *run)
{
	return run->mode != IRQCOST_IN_SITU || irqcost_section_index(run->section) >= 0;
}

static bool loops_fit(u32 loops)
{
	return loops && loops <= IRQCOST_MAX_LOOPS;
}

static int check(struct irqcost_run *run, const struct irqcost_row *row)
{
	if (run->flags || run->sensor >= IRQCOST_NR_SENSORS || run->mode > IRQCOST_IN_SITU_PERCPU ||
	    run->context >= IRQCOST_NR_CONTEXTS)
		return -EINVAL;
	run->context = array_index_nospec(run->context, IRQCOST_NR_CONTEXTS);
	run->sensor = array_index_nospec(run->sensor, IRQCOST_NR_SENSORS);
	if (run->section && run->mode != IRQCOST_IN_SITU)
		return -EINVAL;
	if (!row)
		return -ENOENT;
	if (irqcost_row_unusable(row, run->context) ||
	    !(irqcost_row_modes(row, run->context) & 1 << run->mode))
		return -EOPNOTSUPP;
	if (!unroll_fits(row, run) || !section_fits(run) || !loops_fit(run->loops) ||
	    !loops_fit(run->chain_loops) || !loops_fit(run->sensor_loops))
		return -EDOM;
	if (!run->samples || run->samples > IRQCOST_MAX_SAMPLES)
		return -ERANGE;
	if (run->buffer_bytes < run->samples * sizeof(struct irqcost_sample))
		return -ENOSPC;
	return irqcost_bound_to(&run->cpu);
}

/**
 * irqcost_ioc_run() - IRQCOST_IOC_RUN
 * @arg: the caller's struct irqcost_run
 *
 * Return: 0 or a negative errno as abi.h has it.
 */
int irqcost_ioc_run(void __user *arg)
{
	struct irqcost_sample *samples;
	const struct irqcost_row *row;
	struct irqcost_run run;
	int ret;

	ret = irqcost_copy_in(&run, arg, sizeof(run));
	if (ret)
		return ret;
	row = irqcost_row_by_id(run.probe);
	ret = check(&run, row);
	if (ret)
		return ret;

	if (!mutex_trylock(&irqcost_run_lock))
		return -EBUSY;
	/* For this run alone, and the caller's control group pays for it. */
	samples = kvmalloc_array(run.samples, sizeof(*samples), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (samples) {
		ret = measure(samples, row, &run);
		irqcost_objects_serve(IRQCOST_PROCESS, run.cpu);
	}
	mutex_unlock(&irqcost_run_lock);
	if (!ret && (copy_to_user(u64_to_user_ptr(run.buffer), samples,
				  run.samples * sizeof(*samples)) ||
		     copy_to_user(arg, &run, sizeof(run))))
		ret = -EFAULT;
	kvfree(samples);
	return ret;
}
