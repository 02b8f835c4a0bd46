/* SPDX-License-Identifier: GPL-2.0-only */
// The timed windows of ring 3, expanded from the catalogue. Rows of ring 0 are
// assembled here too, so that one macro serves all rows, but never called.
#include "backends/ring3_windows.h"

#include <irqcost/catalogue.h>

extern "C" {
#define IRQCOST_INSN(id, key, group, where, irqs, code, api, summary) \
  IRQCOST_INSN_WINDOWS(key, code)                                     \
  IRQCOST_IN_SITU_WINDOWS(key, code)
#define IRQCOST_CALL(id, key, group, where, irqs, code, api, summary)
#include <irqcost/probes.def>
IRQCOST_IN_SITU_WINDOWS(section, IRQCOST_SECTION_ALONE)
}

namespace irqcost {
namespace {

struct Row {
  std::uint32_t id;
  unsigned where;
  irqcost_window_fn windows[IRQCOST_NR_WINDOWS];
  irqcost_window_fn in_situ[IRQCOST_NR_SECTIONS];
};

constexpr Row kRows[] = {
#define IRQCOST_INSN(id, key, group, where, irqs, code, api, summary) \
  {id, IRQCOST_##where, IRQCOST_WINDOW_TABLE(key), IRQCOST_IN_SITU_TABLE(key)},
#define IRQCOST_CALL(id, key, group, where, irqs, code, api, summary)
#include <irqcost/probes.def>
};

constexpr irqcost_window_fn kSections[] = IRQCOST_IN_SITU_TABLE(section);

const Row* FindRow(std::uint32_t probe_id) {
  for (const Row& row : kRows)
    if (row.id == probe_id) return (row.where & IRQCOST_RING3) ? &row : nullptr;
  return nullptr;
}

}  // namespace

const irqcost_window_fn* Ring3Windows(std::uint32_t probe_id) {
  const Row* row = FindRow(probe_id);
  return row ? row->windows : nullptr;
}

const irqcost_window_fn* Ring3InSituWindows(std::uint32_t probe_id) {
  const Row* row = FindRow(probe_id);
  return row ? row->in_situ : nullptr;
}

const irqcost_window_fn* Ring3SectionWindows() { return kSections; }

}  // namespace irqcost
