/* SPDX-License-Identifier: GPL-2.0-only */
// The catalogue (probes.def) as a table.
#ifndef IRQCOST_BENCH_USER_CATALOGUE_H
#define IRQCOST_BENCH_USER_CATALOGUE_H

#include <irqcost/abi.h>
#include <irqcost/body.h>
#include <irqcost/catalogue.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace irqcost {

/** One row. The columns are those of probes.def. */
struct Probe {
  std::uint32_t id;
  std::string_view key;
  unsigned where;                  ///< irqcost_where bits
  irqcost_irqs irqs;               ///< the interrupt flag in ring 0, before and after
  bool is_instruction;             ///< an IRQCOST_INSN row: it has windows in ring 3
  std::string_view code;           ///< what one operation is
  std::string_view bpf_code = {};  ///< code of an IRQCOST_BPF row, empty for every other
};

inline constexpr auto kCatalogue = std::to_array<Probe>({
#define IRQCOST_INSN(id, key, group, where, irqs, code, api, summary) \
  {id, #key, IRQCOST_##where, IRQCOST_##irqs, true, code},
#define IRQCOST_CALL(id, key, group, where, irqs, code, api, summary) \
  {id, #key, IRQCOST_##where, IRQCOST_##irqs, false, #code},
#define IRQCOST_BPF(id, key, group, where, irqs, code, api, summary) \
  {id, #key, IRQCOST_##where, IRQCOST_##irqs, false, #code, #code},
#include <irqcost/probes.def>
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

/** A way to measure a row. */
struct Mode {
  irqcost_mode kind;
  unsigned section;  ///< in situ: dependent core cycles of the section, one of irqcost_sections

  // NOLINTNEXTLINE(google-explicit-constructor): most modes are no more than their kind
  constexpr Mode(irqcost_mode kind_, unsigned section_ = 0) : kind(kind_), section(section_) {}
  friend constexpr bool operator==(const Mode&, const Mode&) = default;
};

/** Name of a mode, as it stands in a benchmark's name: `throughput`, `latency`, `in_situ/20`. */
inline std::string ModeName(Mode mode) {
  if (mode.kind == IRQCOST_IN_SITU) return "in_situ/" + std::to_string(mode.section);
  return mode.kind == IRQCOST_THROUGHPUT ? "throughput" : "latency";
}

inline constexpr auto kModes = std::to_array<Mode>({
#define IRQCOST_IN_SITU_MODE(cycles, ...) {IRQCOST_IN_SITU, cycles},
    IRQCOST_THROUGHPUT, IRQCOST_LATENCY, IRQCOST_SECTIONS(IRQCOST_IN_SITU_MODE)
#undef IRQCOST_IN_SITU_MODE
});

/** Modes that a row has where it leaves the interrupt flag as it found it. */
inline std::vector<Mode> RepeatableModes(const Probe& probe) {
  const bool has_section = probe.code.find(IRQCOST_SECTION_MARKER) != std::string_view::npos;
  std::vector<Mode> modes;
  for (const Mode mode : kModes)
    if (mode.kind != IRQCOST_IN_SITU || has_section) modes.push_back(mode);
  return modes;
}

/** Modes that a row has in ring 0: one that changes the interrupt flag cannot be repeated. */
inline std::vector<Mode> Ring0Modes(const Probe& probe) {
  if (IRQCOST_REPEATABLE(probe.irqs)) return RepeatableModes(probe);
  return {IRQCOST_LATENCY};
}

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_CATALOGUE_H
