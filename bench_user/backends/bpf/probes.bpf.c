/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The probes of backend `bpf`: one program a row, one sample a run.
 *
 * A program of type syscall runs in the context of the process that asks for
 * it, with interrupts on. Each takes the windows of a struct irqcost_sample
 * but the sensor's, in nanoseconds instead of ticks: BPF has no finer clock.
 * A sensor made of BPF instructions would not do: its level belongs to the
 * place where the kernel put the program.
 * The verifier and the JIT leave the copies in a window as they are here;
 * `bpftool prog dump jited` shows them (docs/method/bpf.md).
 *
 * No vmlinux.h: what is needed of the kernel's types is declared here, so that
 * building needs no kernel. What the running kernel lacks is found at load.
 */
/* Newer headers define some of the types below, with names of members that differ. */
#define bpf_iter_num bpf_iter_num_of_header
#define bpf_res_spin_lock bpf_res_spin_lock_of_header
#include <linux/bpf.h>
#undef bpf_iter_num
#undef bpf_res_spin_lock
#include <bpf/bpf_helpers.h>
#include <irqcost/abi.h>

struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

struct bpf_res_spin_lock {
	__u32 val;
} __attribute__((aligned(4)));

extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;
extern _Bool bpf_dynptr_is_null(const struct bpf_dynptr *p) __weak __ksym;
extern void bpf_local_irq_save(unsigned long *flags) __weak __ksym;
extern void bpf_local_irq_restore(unsigned long *flags) __weak __ksym;
extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;
extern void bpf_rcu_read_lock(void) __weak __ksym;
extern void bpf_rcu_read_unlock(void) __weak __ksym;
extern int bpf_res_spin_lock(struct bpf_res_spin_lock *lock) __weak __ksym;
extern void bpf_res_spin_unlock(struct bpf_res_spin_lock *lock) __weak __ksym;
extern int bpf_res_spin_lock_irqsave(struct bpf_res_spin_lock *lock,
				     unsigned long *flags) __weak __ksym;
extern void bpf_res_spin_unlock_irqrestore(struct bpf_res_spin_lock *lock,
					   unsigned long *flags) __weak __ksym;

/* In: how often each window repeats its copies. */
__u32 loops = 1;
__u32 chain_loops = 1;

/* Out: @sensor, @flags and @interrupts are ring 3's to fill. */
struct irqcost_sample sample;

/* A lock must be part of a map's value, which may hold one kind of lock only. */
struct spin_value {
	struct bpf_spin_lock lock;
};

struct res_spin_value {
	struct bpf_res_spin_lock lock;
};

#define ONE_VALUE_MAP(name, kind)                                             \
	struct {                                                              \
		__uint(type, BPF_MAP_TYPE_ARRAY);                             \
		__uint(max_entries, 1);                                       \
		__type(key, __u32);                                           \
		__type(value, struct kind##_value);                           \
	} name SEC(".maps")
ONE_VALUE_MAP(spin_map, spin);
ONE_VALUE_MAP(res_spin_map, res_spin);

/* What a dynptr may point to. */
char dynptr_memory[8];

#define TIMES_2(code) code code
#define TIMES_4(code) TIMES_2(code) TIMES_2(code)
#define TIMES_8(code) TIMES_4(code) TIMES_4(code)
#define TIMES_16(code) TIMES_8(code) TIMES_8(code)
#define TIMES_32(code) TIMES_16(code) TIMES_16(code)
#define TIMES_64(code) TIMES_32(code) TIMES_32(code)

/* Nanoseconds of @n times @copies. The iterator is the only loop without a bound at build time. */
#define WINDOW(n, copies)                                                     \
	({                                                                    \
		struct bpf_iter_num it;                                       \
		__u64 began = bpf_ktime_get_ns();                             \
		bpf_iter_num_new(&it, 0, n);                                  \
		while (bpf_iter_num_next(&it)) {                              \
			copies                                                \
		}                                                             \
		bpf_iter_num_destroy(&it);                                    \
		bpf_ktime_get_ns() - began;                                   \
	})

/* Register operands: immediates would be folded at rename, or blinded by bpf_jit_harden. */
#define DEP_ADD "%[a] += %[b]\n\t"
#define DEP_IMUL "%[a] *= %[b]\n\t"

#define CHAIN(copies) asm volatile(copies : [a] "+r"(a) : [b] "r"(b));

_Static_assert(IRQCOST_CHAIN_UNROLL == 32,
	       "the windows below have the sizes that irqcost/abi.h names");

#define PROGRAM(name, base_copies, body_copies)                               \
	SEC("syscall") int name(void *ctx)                                    \
	{                                                                     \
		__attribute__((unused)) unsigned long flags, inner;           \
		struct bpf_dynptr dynptr;                                     \
		__u64 a = 3, b = 5;                                           \
		__u32 first = 0;                                              \
		struct spin_value *spin = bpf_map_lookup_elem(&spin_map, &first); \
		struct res_spin_value *res_spin =                             \
			bpf_map_lookup_elem(&res_spin_map, &first);           \
									      \
		if (!spin || !res_spin)                                       \
			return 1;                                             \
									      \
		bpf_dynptr_from_mem(dynptr_memory, sizeof(dynptr_memory), 0,  \
				    &dynptr);                                 \
		sample.start = bpf_ktime_get_ns();                            \
		sample.chain_base = WINDOW(chain_loops, CHAIN(TIMES_32(DEP_IMUL))); \
		sample.chain_body = WINDOW(chain_loops, CHAIN(TIMES_64(DEP_IMUL))); \
		sample.base = WINDOW(loops, base_copies);                     \
		sample.body = WINDOW(loops, body_copies);                     \
		return 0;                                                     \
	}

/* A BPF row is a statement list without the last semicolon, as in probes.def. */
#define IRQCOST_BPF(id, key, group, where, irqs, needs, code, ...)            \
	PROGRAM(key, TIMES_16(code;), TIMES_32(code;))
#define IRQCOST_INSN(...)
#define IRQCOST_CALL(...)
#include <irqcost/probes.def>

PROGRAM(empty, , )
PROGRAM(dep_add, CHAIN(TIMES_16(DEP_ADD)), CHAIN(TIMES_32(DEP_ADD)))
PROGRAM(dep_imul, CHAIN(TIMES_16(DEP_IMUL)), CHAIN(TIMES_32(DEP_IMUL)))

char _license[] SEC("license") = "GPL";
