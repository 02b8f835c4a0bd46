/* SPDX-License-Identifier: GPL-2.0-only */
#include "simulate/description.h"

#include <irqcost/body.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/catalogue.h"
#include "base/usage_error.h"
#include "simulate/fields.h"

namespace irqcost::simulate {
namespace {

constexpr double kDay = 86400;
constexpr double kMostCycles = 1e6;
constexpr const char* kCounting = "instruction-counting";
constexpr const char* kTranslating = "translating";

// Emulators are described by other defaults; what the file says itself still counts.
void ApplyEmulator(Description& d) {
  if (d.emulator == kCounting) {
    // One tick is one instruction, and nothing else happens.
    d.core.dep_add = d.core.dep_xor = d.core.dep_imul = d.core.nop = d.core.zero_idiom = 1;
    d.core.noise_percent = d.core.jitter_cycles = d.core.process_percent = 0;
    d.rule = {1, 10, 1000, 1, 1};
    d.clock.tsc_mhz = d.clock.core_mhz = 1000;
  } else if (d.emulator == kTranslating) {
    // Machine code made of machine code: a nop becomes nothing, an add and a multiply themselves.
    d.core.dep_add = d.core.dep_xor = d.core.dep_imul = 3;
    d.core.nop = d.core.zero_idiom = 0.003;
    d.core.noise_percent = 1;
    d.rule.instruction = 60;
    d.rule.call = 500;
  }
}

void ReadIdentity(Fields fields, Identity& identity) {
  fields.Text("vendor", identity.vendor);
  fields.Text("brand", identity.brand);
  fields.Integer("family", identity.family, 0, 65535);
  fields.Integer("model", identity.model, 0, 65535);
  fields.Integer("stepping", identity.stepping, 0, 255);
  fields.Text("hypervisor", identity.hypervisor);
  fields.Done();
}

void ReadCore(Fields fields, Core& core) {
  fields.Number("dep_add", core.dep_add, 0.001, 100);
  fields.Number("dep_xor", core.dep_xor, 0.001, 100);
  fields.Number("dep_imul", core.dep_imul, 0.001, 100);
  fields.Number("nop", core.nop, 0.001, 100);
  fields.Number("zero_idiom", core.zero_idiom, 0.001, 100);
  fields.Number("window_cycles", core.window_cycles, 1, 10000);
  fields.Number("loop_cycles", core.loop_cycles, 0, 100);
  fields.Number("short_loop", core.short_loop, -0.9, 10);
  fields.Number("short_copies", core.short_copies, 1, 64);
  fields.Number("noise_percent", core.noise_percent, 0, 10);
  fields.Number("jitter_cycles", core.jitter_cycles, 0, 1000);
  fields.Number("process_percent", core.process_percent, 0, 10);
  fields.Done();
}

void ReadRule(Fields fields, Rule& rule) {
  fields.Number("instruction", rule.instruction, 0.01, kMostCycles);
  fields.Number("call", rule.call, 0.01, kMostCycles);
  fields.Number("fault", rule.fault, 0.01, kMostCycles);
  fields.Number("isolated", rule.isolated, 0, 100);
  fields.Number("in_situ", rule.in_situ, 0, 100);
  fields.Done();
}

// A row is a number (throughput), an object by mode, or null where the CPU does not have it.
RowCost ReadRow(Fields& rows, const char* key) {
  RowCost cost;
  const Json& row = *rows.Find(key);
  if (row.is_null()) {
    cost.missing = true;
    return cost;
  }
  double value = 0;
  if (row.is_number()) {
    rows.Number(key, value, 0, kMostCycles);
    cost.throughput = value;
    return cost;
  }
  if (!row.is_object()) rows.Refuse(key, "must be a number, an object or null");
  Fields modes = rows.Part(key);
  if (modes.Number("throughput", value, 0, kMostCycles)) cost.throughput = value;
  if (modes.Number("isolated", value, 0, kMostCycles)) cost.isolated = value;
  Fields in_situ = modes.Part("in_situ");
  for (const unsigned section : irqcost_sections)
    if (in_situ.Number(std::to_string(section).c_str(), value, -kMostCycles, kMostCycles))
      cost.in_situ[section] = value;
  in_situ.Done();
  modes.Done();
  return cost;
}

constexpr std::string_view kTraits[] = {"empty",   "nop",      "dep_add",
                                        "dep_xor", "dep_imul", "zero_idiom"};

void ReadRows(Fields rows, const Json* object, std::map<std::string, RowCost>& costs) {
  if (!object) return;
  for (const auto& item : object->items()) {
    if (!FindProbe(item.key())) rows.Refuse(item.key(), "is no row of the catalogue");
    if (std::find(std::begin(kTraits), std::end(kTraits), item.key()) != std::end(kTraits))
      rows.Refuse(item.key(), "is given by `core`, or is nothing");
    costs[item.key()] = ReadRow(rows, item.key().c_str());
  }
}

void ReadClock(Fields fields, ClockTraits& clock) {
  fields.Number("tsc_mhz", clock.tsc_mhz, 1, 100000);
  fields.Number("core_mhz", clock.core_mhz, 1, 100000);
  fields.Number("step_ticks", clock.step, 1, 1e6);
  fields.Bool("invariant", clock.invariant);
  fields.Number("bpf_step_ns", clock.bpf_step_ns, 1, 1e6);
  fields.Done();
}

// Fields that say when something is there; all that takes part of the time must be told.
void ReadRecurrence(Fields& fields, Recurrence& comes, double unit_s, const char* lasts) {
  fields.Number("every_s", comes.every_s, 1e-5, kDay);
  double length = 0;
  if (!fields.Number(lasts, length, 0, kDay / unit_s)) length = 0;
  comes.lasts_s = length * unit_s;
  if (comes.every_s > 0 && !(comes.lasts_s > 0 && comes.lasts_s <= comes.every_s / 2))
    fields.Refuse(lasts, "must be above 0 and at most half of every_s");
  if (comes.every_s == 0 && comes.lasts_s > 0) fields.Refuse("every_s", "is missing");
}

void ReadFrequency(Fields fields, Frequency& frequency) {
  fields.Number("drift_percent", frequency.drift_percent, 0, 90);
  fields.Number("drift_s", frequency.drift_s, 0.001, kDay);
  fields.Number("ramp_percent", frequency.ramp_percent, 0, 90);
  fields.Number("ramp_s", frequency.ramp_s, 0.001, kDay);
  Fields turbo = fields.Part("turbo");
  turbo.Number("percent", frequency.turbo_percent, -90, 900);
  ReadRecurrence(turbo, frequency.turbo, 1, "lasts_s");
  turbo.Done();
  fields.Done();
}

std::map<std::string, double> ReadShares(Fields shares, const Json* object) {
  // A busy sibling takes slots of the front end; a chain of multiplies has room to spare.
  std::map<std::string, double> found = {{"nop", 0.6},   {"zero_idiom", 0.6}, {"dep_add", 0},
                                         {"dep_xor", 0}, {"dep_imul", 0},     {"other", 0.2}};
  if (!object) return found;
  for (const auto& item : object->items()) {
    if (!FindProbe(item.key()) && item.key() != "other")
      shares.Refuse(item.key(), "is neither a row of the catalogue nor other");
    shares.Number(item.key().c_str(), found[item.key()], 0, 100);
  }
  return found;
}

std::optional<Neighbour> ReadNeighbour(Fields& whole) {
  const Json* object = whole.Find("neighbour");
  if (!object || object->is_null()) return std::nullopt;
  Fields fields = whole.Part("neighbour");
  Neighbour neighbour;
  fields.Bool("always", neighbour.always);
  ReadRecurrence(fields, neighbour.comes, 1, "lasts_s");
  if (neighbour.always && neighbour.comes.every_s > 0)
    fields.Refuse("always", "and every_s: only one of the two can be");
  const Json* shares = fields.Find("shares");
  neighbour.shares = ReadShares(fields.Part("shares"), shares);
  fields.Number("spread", neighbour.spread, 0, 1);
  fields.Number("wander", neighbour.wander, 0, 1);
  fields.Done();
  return neighbour;
}

void ReadGap(Fields fields, Gap& gap, bool preempts) {
  ReadRecurrence(fields, gap.comes, 1e-6, "us");
  if (preempts) fields.Number("preempts", gap.preempts, 0, 1);
  fields.Done();
}

void RefuseEventsOfEmulator(const Description& d, const Fields& whole) {
  if (d.emulator == kCounting &&
      (d.neighbour || d.interrupts.comes.every_s > 0 || d.steal.comes.every_s > 0 ||
       d.migration.comes.every_s > 0 || d.frequency.drift_percent > 0 ||
       d.frequency.ramp_percent > 0 || d.frequency.turbo.every_s > 0))
    whole.Refuse("emulator", "counts instructions: nothing can happen to its clock");
}

}  // namespace

Description ParseDescription(const std::string& text, const std::string& file) {
  Json object;
  try {
    object = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw UsageError(file + ": not JSON: " + error.what());
  }
  Fields fields(object, file);
  Description d;
  d.file = file;
  if (!fields.Text("name", d.name)) fields.Refuse("name", "is missing");
  fields.Word("emulator", d.emulator, {kCounting, kTranslating});
  ApplyEmulator(d);
  double seed = 1;
  if (fields.Number("seed", seed, 0, 9007199254740992.0)) d.seed = static_cast<std::uint64_t>(seed);
  fields.Words("backends", d.backends, {"ring3", "kmod", "bpf"});
  fields.Number("start_s", d.start_s, 0.001, 60);
  ReadIdentity(fields.Part("cpu"), d.identity);
  ReadCore(fields.Part("core"), d.core);
  ReadRule(fields.Part("rule"), d.rule);
  const Json* rows = fields.Find("rows");
  ReadRows(fields.Part("rows"), rows, d.rows);
  ReadClock(fields.Part("clock"), d.clock);
  ReadFrequency(fields.Part("frequency"), d.frequency);
  fields.Bool("smt", d.smt);
  d.neighbour = ReadNeighbour(fields);
  if (d.neighbour && !d.smt && !d.neighbour->always && d.neighbour->comes.every_s <= 0)
    fields.Refuse("neighbour",
                  "never comes: give always or every_s, or smt for a thread of our own");
  if (d.smt && !d.neighbour) {
    d.neighbour.emplace();
    d.neighbour->shares = ReadShares(Fields(Json::object(), file), nullptr);
  }
  ReadGap(fields.Part("interrupts"), d.interrupts, true);
  ReadGap(fields.Part("steal"), d.steal, false);
  ReadGap(fields.Part("migration"), d.migration, false);
  fields.Done();
  RefuseEventsOfEmulator(d, fields);
  return d;
}

Description ReadDescription(const std::string& path) {
  std::ifstream stream(path);
  std::ostringstream text;
  if (!(text << stream.rdbuf()))
    throw UsageError("--irqcost_simulate: " + path + " cannot be read, or is empty");
  return ParseDescription(text.str(), std::filesystem::path(path).filename().string());
}

}  // namespace irqcost::simulate
