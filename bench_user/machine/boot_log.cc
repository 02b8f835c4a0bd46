/* SPDX-License-Identifier: GPL-2.0-only */
#include "machine/boot_log.h"

#include <sys/klog.h>

namespace irqcost {
namespace {

// Commands of syslog(2).
constexpr int kReadAll = 3;
constexpr int kSizeOfBuffer = 10;

}  // namespace

std::optional<std::string> ReadBootLog() {
  const int size = klogctl(kSizeOfBuffer, nullptr, 0);
  if (size <= 0) return std::nullopt;
  std::string log(static_cast<std::size_t>(size), '\0');
  const int length = klogctl(kReadAll, log.data(), size);
  if (length < 0) return std::nullopt;
  log.resize(static_cast<std::size_t>(length));
  return log;
}

std::optional<std::string> BehindIn(std::string_view log, std::string_view words) {
  const std::size_t at = log.find(words);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view behind = log.substr(at + words.size());
  std::string found(behind.substr(0, behind.find('\n')));
  while (!found.empty() && (found.back() == ' ' || found.back() == '\r')) found.pop_back();
  if (found.empty()) return std::nullopt;
  return found;
}

}  // namespace irqcost
