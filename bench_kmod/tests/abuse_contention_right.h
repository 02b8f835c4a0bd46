/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of abuse_contention: whether an answer is right. It is included where what it needs is defined.
 */
#ifndef IRQCOST_TESTS_ABUSE_CONTENTION_RIGHT_H
#define IRQCOST_TESTS_ABUSE_CONTENTION_RIGHT_H

static __u64 waits_in_histogram(const struct irqcost_contender *c)
{
	__u64 sum = 0;
	int bin;

	for (bin = 0; bin < IRQCOST_WAIT_BINS; bin++)
		sum += c->histogram[bin];
	return sum;
}

/* Each CPU ran, on itself, at the same time as the others, and its numbers agree. */
static bool contended_right(const struct irqcost_contention *run)
{
	const bool masks = run->traits & IRQCOST_LOCK_MASKS;
	__u64 begun = 0, ended = ~0ULL;
	unsigned int i;

	for (i = 0; i < run->nr_cpus; i++) {
		const struct irqcost_contender *c = &contenders[i];

		if (c->rounds < run->rounds || !c->rounds || c->elsewhere ||
		    c->missed > c->rounds || c->operations < c->rounds || !c->ticks ||
		    c->waits < c->rounds || c->waits != waits_in_histogram(c) ||
		    !c->longest_wait || !c->longest_irqs_off == masks)
			return false;
		if (!c->histogram[irqcost_wait_bin(c->longest_wait)])
			return false;
		if (masks && c->longest_irqs_off < c->longest_wait)
			return false;
		begun = c->first > begun ? c->first : begun;
		ended = c->last < ended ? c->last : ended;
	}
	return run->rounds && run->alone && begun < ended;
}

/* For whoever reads a failure. */
static bool contended_told(const struct irqcost_contention *run)
{
	const bool right = contended_right(run);
	unsigned int i;

	for (i = 0; i < run->nr_cpus && !right; i++) {
		const struct irqcost_contender *c = &contenders[i];

		printf("# CPU %u: %u of %u rounds, %u missed, %u elsewhere\n", c->cpu, c->rounds,
		       run->rounds, c->missed, c->elsewhere);
		printf("# %llu operations in %llu ticks from %llu to %llu, chain %llu\n",
		       c->operations, c->ticks, c->first, c->last, c->chain);
		printf("# %llu waits, longest %llu, masked %llu\n", c->waits, c->longest_wait,
		       c->longest_irqs_off);
	}
	return right;
}

static bool pending_right(const struct irqcost_pending *run)
{
	const __u64 hold = (__u64)info.tsc_khz * run->hold_ns / 1000000;
	unsigned int i, clean = 0;

	for (i = 0; i < run->samples; i++) {
		const struct irqcost_pending_sample *s = &samples[i];
		const bool late = s->flags & IRQCOST_PENDING_LATE;
		const bool between = s->handler < s->back;

		if (s->masked < hold || !s->interrupts || !s->handler || late == between)
			return false;
		if (!run->loops != !s->quiet_add || !run->loops != !s->pending_nop)
			return false;
		if (s->flags)
			continue;
		clean++;
		if (exact && (s->quiet_add != s->pending_add || s->quiet_nop != s->pending_nop ||
			      s->chain != IRQCOST_CONTENTION_CHAIN))
			return false;
	}
	return run->samples && (!exact || clean);
}

#endif /* IRQCOST_TESTS_ABUSE_CONTENTION_RIGHT_H */
