/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/bpf/called.h"

#include <iterator>
#include <regex>

namespace irqcost {

std::vector<std::string> CalledFunctions(std::string_view code) {
  static const std::regex call(R"(\b(bpf_\w+)\s*\()");
  const std::string text(code);
  std::vector<std::string> names;
  for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at)
    names.push_back((*at)[1]);
  return names;
}

}  // namespace irqcost
