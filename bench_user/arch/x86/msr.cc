/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/msr.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/unique_fd.h"

namespace irqcost {

std::optional<std::uint64_t> ReadMsr(int cpu, std::uint32_t number, const std::string& root) {
  const std::string path = root + "/dev/cpu/" + std::to_string(cpu) + "/msr";
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::uint64_t value = 0;
  if (fd.Get() < 0 || pread(fd.Get(), &value, sizeof(value), number) != sizeof(value))
    return std::nullopt;
  return value;
}

}  // namespace irqcost
