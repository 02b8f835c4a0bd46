/* SPDX-License-Identifier: GPL-2.0-only */
// In place of bpf.cc where the BPF programs could not be built: IRQCOST_WHY_UNBUILT says why.
#include <stdexcept>

#include "backends/bpf/bpf.h"

namespace irqcost {
namespace {

constexpr const char* kReason = "this harness was built without BPF (" IRQCOST_WHY_UNBUILT ")";
constexpr const char* kRemedy =
    "see that clang, bpftool and libbpf-dev are installed and work, and build it again";

class Unbuilt final : public Backend {
 public:
  [[nodiscard]] std::string_view Name() const override { return "bpf"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override {
    return Unavailable{kReason, kRemedy};
  }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override { return {}; }
  [[nodiscard]] unsigned MaxLoops() const override { return 1; }
  Run Measure(const Request& /*request*/) override { throw std::logic_error(kReason); }
};

}  // namespace

std::unique_ptr<Backend> MakeBpf(const BackendOptions& /*options*/) {
  return std::make_unique<Unbuilt>();
}

nlohmann::ordered_json LiveCodeJson(const std::vector<std::string>& /*symbols*/) {
  throw std::runtime_error(std::string(kReason) + ": " + kRemedy);
}

}  // namespace irqcost
