/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/registry.h"

#include <stdexcept>

namespace irqcost {

#define IRQCOST_BACKEND(name, title, ring, clock, needs, factory) \
  std::unique_ptr<Backend> factory(const BackendOptions& options);
#include "backends/registry.def"
#undef IRQCOST_BACKEND

std::unique_ptr<Backend> OpenBackend(std::string_view name, const BackendOptions& options) {
#define IRQCOST_BACKEND(key, title, ring, clock, needs, factory) \
  if (name == #key) return factory(options);
#include "backends/registry.def"
#undef IRQCOST_BACKEND
  throw std::logic_error("no backend " + std::string(name));
}

}  // namespace irqcost
