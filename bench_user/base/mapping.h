/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_MAPPING_H
#define IRQCOST_BENCH_USER_BASE_MAPPING_H

#include <sys/mman.h>

#include <cstddef>
#include <utility>

namespace irqcost {

/** Memory that is unmapped with its owner; nullptr: none. */
class Mapping {
 public:
  Mapping() = default;
  /** Takes over what mmap() returned, MAP_FAILED included: then there is none. */
  Mapping(void* address, std::size_t bytes)
      : address_(address == MAP_FAILED ? nullptr : address), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept
      : address_(std::exchange(other.address_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(address_, other.address_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (address_) munmap(address_, bytes_);
  }

  [[nodiscard]] unsigned char* Get() const { return static_cast<unsigned char*>(address_); }
  [[nodiscard]] std::size_t Bytes() const { return bytes_; }

 private:
  void* address_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_MAPPING_H
