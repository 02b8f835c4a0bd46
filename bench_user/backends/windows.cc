/* SPDX-License-Identifier: GPL-2.0-only */
// Expanded from the catalogue. They lie in a section of their own, so that the guest of backend
// `kvm` can be given these and nothing else of the program.
#include "backends/guest_section.h"
#define IRQCOST_WINDOW_SECTION IRQCOST_GUEST_SECTION ",\"ax\",@progbits"

#include "backends/windows.h"

extern "C" {
#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, ...) \
  IRQCOST_INSN_WINDOWS(key, code)                                   \
  IRQCOST_IN_SITU_WINDOWS(key, code)
#define IRQCOST_FAULT IRQCOST_INSN
#define IRQCOST_CALL(...)
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
#define IRQCOST_INSN(id, key, group, where, irqs, needs, code, ...) \
  {id, IRQCOST_##where, IRQCOST_WINDOW_TABLE(key), IRQCOST_IN_SITU_TABLE(key)},
#define IRQCOST_FAULT IRQCOST_INSN
#define IRQCOST_CALL(...)
#include <irqcost/probes.def>
};

constexpr irqcost_window_fn kSections[] = IRQCOST_IN_SITU_TABLE(section);

const Row* FindRow(const Probe& probe, irqcost_where ring) {
  for (const Row& row : kRows)
    if (row.id == probe.id) return (row.where & ring) ? &row : nullptr;
  return nullptr;
}

}  // namespace

const irqcost_window_fn* Windows(const Probe& probe, irqcost_where ring) {
  const Row* row = FindRow(probe, ring);
  return row ? row->windows : nullptr;
}

const irqcost_window_fn* InSituWindows(const Probe& probe, irqcost_where ring) {
  const Row* row = FindRow(probe, ring);
  return row ? row->in_situ : nullptr;
}

const irqcost_window_fn* SectionWindows() { return kSections; }

}  // namespace irqcost
