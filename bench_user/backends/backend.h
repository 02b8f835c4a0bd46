/* SPDX-License-Identifier: GPL-2.0-only */
// What every backend is: it runs a probe and returns raw ticks with the
// conditions under which they were taken. It does no statistics.
#ifndef IRQCOST_BENCH_USER_BACKENDS_BACKEND_H
#define IRQCOST_BENCH_USER_BACKENDS_BACKEND_H

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/catalogue.h"

namespace irqcost {

/** Why a backend cannot be used on this machine. */
struct Unavailable {
  std::string reason;
  std::string remedy;  ///< what would make it usable
};

/** How the CPU executes a backend's code, where that is not as it executes this process. */
struct BackendExecution {
  std::string kind;    ///< bare-metal, virtualised or emulated
  std::string reason;  ///< a sentence: how that was found
};

/** A row as a backend has it. */
struct SupportedProbe {
  const Probe* probe = nullptr;
  std::vector<Mode> modes;  ///< those that a row of its kind has
  unsigned min_unroll = 0;  ///< throughput mode: a power of two between these
  unsigned max_unroll = 0;
  std::string unusable;  ///< why it cannot run here; empty where it can
};

/** How often each window repeats its copies. */
struct Loops {
  unsigned body = 1;
  unsigned chain = 1;
  unsigned sensor = 1;
};

/** One measurement as it is asked for. The meaning is that of struct irqcost_run. */
struct Request {
  const Probe* probe = nullptr;
  Mode mode = IRQCOST_THROUGHPUT;
  int cpu = 0;
  unsigned unroll = 0;  ///< throughput mode; 0 in every other
  Loops loops;
  std::size_t samples = 0;
  /** The row whose window of IRQCOST_SENSOR_SIZE copies is the interference sensor. */
  const Probe* sensor = FindProbe("nop");
};

/** One measurement as it was done. */
struct Run {
  std::vector<irqcost_sample> samples;
  Loops loops;            ///< what was used: a backend may use fewer than asked
  std::uint64_t ops = 0;  ///< operations that body has more than base in a sample
  std::optional<std::uint64_t> longest_irqs_off;  ///< ticks; only where interrupts were masked
  /** Exits to the host in all samples; only where a guest ran and they were counted. */
  std::optional<std::uint64_t> exits;
};

/** What the time stamps of a backend's samples count. */
enum class Clock { kTscTicks, kNanoseconds };

/** A backend's hardware counter of core cycles, which is compared with the chain. */
struct CounterOfCycles {
  std::string name;    ///< aperf or perf; empty where there is none
  std::string reason;  ///< why there is none
};

/** What a backend that is part of the kernel knows of it. */
struct KernelFacts {
  std::uint64_t config = 0;       ///< irqcost_config bits
  std::optional<double> tsc_khz;  ///< frequency of the TSC as the kernel has it
};

/** What one operation was found to cost, in core cycles. */
struct Cost {
  double core_cycles = 0;
  double spread = 0;  ///< p75 - p25 of the samples used
};

/** Costs by the benchmark's name; of several repetitions the median. */
using Costs = std::map<std::string, Cost>;

class ContentionBackend;

/** Something that can run probes. */
class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  /** Name, as it is in a benchmark's name. */
  [[nodiscard]] virtual std::string_view Name() const = 0;

  /** What keeps this backend from running here; nothing where it can. */
  [[nodiscard]] virtual std::optional<Unavailable> WhyUnavailable() const = 0;

  /** How its code is executed, where that differs from this process or may do so. */
  [[nodiscard]] virtual std::optional<BackendExecution> GetExecution() const {
    return std::nullopt;
  }

  /** Rows that it has, in the catalogue's order. Empty if the backend is unavailable. */
  [[nodiscard]] virtual std::vector<SupportedProbe> SupportedProbes() const = 0;

  /** What its samples count. */
  [[nodiscard]] virtual Clock GetClock() const { return Clock::kTscTicks; }

  /** What the sensor in its samples counts, where that is not taken by the same clock. */
  [[nodiscard]] virtual Clock GetSensorClock() const { return GetClock(); }

  /** By what its clock advances, in its units; nothing where it is the TSC. */
  [[nodiscard]] virtual std::optional<double> Step() const { return std::nullopt; }

  /** What counts core cycles in the spans of its samples. */
  [[nodiscard]] virtual CounterOfCycles GetCounter() const {
    return {{}, "this backend reads no counter of core cycles"};
  }

  /** What it knows of the kernel; nothing where it is no part of it. */
  [[nodiscard]] virtual std::optional<KernelFacts> GetKernelFacts() const { return std::nullopt; }

  /** Most loops in one window. */
  [[nodiscard]] virtual unsigned MaxLoops() const = 0;

  /** Gets ready what a row needs, so that it does not count as time of its measurement. */
  virtual void Prepare(const Probe& /*probe*/) {}

  /**
   * Measures. The calling thread stays bound to the CPU afterwards.
   * Throws std::system_error where the system refuses it.
   */
  virtual Run Measure(const Request& request) = 0;

  /** How it measures lock contention and deferred interrupts (backends/contention.h); nullptr where
   * it cannot. */
  virtual ContentionBackend* GetContention() { return nullptr; }

  /** Adds to context.irqcost, after a run, what only this backend knows of it (docs/RESULTS.md). */
  virtual void Supplement(nlohmann::ordered_json& /*context*/, const Costs& /*costs*/) {}
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_BACKEND_H
