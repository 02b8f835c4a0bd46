/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/costs.h"

#include <algorithm>
#include <string>

namespace irqcost::simulate {
namespace {

const RowCost* Find(const Description& d, const Probe& probe) {
  const auto found = d.rows.find(std::string(probe.key));
  return found == d.rows.end() ? nullptr : &found->second;
}

// Instructions or statements: what stands between semicolons, less the section's marker and labels.
double Parts(std::string_view code) {
  double parts = 0;
  while (!code.empty()) {
    const std::size_t end = std::min(code.find(';'), code.size());
    const std::string_view part = code.substr(0, end);
    const bool counts = part.find_first_not_of(' ') != std::string_view::npos &&
                        part.find(IRQCOST_SECTION_MARKER) == std::string_view::npos &&
                        part.back() != ':';
    parts += counts ? 1 : 0;
    code.remove_prefix(std::min(end + 1, code.size()));
  }
  return parts;
}

double Throughput(const Description& d, const Probe& probe) {
  if (probe.key == "empty") return 0;
  if (probe.key == "nop") return d.core.nop;
  if (probe.key == "dep_add") return d.core.dep_add;
  if (probe.key == "dep_xor") return d.core.dep_xor;
  if (probe.key == "dep_imul") return d.core.dep_imul;
  if (probe.key == "zero_idiom") return d.core.zero_idiom;
  if (const RowCost* own = Find(d, probe); own && own->throughput) return *own->throughput;
  if (probe.kind == Kind::kFault) return d.rule.fault;
  return Parts(probe.code) * (probe.kind == Kind::kInstruction ? d.rule.instruction : d.rule.call);
}

}  // namespace

double TrueCost(const Description& d, const Probe& probe, Mode mode) {
  const RowCost* own = Find(d, probe);
  const double throughput = Throughput(d, probe);
  switch (mode.kind) {
    case IRQCOST_THROUGHPUT:
      return throughput;
    case IRQCOST_ISOLATED:
      if (own && own->isolated) return *own->isolated;
      // A chain's link takes as long by itself, and a nop nothing that a fence would see.
      if (probe.key.starts_with("dep_") || probe.key == "nop" || probe.key == "zero_idiom")
        return throughput;
      return throughput * d.rule.isolated;
    case IRQCOST_IN_SITU:
      if (own)
        if (const auto at = own->in_situ.find(mode.section); at != own->in_situ.end())
          return at->second;
      break;
    case IRQCOST_IN_SITU_PERCPU:
      break;
  }
  return throughput * d.rule.in_situ;
}

bool IsMissing(const Description& d, const Probe& probe) {
  const RowCost* own = Find(d, probe);
  return own && own->missing;
}

double ShareOf(const Description& d, std::string_view key) {
  if (!d.neighbour) return 0;
  const auto& shares = d.neighbour->shares;
  const auto found = shares.find(std::string(key));
  return found == shares.end() ? shares.at("other") : found->second;
}

}  // namespace irqcost::simulate
