/* SPDX-License-Identifier: GPL-2.0-only */
// What a result file says about the run: context.irqcost of docs/RESULTS.md.
#ifndef IRQCOST_BENCH_USER_REPORT_CONTEXT_H
#define IRQCOST_BENCH_USER_REPORT_CONTEXT_H

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "machine/activity.h"
#include "machine/build.h"
#include "machine/cpu.h"
#include "machine/hypervisor.h"
#include "machine/kernel.h"
#include "machine/settings.h"
#include "machine/tsc.h"
#include "measure/calibration.h"
#include "measure/execution.h"
#include "measure/sensor.h"
#include "report/results.h"

namespace irqcost {

/** All that was found out about the machine and the run. */
struct RunContext {
  std::vector<std::string> command;
  int measured_cpu = 0;
  Cpu cpu;
  Kernel kernel;
  Hypervisor hypervisor;
  std::optional<KernelHypervisor> kernel_hypervisor;
  Settings settings;
  Tsc tsc;
  Controls controls;
  Calibration calibration;
  SensorChoice sensor;
  Execution execution;
  Build build;
  Activity activity;  ///< of the measuring CPU during the run
  std::vector<double> load_at_start, load_at_end;
};

/**
 * Object of context.irqcost.
 * @probes: that were measured.
 */
nlohmann::ordered_json ContextJson(const RunContext& run,
                                   const std::vector<std::unique_ptr<Backend>>& backends,
                                   const std::vector<const Probe*>& probes, const Results& results);

/** Object: backend to {"usable": true}, or to false with reason and remedy. */
nlohmann::ordered_json BackendsJson(const std::vector<std::unique_ptr<Backend>>& backends);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_REPORT_CONTEXT_H
