/* SPDX-License-Identifier: GPL-2.0-only */
// Records samples of ring 3, for rule.py.
//
// irqcost-record CPU ROUNDS: on this CPU, at least so many samples of each row in each mode, in
// turn. Prints their names with a number, and a line a sample: that number; ticks of the windows
// chain_base, chain_body, base and body; ticks for each operation of the sensor; the flags of the
// sample; operations and chain cycles that body has more than base.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/ring3/ring3.h"
#include "base/catalogue.h"
#include "machine/tsc.h"
#include "measure/calibration.h"
#include "measure/estimate.h"
#include "measure/sampler.h"
#include "measure/round_robin.h"

namespace irqcost {
namespace {

void Record(int cpu, unsigned rounds) {
  Ring3 ring3;
  const std::vector<SupportedProbe> probes = ring3.SupportedProbes();
  SamplerOptions options;
  options.cpu = cpu;
  const Tsc tsc = FindTsc({});
  options.ticks_per_us = tsc.khz / 1e3;
  options.tsc_step = tsc.step;
  const auto now_us = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::micro>(now).count();
  };
  const Calibration calibration = Calibrate(MeasureControls(ring3, options, now_us));
  if (!calibration.imul_latency) throw std::runtime_error(calibration.reason);
  options.imul_latency = *calibration.imul_latency;
  std::vector<Request> requests;
  for (const SupportedProbe& supported : probes) {
    // Faults are the kernel's; the rows of known slowdowns are not primitives.
    if (!supported.unusable.empty() || supported.probe->kind == Kind::kFault || supported.probe->key.starts_with("slow_"))
      continue;
    for (const Mode& mode : supported.modes) {
      std::printf("# %zu %s/%s\n", requests.size(), std::string(supported.probe->key).c_str(),
                  ModeName(mode).c_str());
      requests.push_back(FindLoops(ring3, supported, mode, options).request);
      requests.back().samples = kSlice;
    }
  }
  // In slices, as the harness takes them.
  for (unsigned round = 0; round < rounds; round += kSlice)
    for (std::size_t i = 0; i < requests.size(); ++i)
      for (const Point& point : PointsOf(ring3, ring3.Measure(requests[i]), options))
        std::printf("%zu %.0f %.0f %.0f %.0f %.5f %u %.0f %.0f\n", i, point.chain_base,
                    point.chain_body, point.base, point.body, point.sensor, point.flags, point.ops,
                    point.chain_cycles);
}

}  // namespace
}  // namespace irqcost

int main(int count, char** arguments) {
  if (count != 3) {
    std::fprintf(stderr, "usage: irqcost-record CPU ROUNDS\n");
    return 2;
  }
  try {
    irqcost::Record(std::atoi(arguments[1]), static_cast<unsigned>(std::atoi(arguments[2])));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "irqcost-record: %s\n", error.what());
    return 2;
  }
}
