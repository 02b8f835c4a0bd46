/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/unavailable.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/capability.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/text_file.h"
#include "base/unique_fd.h"

namespace irqcost {
namespace {

constexpr const char* kBtf = "/sys/kernel/btf/vmlinux";

std::uint64_t EffectiveCapabilities() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;)
    if (word == "CapEff:") {
      std::uint64_t bits = 0;
      status >> std::hex >> bits;
      return bits;
    }
  return 0;
}

std::string OwnPath() {
  std::array<char, 4096> path{};
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "irqcost-bench";
}

// Loads the smallest program: "return 0". Returns 0 or an errno.
int TryToLoad() {
  std::array<bpf_insn, 2> program{};
  program[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
  program[1].code = BPF_JMP | BPF_EXIT;
  LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_SLEEPABLE);
  const int fd = bpf_prog_load(BPF_PROG_TYPE_SYSCALL, "irqcost_try", "GPL", program.data(),
                               program.size(), &options);
  if (fd < 0) return -fd;
  UniqueFd close_it(fd);
  return 0;
}

}  // namespace

std::string MissingCapabilities(std::uint64_t effective) {
  const auto has = [effective](int capability) { return (effective >> capability & 1) != 0; };
  if (has(CAP_SYS_ADMIN)) return {};
  std::string missing = has(CAP_BPF) ? "" : "CAP_BPF";
  // Without it the verifier adds speculation barriers, and they would be measured, too.
  if (!has(CAP_PERFMON)) missing += missing.empty() ? "CAP_PERFMON" : " and CAP_PERFMON";
  return missing;
}

std::optional<Unavailable> WhyNotLoadable() {
  const std::string missing = MissingCapabilities(EffectiveCapabilities());
  // Root of a container may lack them, too, and only whoever starts it can give them.
  if (!missing.empty())
    return Unavailable{
        "this process lacks " + missing,
        geteuid() != 0 ? "run as root, or: sudo setcap cap_bpf,cap_perfmon+ep " + OwnPath()
                       : "give them to the container (docker run --cap-add BPF --cap-add PERFMON)"};
  switch (const int error = TryToLoad()) {
    case 0:
      return std::nullopt;
    case ENOSYS:
      return Unavailable{"the kernel has no bpf system call", "a kernel with CONFIG_BPF_SYSCALL=y"};
    case EINVAL:
      return Unavailable{"the kernel has no BPF programs of type syscall", "Linux 5.14 or later"};
    case EPERM:
      return Unavailable{"the kernel refuses BPF programs in spite of the capabilities",
                         "leave the container or sandbox that blocks the bpf system call, or a "
                         "lockdown mode below confidentiality"};
    default:
      return Unavailable{"bpf: " + std::generic_category().message(error),
                         "check that the kernel allows BPF programs of type syscall"};
  }
}

std::optional<Unavailable> WhyNotMeasurable() {
  // Readable to root alone; where it is not, a program that loads tells enough.
  if (ReadLine("/proc/sys/net/core/bpf_jit_enable") == "0")
    return Unavailable{"the BPF JIT is off: an interpreted program would measure the interpreter",
                       "sudo sysctl net.core.bpf_jit_enable=1"};
  if (access(kBtf, R_OK) != 0)
    return Unavailable{std::string(kBtf) + ": " + std::generic_category().message(errno) +
                           ": without BTF the kernel's functions cannot be called",
                       "a kernel with CONFIG_DEBUG_INFO_BTF=y"};
  return std::nullopt;
}

std::optional<Unavailable> WhyNoLoops() {
  btf* kernel = btf__load_vmlinux_btf();
  const bool has_iterators =
      kernel != nullptr && btf__find_by_name_kind(kernel, "bpf_iter_num_new", BTF_KIND_FUNC) > 0;
  btf__free(kernel);
  if (!has_iterators)
    return Unavailable{"BPF programs cannot loop on this kernel: it has no bpf_iter_num_new",
                       "Linux 6.4 or later"};
  return std::nullopt;
}

}  // namespace irqcost
