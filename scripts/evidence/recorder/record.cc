/* SPDX-License-Identifier: GPL-2.0-only */
// Records samples of ring 3 with four interference sensors, for rule.py.
//
// irqcost-record CPU ROUNDS: on this CPU, at least so many samples of each row in each mode, in
// turn. Prints their names with a number, and a line a sample: that number; ticks of the windows
// chain_base, chain_body, base and body; ticks for each operation of the sensors nop (beside the
// sample), add, load and microcode (the greater one of before and behind the slice); the flags of
// the sample; operations and chain cycles by which the pairs differ.
#include <irqcost/body.h>

#include <algorithm>
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
#include "measure/turns.h"

extern "C" {
// Four adds without a dependence between them, loads of one word, and two instructions that come
// out of microcode: each window is bound by one thing that threads of a core share.
IRQCOST_LOOP_WINDOW(irqcost_sensor_add, 32, 0,
                    "add %rbx, %r8\n\tadd %rbx, %r9\n\tadd %rbx, %r10\n\tadd %rbx, %r11");
IRQCOST_LOOP_WINDOW(irqcost_sensor_load, 32, 0,
                    "mov (%r15), %rax\n\tmov (%r15), %rcx\n\tmov (%r15), %r8\n\tmov (%r15), %r9");
IRQCOST_LOOP_WINDOW(irqcost_sensor_microcode, 32, 0, "std\n\tcld");
}

namespace irqcost {
namespace {

struct Sensor {
  irqcost_window_fn window;
  unsigned ops;        // of one loop
  unsigned loops = 1;  // for kSensorUs
};

void Record(int cpu, unsigned rounds) {
  Ring3 ring3;
  const std::vector<Offer> offers = ring3.Offers();
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
  for (const Offer& offer : offers) {
    // Faults are the kernel's; the rows of known slow-downs are no primitives.
    if (!offer.unusable.empty() || offer.probe->kind == Kind::kFault || offer.probe->key.starts_with("slow_"))
      continue;
    for (const Mode& mode : offer.modes) {
      std::printf("# %zu %s/%s\n", requests.size(), std::string(offer.probe->key).c_str(),
                  ModeName(mode).c_str());
      requests.push_back(FindLoops(ring3, offer, mode, options).request);
      requests.back().samples = kSlice;
    }
  }
  alignas(IRQCOST_SCRATCH_BYTES) unsigned char scratch[IRQCOST_SCRATCH_BYTES] = {};
  Sensor sensors[] = {{irqcost_sensor_add, 4 * 32},
                      {irqcost_sensor_load, 4 * 32},
                      {irqcost_sensor_microcode, 2 * 32}};
  for (Sensor& sensor : sensors)
    for (int trial = 0; trial < 5; ++trial) {
      const auto ticks = static_cast<double>(sensor.window(sensor.loops, scratch));
      const double factor = std::min(kSensorUs * options.ticks_per_us / ticks, 8.0);
      sensor.loops = std::max(1U, static_cast<unsigned>(sensor.loops * factor));
    }
  const auto look = [&](double* seen) {
    for (int s = 0; s < 3; ++s) {
      const auto ticks = static_cast<double>(sensors[s].window(sensors[s].loops, scratch));
      seen[s] = std::max(seen[s], ticks / (sensors[s].ops * sensors[s].loops));
    }
  };
  // In slices, as the harness takes them. Other sensors than its own stand before and behind a
  // slice: between its samples they would change what they watch (a latency by up to a cycle).
  for (unsigned round = 0; round < rounds; round += kSlice)
    for (std::size_t i = 0; i < requests.size(); ++i) {
      double seen[3] = {};
      look(seen);
      const Run run = ring3.Measure(requests[i]);
      look(seen);
      for (const Point& point : PointsOf(ring3, run, options))
        std::printf("%zu %.0f %.0f %.0f %.0f %.5f %.5f %.5f %.5f %u %.0f %.0f\n", i,
                    point.chain_base, point.chain_body, point.base, point.body, point.sensor,
                    seen[0], seen[1], seen[2], point.flags, point.ops, point.chain_cycles);
    }
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
