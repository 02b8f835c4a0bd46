/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the kernel's memory: the bytes that the CPU executes, after all patching. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* In: from where. Out: what stood there, and 0 or a negative errno. */
__u64 address;
long result;
__u8 bytes[64];

SEC("syscall") int read_code(void *ctx)
{
	result = bpf_probe_read_kernel(bytes, sizeof(bytes), (void *)address);
	return 0;
}

char _license[] SEC("license") = "GPL";
