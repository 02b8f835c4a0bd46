/* SPDX-License-Identifier: GPL-2.0-only */
// The catalogue (probes.def) as a table.
#ifndef IRQCOST_BENCH_USER_CATALOGUE_H
#define IRQCOST_BENCH_USER_CATALOGUE_H

#include <irqcost/abi.h>
#include <irqcost/catalogue.h>

#include <array>
#include <cstdint>
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
  std::string_view bpf_code = {};  ///< code of an IRQCOST_BPF row, empty for every other
};

inline constexpr auto kCatalogue = std::to_array<Probe>({
#define IRQCOST_INSN(id, key, group, where, irqs, code, api, summary) \
  {id, #key, IRQCOST_##where, IRQCOST_##irqs, true},
#define IRQCOST_CALL(id, key, group, where, irqs, code, api, summary) \
  {id, #key, IRQCOST_##where, IRQCOST_##irqs, false},
#define IRQCOST_BPF(id, key, group, where, irqs, code, api, summary) \
  {id, #key, IRQCOST_##where, IRQCOST_##irqs, false, #code},
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

/** Name of a mode, as it stands in a benchmark's name. */
constexpr std::string_view ModeName(irqcost_mode mode) {
  return mode == IRQCOST_THROUGHPUT ? "throughput" : "latency";
}

inline constexpr std::array kModes = {IRQCOST_THROUGHPUT, IRQCOST_LATENCY};

/** Modes that a row has in ring 0: one that changes the interrupt flag cannot be repeated. */
inline std::vector<irqcost_mode> Ring0Modes(const Probe& probe) {
  if (IRQCOST_REPEATABLE(probe.irqs)) return {kModes.begin(), kModes.end()};
  return {IRQCOST_LATENCY};
}

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_CATALOGUE_H
