/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/context.h"

#include <cinttypes>
#include <cstdio>
#include <filesystem>
#include <optional>

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

// What is not known is null.
template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::string Hexadecimal(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016" PRIx64, value);
  return text;
}

// An argument such as --benchmark_out=/home/someone/x tells where someone's files lie: the
// directory goes, the file's name stays. A filter holds slashes too, and is no path.
std::string WithoutDirectory(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const std::string value = equals == std::string::npos ? argument : argument.substr(equals + 1);
  if (argument.starts_with("--") && !argument.starts_with("--benchmark_out=")) return argument;
  const std::string name = std::filesystem::path(value).filename().string();
  return equals == std::string::npos ? name : argument.substr(0, equals + 1) + name;
}

Json CommandJson(const std::vector<std::string>& command) {
  Json json = Json::array();
  for (const std::string& argument : command) json.push_back(WithoutDirectory(argument));
  return json;
}

Json CpuJson(const Cpu& cpu, int measured) {
  return {{"vendor", OrNull(cpu.vendor)},
          {"brand", OrNull(cpu.brand)},
          {"codename", OrNull(cpu.codename)},
          {"family", OrNull(cpu.family)},
          {"model", OrNull(cpu.model)},
          {"stepping", OrNull(cpu.stepping)},
          {"microcode", OrNull(cpu.microcode)},
          {"caches", Json(cpu.caches)},
          {"measured", measured}};
}

Json AbsentJson(const std::vector<Absence>& absent) {
  Json json = Json::array();
  for (const Absence& absence : absent)
    json.push_back({{"name", absence.name}, {"reason", absence.reason}});
  return json;
}

// Of the controls what they cost in core cycles, or nothing where none were counted.
Json ControlsJson(const Controls& controls, bool counts_cycles) {
  Json json = Json::object();
  if (!counts_cycles) return json;
  json["nop"] = OrNull(controls.nop.core_cycles);
  json["dep_add"] = OrNull(controls.dep_add.core_cycles);
  json["dep_imul"] = OrNull(controls.dep_imul.core_cycles);
  return json;
}

Json FloorsJson(const std::map<std::string, Floors>& floors) {
  Json json = Json::object();
  for (const auto& [backend, floor] : floors)
    if (floor.cycle != kNoFloor)
      json[backend] = {{"sensor_cycles_per_nop", floor.sensor}, {"ticks_per_cycle", floor.cycle}};
  return json;
}

}  // namespace

Json BackendsJson(const std::vector<std::unique_ptr<Backend>>& backends) {
  Json json = Json::object();
  for (const auto& backend : backends) {
    Json& entry = json[std::string(backend->Name())];
    const auto obstacle = backend->GetObstacle();
    entry["usable"] = !obstacle;
    if (!obstacle) continue;
    entry["reason"] = obstacle->reason;
    entry["remedy"] = obstacle->remedy;
  }
  return json;
}

Json ContextJson(const RunContext& run, const std::vector<std::unique_ptr<Backend>>& backends,
                 const Selection& selection) {
  return {
      {"schema", kSchema},
      {"version", IRQCOST_VERSION},
      {"catalogue_hash", Hexadecimal(irqcost_catalogue_hash())},
      {"command", CommandJson(run.command)},
      {"execution", {{"kind", run.execution.kind}, {"reason", run.execution.reason}}},
      {"instruction_clock", run.execution.instruction_clock},
      {"cpu", CpuJson(run.cpu, run.measured_cpu)},
      {"kernel",
       {{"release", run.kernel.release},
        {"version", run.kernel.version},
        {"command_line", OrNull(run.kernel.command_line)},
        {"realtime", run.kernel.realtime},
        {"config", OrNull(run.kernel.config)}}},
      {"hypervisor", OrNull(run.hypervisor.name)},
      {"settings",
       {{"governor", OrNull(run.settings.governor)},
        {"boost", OrNull(run.settings.boost)},
        {"smt", OrNull(run.settings.smt)},
        {"mitigations", Json(run.settings.mitigations)}}},
      {"tsc",
       {{"khz", run.tsc.khz},
        {"source", run.tsc.source},
        {"invariant", run.tsc.invariant},
        {"step", run.tsc.step}}},
      {"backends", BackendsJson(backends)},
      {"controls", ControlsJson(run.controls, run.execution.counts_cycles)},
      {"floors", FloorsJson(selection.floors)},
      {"absent", AbsentJson(selection.absent)},
      {"compiler", IRQCOST_COMPILER},
  };
}

}  // namespace irqcost
