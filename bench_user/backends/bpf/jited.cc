/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/jited.h"

#include <bpf/bpf.h>

namespace irqcost {
namespace {

bool GetInfo(int program, bpf_prog_info& info) {
  __u32 length = sizeof(info);
  return bpf_obj_get_info_by_fd(program, &info, &length) == 0;
}

}  // namespace

std::optional<FunctionCode> ReadJited(int program, const std::string& name) {
  bpf_prog_info about{};
  if (!GetInfo(program, about) || about.jited_prog_len == 0 || about.nr_jited_ksyms != 1)
    return std::nullopt;
  FunctionCode code{name, 0, std::vector<std::uint8_t>(about.jited_prog_len)};
  bpf_prog_info wanted{};
  wanted.jited_prog_len = about.jited_prog_len;
  wanted.jited_prog_insns = reinterpret_cast<std::uintptr_t>(code.bytes.data());
  wanted.nr_jited_ksyms = 1;
  wanted.jited_ksyms = reinterpret_cast<std::uintptr_t>(&code.address);
  if (!GetInfo(program, wanted) || code.address == 0) return std::nullopt;
  return code;
}

}  // namespace irqcost
