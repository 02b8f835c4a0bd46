/* SPDX-License-Identifier: GPL-2.0-only */
// For an architecture without backend kvm.
#include <stdexcept>

#include "backends/backend.h"
#include "backends/registry.h"

namespace irqcost {
namespace {

constexpr const char* kReason = "this architecture has no backend kvm yet";

class Missing final : public Backend {
 public:
  [[nodiscard]] std::string_view Name() const override { return "kvm"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override {
    return Unavailable{kReason, "use the kernel module for ring 0"};
  }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override { return {}; }
  [[nodiscard]] unsigned MaxLoops() const override { return 1; }
  Run Measure(const Request& /*request*/) override { throw std::logic_error(kReason); }
};

}  // namespace

std::unique_ptr<Backend> MakeKvm(const BackendOptions& /*options*/) {
  return std::make_unique<Missing>();
}

}  // namespace irqcost
