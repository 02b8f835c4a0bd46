/* SPDX-License-Identifier: GPL-2.0-only */
// Backend `kmod`: ring 0 through the kernel module's device. irqcost/abi.h is the contract.
#ifndef IRQCOST_BENCH_USER_BACKENDS_KMOD_H
#define IRQCOST_BENCH_USER_BACKENDS_KMOD_H

#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/unique_fd.h"
#include "backends/waits.h"

namespace irqcost {

class Kmod final : public Backend, public Waits {
 public:
  /**
   * Opens the device and checks that module and harness understand each other.
   * @contexts: those from which it is to measure
   */
  explicit Kmod(const std::string& device,
                std::vector<irqcost_context> contexts = {IRQCOST_PROCESS});

  [[nodiscard]] std::string_view Name() const override { return "kmod"; }
  [[nodiscard]] std::optional<Obstacle> GetObstacle() const override { return obstacle_; }
  [[nodiscard]] std::vector<Offer> Offers() const override;
  [[nodiscard]] unsigned MaxLoops() const override { return info_.max_loops; }
  [[nodiscard]] CounterOfCycles GetCounter() const override;
  Run Measure(const Request& request) override;
  Waits* GetWaits() override { return this; }

  [[nodiscard]] bool LocksSleep() const override;
  ContentionRun Contend(const ContentionRequest& request) override;
  PendingRun Raise(const PendingRequest& request) override;

  /** What the module says of itself and its kernel; nothing where there is an obstacle. */
  [[nodiscard]] std::optional<irqcost_info> Info() const;

 private:
  [[nodiscard]] Offer OfferOf(std::uint32_t index, irqcost_context context) const;

  UniqueFd fd_;
  std::vector<irqcost_context> contexts_;
  irqcost_info info_{};
  std::optional<Obstacle> obstacle_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_KMOD_H
