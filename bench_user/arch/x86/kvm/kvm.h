/* SPDX-License-Identifier: GPL-2.0-only */
// Backend `kvm`: the assembler rows in ring 0 of a guest of this process. Neither module nor root.
#ifndef IRQCOST_BENCH_USER_ARCH_X86_KVM_KVM_H
#define IRQCOST_BENCH_USER_ARCH_X86_KVM_KVM_H

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arch/x86/kvm/vm.h"
#include "backends/backend.h"

namespace irqcost {

class Kvm final : public Backend {
 public:
  /**
   * Makes the guest and finds out how the host executes it.
   * @device: KVM's.
   * @asked_for: whether it is to run, too, where the host emulates the guest.
   * @system: for tests; it must outlive the backend. Nothing: the real one.
   */
  explicit Kvm(const std::string& device, bool asked_for = true, KvmSystem* system = nullptr);

  [[nodiscard]] std::string_view Name() const override { return "kvm"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override { return unavailable_; }
  [[nodiscard]] std::optional<BackendExecution> GetExecution() const override { return execution_; }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override;
  [[nodiscard]] unsigned MaxLoops() const override { return IRQCOST_MAX_LOOPS; }
  Run Measure(const Request& request) override;
  void Supplement(nlohmann::ordered_json& context, const Costs& costs) override;

 private:
  // Bounds of the guest's TSC ticks for one of the host's.
  struct TscRatio {
    double low, high;
  };

  void TryOut(bool asked_for);
  [[nodiscard]] std::string TryRow(const Probe& probe, int cpu);
  [[nodiscard]] TscRatio WatchTsc();

  KvmSystem own_system_;
  std::unique_ptr<KvmVm> vm_;
  std::optional<Unavailable> unavailable_;
  std::optional<BackendExecution> execution_;
  TscRatio tsc_ratio_{1, 1};
  std::map<const Probe*, std::string> unusable_;  // rows that cannot be measured here, and why
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_ARCH_X86_KVM_KVM_H
