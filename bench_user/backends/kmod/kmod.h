/* SPDX-License-Identifier: GPL-2.0-only */
// Backend `kmod`: ring 0 through the kernel module's device. irqcost/abi.h is the contract.
#ifndef IRQCOST_BENCH_USER_BACKENDS_KMOD_KMOD_H
#define IRQCOST_BENCH_USER_BACKENDS_KMOD_KMOD_H

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "backends/contention.h"
#include "base/unique_fd.h"

namespace irqcost {

/** What a row's window is, or a function that it calls, as the CPU executes it. */
struct ModuleCode {
  std::string symbol;                          ///< "window" for the row's single window (body.h)
  std::vector<std::uint8_t> bytes;             ///< without the padding (int3) after it
  std::map<std::size_t, std::string> targets;  ///< functions called or jumped to, by offset
};

/** Why the module's device could not be opened, given errno, and what to do about it. */
Unavailable CannotOpen(const std::string& device, int error, bool loads_modules);

class Kmod final : public Backend, public ContentionBackend {
 public:
  /**
   * Opens the device and checks that module and harness understand each other.
   * @contexts: those from which it is to measure
   */
  explicit Kmod(const std::string& device,
                std::vector<irqcost_context> contexts = {IRQCOST_PROCESS});

  [[nodiscard]] std::string_view Name() const override { return "kmod"; }
  [[nodiscard]] std::optional<Unavailable> WhyUnavailable() const override { return unavailable_; }
  [[nodiscard]] std::vector<SupportedProbe> SupportedProbes() const override;
  [[nodiscard]] unsigned MaxLoops() const override { return info_.max_loops; }
  [[nodiscard]] CounterOfCycles GetCounter() const override;
  [[nodiscard]] std::optional<KernelFacts> GetKernelFacts() const override;
  Run Measure(const Request& request) override;
  ContentionBackend* GetContention() override { return this; }
  /**
   * Adds `machine_code`: of each row that was measured the window and what it calls; to
   * `build.module` the module's compiler and the ring in which its kernel runs.
   */
  void Supplement(nlohmann::ordered_json& context, const Costs& costs) override;

  [[nodiscard]] bool LocksSleep() const override;
  LockRun Contend(const LockRequest& request) override;
  DeferredRun Raise(const DeferredRequest& request) override;

  /** A row's window, and the functions that it calls. Throws CodeError where it cannot be read. */
  [[nodiscard]] std::vector<ModuleCode> ReadCode(const Probe& probe) const;

 private:
  [[nodiscard]] SupportedProbe SupportedProbeOf(std::uint32_t index, irqcost_context context) const;

  UniqueFd fd_;
  std::vector<irqcost_context> contexts_;
  irqcost_info info_{};
  std::set<const Probe*> measured_;  // in the catalogue's order, which is that of the pointers
  std::optional<Unavailable> unavailable_;
};

/** Whether the name is that of a row of the module, such as kmod/cli_sti. */
bool NamesModuleCode(std::string_view name);

/**
 * The machine code of rows, named as above, each with that of the functions that it calls:
 * {"functions": [{"symbol", "code", "targets"}], "absent": [{"name", "reason"}]}. Throws
 * CodeError where the module cannot be asked.
 */
nlohmann::ordered_json ModuleCodeJson(const std::string& device,
                                      const std::vector<std::string>& names);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_KMOD_KMOD_H
