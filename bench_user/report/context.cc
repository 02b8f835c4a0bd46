/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/context.h"

#include <filesystem>
#include <optional>

#include "base/hex.h"
#include "machine/priority.h"
#include "measure/location.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 2;

// What is not known is null.
template <typename Value>
Json OrNull(const std::optional<Value>& value) {
  return value ? Json(*value) : Json(nullptr);
}

// An argument such as --benchmark_out=/home/someone/x tells where someone's files lie: the
// directory goes, the file's name stays. A filter holds slashes too, and is no path.
std::string WithoutDirectory(const std::string& argument) {
  const std::size_t equals = argument.find('=');
  const std::string value = equals == std::string::npos ? argument : argument.substr(equals + 1);
  if (argument.starts_with("--") && !argument.starts_with("--benchmark_out=") &&
      !argument.starts_with("--irqcost_simulate="))
    return argument;
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
          {"core_type", OrNull(cpu.core_type)},
          {"family", OrNull(cpu.family)},
          {"model", OrNull(cpu.model)},
          {"stepping", OrNull(cpu.stepping)},
          {"microcode", OrNull(cpu.microcode)},
          {"caches", Json(cpu.caches)},
          {"measured", measured},
          {"confidential", Json(cpu.confidential)},
          {"lfence_waits", OrNull(cpu.stamps_wait)}};
}

Json CodeJson(const std::vector<const Probe*>& probes) {
  Json json = Json::object();
  for (const Probe* probe : probes) json[std::string(probe->key)] = probe->code;
  return json;
}

Json AbsentJson(const std::vector<Absence>& absent) {
  Json json = Json::array();
  for (const Absence& absence : absent)
    json.push_back({{"name", absence.name}, {"reason", absence.reason}});
  return json;
}

// Of the controls what they cost in core cycles, or nothing where none were counted.
Json ControlsJson(const RunContext& run) {
  Json json = Json::object();
  if (!run.execution.counts_cycles) return json;
  const Controls& controls = run.controls;
  for (const auto& [key, control] : {std::pair{"nop", &controls.nop},
                                     {"dep_add", &controls.dep_add},
                                     {"dep_xor", &controls.dep_xor},
                                     {"dep_imul", &controls.dep_imul},
                                     {"zero_idiom", &controls.zero_idiom}})
    if (control->core_cycles) json[key] = *control->core_cycles * *run.calibration.imul_latency;
  return json;
}

Json CalibrationJson(const Calibration& calibration) {
  return {{"imul_latency", OrNull(calibration.imul_latency)},
          {"imul_per_add", calibration.imul_per_add},
          {"xor_per_add", calibration.xor_per_add},
          {"reason", calibration.reason}};
}

// The level of each backend's sensor, and the clock.
Json BaselinesJson(const std::map<std::string, Found>& found) {
  Json json = Json::object();
  for (const auto& [backend, one] : found) {
    if (!(one.clock > 0) || !(one.level.value > 0)) continue;
    json[backend] = {{"sensor_cycles", one.level.value},
                     {"steady", one.level.steady},
                     {"quartiles", {one.level.low, one.level.high}},
                     {"tolerance", kSensorTolerance},
                     {"ticks_per_cycle", one.clock}};
  }
  return json;
}

// Which clock the core cycles of a backend are by, and what the CPU's counter made of that clock.
Json CyclesJson(const std::vector<std::unique_ptr<Backend>>& backends, const Results& results,
                bool counts_cycles, unsigned imul_latency) {
  Json json = Json::object();
  for (const auto& backend : backends) {
    if (backend->WhyUnavailable()) continue;
    const std::string name{backend->Name()};
    const CounterOfCycles counter = backend->GetCounter();
    Json& entry = json[name];
    entry["source"] = counts_cycles ? Json("chain") : Json(nullptr);
    entry["counter"] = counter.name.empty() ? Json(nullptr) : Json(counter.name);
    if (counter.name.empty()) {
      entry["reason"] = counter.reason;
    } else if (const auto found = results.counted_cycles.find(name);
               found != results.counted_cycles.end()) {
      entry["imul_cycles"] = imul_latency * Quantile(found->second, 0.5);
    } else {
      entry["reason"] = "no figure had enough clean samples that the counter counted";
    }
  }
  return json;
}

Json SettingsJson(const Settings& settings) {
  Json json = {{"governor", OrNull(settings.governor)},
               {"boost", OrNull(settings.boost)},
               {"smt", OrNull(settings.smt)},
               {"siblings", OrNull(settings.siblings)},
               {"idle", nullptr},
               {"isolated", OrNull(settings.isolated)},
               {"nohz_full", OrNull(settings.nohz_full)},
               {"rcu_nocbs", OrNull(settings.rcu_nocbs)},
               {"nice", Niceness()},
               {"irq_affinity", nullptr},
               {"mitigations", Json(settings.mitigations)}};
  if (const auto& idle = settings.idle)
    json["idle"] = {{"driver", idle->driver},
                    {"governor", OrNull(idle->governor)},
                    {"states", Json(idle->states)}};
  if (const auto& affinity = settings.irq_affinity)
    json["irq_affinity"] = {{"default", OrNull(affinity->standard)},
                            {"irqs", affinity->irqs},
                            {"may_hit_measured", affinity->may_hit}};
  return json;
}

Json TscJson(const Tsc& tsc) {
  Json claims = Json::object();
  for (const TscClaim& claim : tsc.claims)
    if (claim.source != "earlier") claims[claim.source] = {{"khz", claim.khz}, {"ppm", claim.ppm}};
  return {{"khz", tsc.khz},
          {"source", tsc.source},
          {"measured", {{"khz", tsc.measured_khz}, {"ms", tsc.measured_ms}}},
          {"claims", claims},
          {"invariant", tsc.invariant},
          {"step", tsc.step},
          {"clock_source", OrNull(tsc.clock_source)}};
}

Json LoadJson(const std::vector<double>& load) { return load.empty() ? Json(nullptr) : Json(load); }

Json SecondsJson(const std::optional<std::map<std::string, std::uint64_t>>& ticks) {
  if (!ticks) return nullptr;
  Json json = Json::object();
  for (const auto& [state, count] : *ticks)
    json[state] = static_cast<double>(count) / TicksPerSecond();
  return json;
}

Json ConditionsJson(const RunContext& run) {
  return {
      {"interrupts", OrNull(run.activity.interrupts)},
      {"cpu_seconds", SecondsJson(run.activity.cpu_ticks)},
      {"thermal_throttles",
       {{"core", OrNull(run.activity.core_throttles)},
        {"package", OrNull(run.activity.package_throttles)}}},
      {"smis", OrNull(run.activity.smis)},
      {"load_avg", {{"start", LoadJson(run.load_at_start)}, {"end", LoadJson(run.load_at_end)}}}};
}

Json KernelJson(const Kernel& kernel) {
  const Preemption& preemption = kernel.preemption;
  return {{"release", kernel.release},
          {"version", kernel.version},
          {"command_line", OrNull(kernel.command_line)},
          {"realtime", kernel.realtime},
          {"preemption",
           {{"model", OrNull(preemption.model)},
            {"mode", OrNull(preemption.mode)},
            {"source", OrNull(preemption.source)}}},
          {"tracepoints", OrNull(kernel.tracepoints)},
          {"config", OrNull(kernel.config)}};
}

Json KernelHypervisorJson(const std::optional<KernelHypervisor>& hypervisor) {
  if (!hypervisor) return nullptr;
  return {{"name", OrNull(hypervisor->name)}, {"source", hypervisor->source}};
}

Json BuildJson(const Build& build) {
  Json json = {{"flags", build.flags}, {"sha256", OrNull(build.sha256)}, {"module", nullptr}};
  if (build.module)
    json["module"] = {{"srcversion", OrNull(build.module->srcversion)},
                      {"build_id", OrNull(build.module->build_id)}};
  return json;
}

}  // namespace

Json BackendsJson(const std::vector<std::unique_ptr<Backend>>& backends) {
  Json json = Json::object();
  for (const auto& backend : backends) {
    Json& entry = json[std::string(backend->Name())];
    const auto unavailable = backend->WhyUnavailable();
    entry["usable"] = !unavailable;
    if (const auto execution = backend->GetExecution())
      entry["execution"] = {{"kind", execution->kind}, {"reason", execution->reason}};
    if (!unavailable) continue;
    entry["reason"] = unavailable->reason;
    entry["remedy"] = unavailable->remedy;
  }
  return json;
}

Json ContextJson(const RunContext& run, const std::vector<std::unique_ptr<Backend>>& backends,
                 const std::vector<const Probe*>& probes, const Results& results) {
  return {
      {"schema", kSchema},
      {"version", IRQCOST_VERSION},
      {"architecture", IRQCOST_ARCHITECTURE},
      {"catalogue_hash", Hexadecimal(irqcost_catalogue_hash())},
      {"code", CodeJson(probes)},
      {"command", CommandJson(run.command)},
      {"execution", {{"kind", run.execution.kind}, {"reason", run.execution.reason}}},
      {"instruction_clock", run.execution.instruction_clock},
      {"cpu", CpuJson(run.cpu, run.measured_cpu)},
      {"kernel", KernelJson(run.kernel)},
      {"cpuid_hypervisor", OrNull(run.hypervisor.name)},
      {"kernel_hypervisor", KernelHypervisorJson(run.kernel_hypervisor)},
      {"settings", SettingsJson(run.settings)},
      {"conditions", ConditionsJson(run)},
      {"tsc", TscJson(run.tsc)},
      {"backends", BackendsJson(backends)},
      {"controls", ControlsJson(run)},
      {"calibration", CalibrationJson(run.calibration)},
      {"sensor", {{"row", run.sensor.probe->key}, {"reason", run.sensor.reason}}},
      {"cycles", CyclesJson(backends, results, run.execution.counts_cycles,
                            run.calibration.imul_latency.value_or(1))},
      {"baselines", BaselinesJson(results.found)},
      {"absent", AbsentJson(results.absent)},
      {"compiler", run.build.compiler},
      {"build", BuildJson(run.build)},
  };
}

}  // namespace irqcost
