/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_UNIQUE_FD_H
#define IRQCOST_BENCH_USER_BASE_UNIQUE_FD_H

#include <unistd.h>

#include <utility>

namespace irqcost {

/** A file descriptor that is closed with its owner; negative: none. */
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  [[nodiscard]] int Get() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_UNIQUE_FD_H
