/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BASE_HEX_H
#define IRQCOST_BENCH_USER_BASE_HEX_H

#include <cstdint>
#include <span>
#include <string>

namespace irqcost {

/** Bytes as hexadecimal digits. */
std::string Hexadecimal(std::span<const std::uint8_t> bytes);

/** A number as 16 hexadecimal digits. */
std::string Hexadecimal(std::uint64_t value);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_HEX_H
