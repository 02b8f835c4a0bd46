/* SPDX-License-Identifier: GPL-2.0-only */
#include "run/contention.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "backends/instructions.h"

namespace irqcost {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kLocks = {"spin_lock", "spin_lock_irqsave",
                                                    "raw_spin_lock_irqsave"};
constexpr std::array<unsigned, 3> kSections = {0, 50, 500};
// Beside the rows of instructions (MaskingRows()).
constexpr std::array<std::string_view, 3> kMaskings = {
    "local_irq_save_restore", "spin_lock_irqsave", "raw_spin_lock_irqsave"};

struct NamedPart {
  DeferredPart part;
  const char* name;
};
constexpr std::array<NamedPart, 3> kParts = {{{DeferredPart::kHandler, "handler"},
                                              {DeferredPart::kReturn, "return"},
                                              {DeferredPart::kMasked, "masked"}}};

// Each number up to this is a size of its own.
constexpr std::size_t kEachUpTo = 8;

// A run of one round: two halves of IRQCOST_ROUND_US, and its threads.
constexpr double kContentionUs = 2 * IRQCOST_ROUND_US + 1000;
constexpr double kMostRuns = 40;
// A sample has two masked stretches and the chain.
constexpr double kChainUs = 15;
// Loops of the masked work: more than fit, so that the module takes as many as do.
constexpr unsigned kLoops = 1024;

// As many samples as the user says, else what fits into the time, but enough for a figure.
std::size_t Count(const SamplerOptions& options, double us_each, double most) {
  if (options.samples) return *options.samples;
  return static_cast<std::size_t>(
      std::clamp(options.share_us / us_each, double{kFewestClean}, most));
}

Json PercentilesJson(const Percentiles& p) {
  return {{"min", p.min}, {"p1", p.p1},   {"p10", p.p10}, {"p25", p.p25}, {"p50", p.p50},
          {"p75", p.p75}, {"p90", p.p90}, {"p99", p.p99}, {"max", p.max}};
}

Json WorkJson(const std::optional<MaskedWork>& work) {
  if (!work) return nullptr;
  return {{"quiet", work->quiet}, {"pending", work->pending}};
}

std::optional<unsigned> ImulLatency(const SamplerOptions& options) {
  if (!options.with_cycles) return std::nullopt;
  return options.imul_latency;
}

ContentionMeasurement MeasureLock(const ContentionBenchmark& bench, const SamplerOptions& options) {
  const LockRequest request{bench.probe, bench.section, bench.cpus, 1};
  std::vector<LockRun> runs;
  const std::size_t count = Count(options, kContentionUs, kMostRuns);
  while (runs.size() < count) runs.push_back(bench.backend->Contend(request));
  const LockContention found = SummariseLock(request, runs, ImulLatency(options));
  const ContentionEstimate& e = found.estimate;
  Json object = {{"cpus", request.cpus},
                 {"section", request.section},
                 {"operations", found.operations},
                 {"rounds", found.rounds},
                 {"not_run", found.not_run},
                 {"per_second", e.ticks > 0 ? options.ticks_per_us * 1e6 / e.ticks : 0},
                 {"fairness", {{"jain", found.jain}, {"min_over_max", found.min_over_max}}},
                 {"alone_ticks", found.alone},
                 {"sleeps", found.sleeps},
                 {"wait_ticks", PercentilesJson(found.wait)},
                 {"irqs_off_ticks", nullptr}};
  if (found.masks)
    object["irqs_off_ticks"] = {{"p50", found.wait.p50},
                                {"p99", found.wait.p99},
                                {"max", found.wait.max},
                                {"longest_with_section", e.longest_irqs_off}};
  return {e, "contention", std::move(object)};
}

ContentionMeasurement MeasureDeferred(const ContentionBenchmark& bench,
                                      const SamplerOptions& options) {
  const double us_each = kChainUs + 2 * bench.hold_ns / 1e3;
  const DeferredRun run = bench.backend->Raise({bench.probe, options.cpu, bench.hold_ns, kLoops,
                                                Count(options, us_each, double{kDefaultSamples})});
  const DeferredInterrupts found = SummariseDeferred(bench.part, run, ImulLatency(options));
  Json object = {{"requested_ns", bench.hold_ns},
                 {"ticks", PercentilesJson(found.ticks)},
                 {"late", found.late}};
  if (bench.part == DeferredPart::kMasked)
    object["work_ticks"] = {{"add", WorkJson(found.add)}, {"nop", WorkJson(found.nop)}};
  return {found.estimate, "pending", std::move(object)};
}

void AddLocks(const Backend& backend, ContentionBackend& own, const ContentionOptions& options,
              std::vector<ContentionBenchmark>& benchmarks) {
  for (const std::string_view lock : kLocks)
    for (const unsigned section : kSections)
      for (const std::size_t size : ContentionSizes(options.cpus.size())) {
        ContentionBenchmark bench;
        bench.name = std::string(backend.Name())
                         .append("/")
                         .append(lock)
                         .append("/contention/cpus")
                         .append(std::to_string(size))
                         .append("/section")
                         .append(std::to_string(section));
        bench.backend = &own;
        bench.probe = FindProbe(lock);
        bench.section = section;
        bench.cpus.assign(options.cpus.begin(),
                          options.cpus.begin() + static_cast<std::ptrdiff_t>(size));
        benchmarks.push_back(std::move(bench));
      }
}

void AddDeferred(const Backend& backend, ContentionBackend& own, const ContentionOptions& options,
                 std::vector<ContentionBenchmark>& benchmarks) {
  const auto instructions = MaskingRows();
  std::vector<std::string_view> maskings(instructions.begin(), instructions.end());
  maskings.insert(maskings.end(), kMaskings.begin(), kMaskings.end());
  const std::vector<SupportedProbe> supported = backend.SupportedProbes();
  for (const std::string_view masking : maskings)
    for (const NamedPart& part : kParts) {
      ContentionBenchmark bench;
      bench.name = std::string(backend.Name())
                       .append("/")
                       .append(masking)
                       .append("/pending/")
                       .append(part.name);
      bench.backend = &own;
      bench.probe = FindProbe(masking);
      bench.part = part.part;
      bench.hold_ns = options.hold_ns;
      // What cannot run here at all cannot do so while an interrupt is raised.
      const auto row = std::ranges::find_if(supported, [&bench](const SupportedProbe& one) {
        return one.probe == bench.probe && !one.modes.empty() &&
               one.modes.front().context == IRQCOST_PROCESS;
      });
      if (row != supported.end()) bench.unusable = row->unusable;
      if (own.LocksSleep() && (bench.probe->where & IRQCOST_RT_SLEEPS))
        bench.unusable = "masks nothing on PREEMPT_RT, where it sleeps";
      benchmarks.push_back(std::move(bench));
    }
}

}  // namespace

std::vector<std::size_t> ContentionSizes(std::size_t cpus) {
  cpus = std::min<std::size_t>(cpus, IRQCOST_MAX_CONTENDERS);
  std::vector<std::size_t> sizes;
  for (std::size_t size = 1; size < cpus; size = size < kEachUpTo ? size + 1 : size * 2)
    sizes.push_back(size);
  if (cpus > 0) sizes.push_back(cpus);
  return sizes;
}

std::vector<ContentionBenchmark> ContentionBenchmarks(
    const std::vector<std::unique_ptr<Backend>>& backends, const ContentionOptions& options) {
  std::vector<ContentionBenchmark> benchmarks;
  for (const auto& backend : backends) {
    ContentionBackend* own = backend->GetContention();
    if (!own || backend->WhyUnavailable()) continue;
    AddLocks(*backend, *own, options, benchmarks);
    AddDeferred(*backend, *own, options, benchmarks);
  }
  return benchmarks;
}

bool FilterNamesContention(const std::string& filter) {
  if (filter.starts_with('-')) return false;
  return filter.find("contention") != std::string::npos ||
         filter.find("pending") != std::string::npos;
}

ContentionMeasurement MeasureContention(const ContentionBenchmark& bench,
                                        const SamplerOptions& options) {
  return bench.cpus.empty() ? MeasureDeferred(bench, options) : MeasureLock(bench, options);
}

}  // namespace irqcost
