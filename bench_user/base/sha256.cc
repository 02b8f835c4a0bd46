/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/sha256.h"

#include <nettle/sha2.h>

#include <array>

#include "base/hex.h"

namespace irqcost {

std::string Sha256(std::span<const std::uint8_t> bytes) {
  sha256_ctx context;
  sha256_init(&context);
  sha256_update(&context, bytes.size(), bytes.data());
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  sha256_digest(&context, digest.size(), digest.data());
  return Hexadecimal(digest);
}

}  // namespace irqcost
