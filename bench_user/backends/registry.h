/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_REGISTRY_H
#define IRQCOST_BENCH_USER_BACKENDS_REGISTRY_H

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"

namespace irqcost {

/** A backend that this harness has. The members are columns of registry.def. */
struct BackendKind {
  std::string_view name;
  std::string_view title;
  int ring;
  std::string_view clock;
  std::string_view needs;
};

inline constexpr auto kBackendKinds = std::to_array<BackendKind>({
#define IRQCOST_BACKEND(name, title, ring, clock, needs, factory) \
  {#name, title, ring, #clock, needs},
#include "backends/registry.def"
#undef IRQCOST_BACKEND
});

/** What a user may say of backends. */
struct BackendOptions {
  std::string kmod_device = "/dev/irqcost";
  std::vector<irqcost_context> contexts = {IRQCOST_PROCESS};  ///< in which kmod measures
  std::string kvm_device = "/dev/kvm";
  bool asked_for = false;  ///< named by the user: an emulated one is to run, too
};

/** The backend of that name, of kBackendKinds. */
std::unique_ptr<Backend> OpenBackend(std::string_view name, const BackendOptions& options);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_REGISTRY_H
