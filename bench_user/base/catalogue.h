/* SPDX-License-Identifier: GPL-2.0-only */
// The catalogue (probes.def) as a table.
#ifndef IRQCOST_BENCH_USER_BASE_CATALOGUE_H
#define IRQCOST_BENCH_USER_BASE_CATALOGUE_H

#include <irqcost/abi.h>
#include <irqcost/body.h>
#include <irqcost/catalogue.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace irqcost {

/** What a row is made of: the macro that declares it. */
enum class Kind { kInstruction, kCall, kBpf, kFault };

/** One row. The columns are those of probes.def. */
struct Probe {
  std::uint32_t id;
  std::string_view key;
  Kind kind;
  unsigned where;         ///< irqcost_where bits
  irqcost_irqs irqs;      ///< the interrupt flag in ring 0, before and after
  unsigned needs;         ///< irqcost_needs bits
  std::string_view code;  ///< what one operation is
};

inline constexpr auto kCatalogue = std::to_array<Probe>({
#define IRQCOST_ROW(id, key, kind, where, irqs, needs, code) \
  {id, #key, Kind::kind, IRQCOST_##where, IRQCOST_##irqs, IRQCOST_NEEDS_##needs, code},
#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, ...) \
  IRQCOST_ROW(id, key, kInstruction, where, irqs, needs, code)
#define IRQCOST_CALL(id, key, group, where, irqs, needs, code, ...) \
  IRQCOST_ROW(id, key, kCall, where, irqs, needs, #code)
#define IRQCOST_FAULT(id, key, group, where, irqs, needs, code, ...) \
  IRQCOST_ROW(id, key, kFault, where, irqs, needs, code)
#define IRQCOST_BPF(id, key, group, where, irqs, needs, code, ...) \
  IRQCOST_ROW(id, key, kBpf, where, irqs, needs, #code)
#include <irqcost/probes.def>
#undef IRQCOST_ROW
});

/** Row of a name, or nullptr. */
constexpr const Probe* FindProbe(std::string_view key) {
  for (const Probe& probe : kCatalogue)
    if (probe.key == key) return &probe;
  return nullptr;
}

/** Row of an id, or nullptr. */
constexpr const Probe* FindProbe(std::uint32_t id) {
  for (const Probe& probe : kCatalogue)
    if (probe.id == id) return &probe;
  return nullptr;
}

/** Rows that the interference sensor may be made of, in the order of enum irqcost_sensor. */
inline constexpr auto kSensorKeys =
    std::to_array<std::string_view>({"nop", "zero_idiom", "push_pop"});
static_assert(kSensorKeys.size() == IRQCOST_NR_SENSORS);

/** A way to measure a row. */
struct Mode {
  irqcost_mode kind;
  unsigned section;  ///< in situ: dependent core cycles of the section, one of irqcost_sections
  irqcost_context context;  ///< from where the kernel module calls it; elsewhere always a process

  // NOLINTNEXTLINE(google-explicit-constructor): most modes are no more than their kind
  constexpr Mode(irqcost_mode kind_, unsigned section_ = 0,
                 irqcost_context context_ = IRQCOST_PROCESS)
      : kind(kind_), section(section_), context(context_) {}
  friend constexpr bool operator==(const Mode&, const Mode&) = default;
};

/** Names of enum irqcost_context, in its order. */
inline constexpr auto kContextNames =
    std::to_array<std::string_view>({"process", "softirq", "hardirq", "timer"});
static_assert(kContextNames.size() == IRQCOST_NR_CONTEXTS);

/**
 * Name of a mode, as it is in a benchmark's name: `throughput`, `throughput/softirq`,
 * `latency`, `in_situ/20`, `in_situ/percpu`.
 */
inline std::string ModeName(Mode mode) {
  switch (mode.kind) {
    case IRQCOST_THROUGHPUT:
      break;
    case IRQCOST_ISOLATED:
      return "isolated";
    case IRQCOST_IN_SITU:
      return "in_situ/" + std::to_string(mode.section);
    case IRQCOST_IN_SITU_PERCPU:
      return "in_situ/percpu";
  }
  if (mode.context == IRQCOST_PROCESS) return "throughput";
  return "throughput/" + std::string(kContextNames[mode.context]);
}

/** Modes of process context that every backend may have. */
inline constexpr auto kModes = std::to_array<Mode>({
#define IRQCOST_IN_SITU_MODE(cycles, ...) {IRQCOST_IN_SITU, cycles},
    IRQCOST_THROUGHPUT, IRQCOST_ISOLATED, IRQCOST_SECTIONS(IRQCOST_IN_SITU_MODE)
#undef IRQCOST_IN_SITU_MODE
});

/** Whether a row encloses a critical section. */
constexpr bool HasSection(const Probe& probe) {
  return probe.code.find(IRQCOST_SECTION_MARKER) != std::string_view::npos;
}

/** Modes that a row has where it leaves the interrupt flag as it found it. */
inline std::vector<Mode> RepeatableModes(const Probe& probe) {
  // A fault waits for what is before it and keeps back what follows: it has no other latency.
  if (probe.kind == Kind::kFault) return {IRQCOST_THROUGHPUT};
  std::vector<Mode> modes;
  for (const Mode mode : kModes)
    if (mode.kind != IRQCOST_IN_SITU || HasSection(probe)) modes.push_back(mode);
  return modes;
}

/** Modes that a row has in ring 0: one that changes the interrupt flag cannot be repeated. */
inline std::vector<Mode> Ring0Modes(const Probe& probe) {
  if (IRQCOST_REPEATABLE(probe.irqs)) return RepeatableModes(probe);
  return {IRQCOST_ISOLATED};
}

/** Those of ring 0 in a kernel, which has contexts and data of a CPU that masking protects. */
inline std::vector<Mode> KernelModes(const Probe& probe, irqcost_context context) {
  const bool repeatable = IRQCOST_REPEATABLE(probe.irqs);
  if (context != IRQCOST_PROCESS)
    return repeatable ? std::vector<Mode>{{IRQCOST_THROUGHPUT, 0, context}} : std::vector<Mode>{};
  std::vector<Mode> modes = Ring0Modes(probe);
  if (repeatable && HasSection(probe)) modes.emplace_back(IRQCOST_IN_SITU_PERCPU);
  return modes;
}

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BASE_CATALOGUE_H
