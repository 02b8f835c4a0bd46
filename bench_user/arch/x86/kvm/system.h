/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_SYSTEM_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_SYSTEM_H

#include <sys/types.h>

#include <cstddef>

namespace irqcost {

/** The system calls that KVM needs. Tests let single ones fail. All fail as the calls do. */
class KvmSystem {
 public:
  KvmSystem() = default;
  KvmSystem(const KvmSystem&) = delete;
  KvmSystem& operator=(const KvmSystem&) = delete;
  virtual ~KvmSystem() = default;

  /** open(), for reading and writing. */
  virtual int Open(const char* path);
  /** ioctl() with a pointer. */
  virtual int Ioctl(int fd, unsigned long request, void* argument);
  /** ioctl() with a number. */
  virtual int Ioctl(int fd, unsigned long request, unsigned long argument);
  /** mmap() of what the descriptor shares. */
  virtual void* Map(int fd, std::size_t bytes);
  /** pread(). */
  virtual ssize_t ReadAt(int fd, void* to, std::size_t bytes, off_t offset);
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_SYSTEM_H
