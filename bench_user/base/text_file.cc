/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/text_file.h"

#include <fstream>

namespace irqcost {

std::optional<std::string> ReadLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  line.erase(line.find_last_not_of(" \t\r") + 1);
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace irqcost
