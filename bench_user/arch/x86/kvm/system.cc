/* SPDX-License-Identifier: GPL-2.0-only */
#include "arch/x86/kvm/system.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace irqcost {

int KvmSystem::Open(const char* path) { return open(path, O_RDWR | O_CLOEXEC); }

int KvmSystem::Ioctl(int fd, unsigned long request, void* argument) {
  return ioctl(fd, request, argument);
}

int KvmSystem::Ioctl(int fd, unsigned long request, unsigned long argument) {
  return ioctl(fd, request, argument);
}

void* KvmSystem::Map(int fd, std::size_t bytes) {
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

ssize_t KvmSystem::ReadAt(int fd, void* to, std::size_t bytes, off_t offset) {
  return pread(fd, to, bytes, offset);
}

}  // namespace irqcost
