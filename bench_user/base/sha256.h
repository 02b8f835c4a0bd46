/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_SHA256_H
#define IRQCOST_BENCH_USER_BASE_SHA256_H

#include <cstdint>
#include <span>
#include <string>

namespace irqcost {

/** SHA-256 (FIPS 180-4) of bytes, as 64 hexadecimal digits. */
std::string Sha256(std::span<const std::uint8_t> bytes);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_SHA256_H
