/* SPDX-License-Identifier: GPL-2.0-only */
#include "run/options.h"

#include <irqcost/abi.h>
#include <irqcost/body.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <string_view>

#include "backends/registry.h"
#include "base/catalogue.h"
#include "base/usage_error.h"

namespace irqcost {
namespace {

template <typename Number>
Number ParseNumber(const std::string& flag, const std::string& text, Number least, Number most) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end || !(value >= least && value <= most))
    throw UsageError(flag + ": '" + text + "' is not a number from " + std::to_string(least) +
                     " to " + std::to_string(most));
  return value;
}

// The words that Google Benchmark takes for a boolean flag.
bool ParseBool(const std::string& flag, const std::string& text) {
  for (const char* yes : {"", "true", "yes", "on", "1"})
    if (text == yes) return true;
  for (const char* no : {"false", "no", "off", "0"})
    if (text == no) return false;
  throw UsageError(flag + ": '" + text + "' is neither true nor false");
}

std::string ParseWord(const std::string& flag, const std::string& text,
                      const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) {
    if (word == text) return word;
    list.append(list.empty() ? "" : ", ").append(word);
  }
  throw UsageError(flag + ": '" + text + "' is none of " + list);
}

unsigned ParseUnroll(const std::string& flag, const std::string& text) {
  const auto value = ParseNumber<unsigned>(flag, text, IRQCOST_MIN_UNROLL, IRQCOST_MAX_UNROLL);
  if (!std::has_single_bit(value)) throw UsageError(flag + ": " + text + " is no power of two");
  return value;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

constexpr std::size_t kMostBlocks = 1'000'000;

std::vector<std::string> BackendNames() {
  std::vector<std::string> names;
  for (const BackendKind& kind : kBackendKinds) names.emplace_back(kind.name);
  return names;
}

std::map<std::string, double> ParseLevels(const std::string& flag, const std::string& text) {
  std::map<std::string, double> levels;
  for (const std::string& part : Split(text)) {
    const std::size_t colon = part.find(':');
    if (colon == std::string::npos)
      throw UsageError(std::string(flag).append(": '").append(part).append(
          "' is not a backend and the level of its sensor, as in ring3:0.17"));
    const std::string backend = ParseWord(flag, part.substr(0, colon), BackendNames());
    // No CPU takes in more than a hundred nops a cycle, nor needs a hundred cycles for one.
    levels[backend] = ParseNumber<double>(flag, part.substr(colon + 1), 0.01, 100);
  }
  return levels;
}

Target ParseTarget(const std::string& flag, const std::string& text) {
  const std::vector<std::string> parts = Split(text);
  if (parts.size() != 2)
    throw UsageError(std::string(flag).append(": '").append(text).append(
        "' is not percent and core cycles, as in 0.2,0.05"));
  return {ParseNumber<double>(flag, parts[0], 0.001, 100),
          ParseNumber<double>(flag, parts[1], 0.001, 1000)};
}

std::vector<std::string> ParseBackends(const std::string& flag, const std::string& text) {
  std::vector<std::string> backends;
  for (const std::string& part : Split(text)) {
    const std::string name = ParseWord(flag, part, BackendNames());
    if (std::find(backends.begin(), backends.end(), name) == backends.end())
      backends.push_back(name);
  }
  return backends;
}

std::vector<irqcost_context> ParseContexts(const std::string& flag, const std::string& text) {
  const std::vector<std::string> names(kContextNames.begin(), kContextNames.end());
  std::vector<irqcost_context> contexts;
  for (const std::string& part : Split(text)) {
    const std::string name = ParseWord(flag, part, names);
    const auto place = std::find(names.begin(), names.end(), name) - names.begin();
    const auto context = static_cast<irqcost_context>(place);
    if (std::find(contexts.begin(), contexts.end(), context) == contexts.end())
      contexts.push_back(context);
  }
  return contexts;
}

std::vector<std::string> ParseSymbols(const std::string& flag, const std::string& text) {
  std::vector<std::string> symbols = Split(text);
  if (std::find(symbols.begin(), symbols.end(), "") != symbols.end())
    throw UsageError(flag + ": '" + text + "' is no list of names such as " +
                     "_raw_spin_lock_irqsave,_raw_spin_unlock_irqrestore");
  return symbols;
}

std::vector<std::string> ParseBenchmarks(const std::string& flag, const std::string& text) {
  std::vector<std::string> names = Split(text);
  if (names.size() < 2 || std::find(names.begin(), names.end(), "") != names.end())
    throw UsageError(flag + ": '" + text + "' is no list of two benchmarks or more, such as " +
                     "ring3/slow_0/throughput,ring3/slow_1/throughput");
  return names;
}

[[noreturn]] void RefuseTime(const std::string& flag) {
  throw UsageError(flag +
                   " has no meaning here: a benchmark is a number of samples, each of about 35 µs. "
                   "Use --irqcost_samples=N");
}

struct Flag {
  const char* name;
  void (*apply)(Options&, const std::string& flag, const std::string& value);
  bool boolean = false;  // may stand without a value
};

constexpr Flag
    kFlags[] =
        {
            {"--irqcost_cpu",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.cpu = ParseNumber<int>(flag, value, 0, std::numeric_limits<int>::max());
             }},
            {"--irqcost_samples",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.samples = ParseNumber<std::size_t>(flag, value, 1, IRQCOST_MAX_SAMPLES);
             }},
            {"--irqcost_unroll",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.unroll = ParseUnroll(flag, value);
             }},
            {"--irqcost_backends",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.backends = ParseBackends(flag, value);
               o.backend.asked_for = true;
             }},
            {"--irqcost_contexts",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.backend.contexts = ParseContexts(flag, value);
             }},
            {"--irqcost_time",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.seconds = ParseNumber<double>(flag, value, 0, kMostSeconds);
             }},
            {"--irqcost_sensor",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.sensor = ParseWord(flag, value, {kSensorKeys.begin(), kSensorKeys.end()});
             }},
            {"--irqcost_sensor_level",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.sensor_levels = ParseLevels(flag, value);
             }},
            {"--irqcost_target",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.target = ParseTarget(flag, value);
             }},
            {"--irqcost_tsc_khz",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.tsc_khz = ParseNumber<double>(flag, value, 1, 1e9);
             }},
            {"--irqcost_keep_samples",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.keep_samples = ParseBool(flag, value);
             },
             true},
            {"--irqcost_code",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.code = ParseBool(flag, value);
             },
             true},
            {"--irqcost_contention",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.contention = ParseBool(flag, value);
             },
             true},
            {"--irqcost_hold_ns",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.hold_ns = ParseNumber<unsigned>(flag, value, 0, IRQCOST_MAX_HOLD_NS);
             }},
            {"--irqcost_device",
             [](Options& o, const std::string& flag, const std::string& value) {
               if (value.empty()) throw UsageError(flag + " needs the path of a device");
               o.backend.kmod_device = value;
             }},
            {"--irqcost_kvm_device",
             [](Options& o, const std::string& flag, const std::string& value) {
               if (value.empty()) throw UsageError(flag + " needs the path of a device");
               o.backend.kvm_device = value;
             }},
            {"--irqcost_machine_code",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.machine_code = ParseSymbols(flag, value);
             }},
            {"--irqcost_interleave",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.interleave = ParseBenchmarks(flag, value);
             }},
            {"--irqcost_blocks",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.blocks = ParseNumber<std::size_t>(flag, value, 1, kMostBlocks);
             }},
            {"--irqcost_simulate",
             [](Options& o, const std::string& flag, const std::string& value) {
               if (value.empty()) throw UsageError(flag + " needs the path of a description");
               o.simulate = value;
             }},
            {"--irqcost_simulate_start",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.simulate_start = ParseNumber<double>(flag, value, 0, kMostSeconds);
             }},
            {"--irqcost_simulate_process",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.simulate_process = ParseNumber<int>(flag, value, 0, 1'000'000);
             }},
            {"--irqcost_list_backends",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.list_backends = ParseBool(flag, value);
             },
             true},
            {"--irqcost_describe",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.describe = ParseBool(flag, value);
             },
             true},
            {"--benchmark_filter",
             [](Options& o, const std::string&, const std::string& value) { o.filter = value; }},
            {"--benchmark_list_tests",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.list_tests = ParseBool(flag, value);
             },
             true},
            {"--benchmark_format",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.format = ParseWord(flag, value, {"console", "json", "csv"});
             }},
            {"--benchmark_out",
             [](Options& o, const std::string&, const std::string& value) { o.out = value; }},
            {"--benchmark_out_format",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.out_format = ParseWord(flag, value, {"console", "json", "csv"});
             }},
            {"--benchmark_color",
             [](Options& o, const std::string& flag, const std::string& value) {
               o.color = value == "auto" ? value : (ParseBool(flag, value) ? "on" : "off");
             },
             true},
            {"--benchmark_min_time",
             [](Options&, const std::string& flag, const std::string&) { RefuseTime(flag); }},
            {"--benchmark_min_warmup_time",
             [](Options&, const std::string& flag, const std::string&) { RefuseTime(flag); }},
            {"--help", [](Options& o, const std::string&, const std::string&) { o.help = true; },
             true},
};

// Names until 0.4, which still work.
struct OldFlag {
  const char* old_name;
  const char* name;
};
constexpr OldFlag kOldFlags[] = {{"--irqcost_text", "--irqcost_machine_code"},
                                 {"--irqcost_waits", "--irqcost_contention"}};

// The present name of a flag; an old one is noted.
std::string PresentName(const std::string& name, std::vector<std::string>& notes) {
  for (const OldFlag& flag : kOldFlags)
    if (name == flag.old_name) {
      notes.push_back(name + " is called " + flag.name + " now");
      return flag.name;
    }
  return name;
}

const Flag* FindFlag(std::string_view name) {
  const auto* const found = std::find_if(std::begin(kFlags), std::end(kFlags),
                                         [name](const Flag& flag) { return name == flag.name; });
  return found == std::end(kFlags) ? nullptr : found;
}

// Google Benchmark reads a flag's default from the environment: --benchmark_out
// from BENCHMARK_OUT. What is taken from it here is looked up in the same way.
void ApplyEnvironment(Options& options) {
  for (const Flag& flag : kFlags) {
    std::string variable = flag.name + 2;  // without "--"
    if (!variable.starts_with("benchmark_")) continue;
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (const char* value = std::getenv(variable.c_str()))
      flag.apply(options, std::string("environment variable ").append(variable), value);
  }
}

constexpr const char kHelp[] =
    R"(irqcost-bench measures what masking interrupts costs, in ring 3 and in ring 0.
A benchmark is named backend/probe/mode, such as ring3/popf/throughput; the mode is throughput,
isolated or in_situ/K: around a critical section of K dependent core cycles (in_situ/percpu: of an
update of per-CPU data).

usage: irqcost-bench [FLAG...]

of irqcost:
  --irqcost_backends=LIST       ring3,kmod,bpf,kvm (default: all, as far as they can run; kvm only
                                where the host does not emulate its guest)
  --irqcost_cpu=N               measure on this CPU, isolated or not (default: an isolated one that
                                is idle, else the first allowed that is free, and CPU 0, which takes
                                most of a machine's interrupts, last)
  --irqcost_contexts=LIST       process,softirq,hardirq,timer (default: process): from where the
                                module calls what it measures; all but process have throughput
                                only, as in kmod/spin_lock/throughput/softirq
  --irqcost_samples=N           exactly N samples a benchmark, 1 to 65536 (default: 400, and
                                more, up to 0.5 s, while fewer than 50 are clean)
  --irqcost_time=SECONDS        for all benchmarks together: fewer samples, and less waiting for
                                clean ones, where each one's share is short; each has 50 first, if
                                there is time for them, and the rest goes where it helps most
  --irqcost_target=PERCENT,CYCLES  how well a figure is to be known over several processes, the
                                greater of the two: by it that time is shared out (default:
                                0.2,0.05)
  --irqcost_sensor=ROW          what the interference sensor is made of: nop, zero_idiom or push_pop
                                (default: tried beside a thread on the core's other CPU, if any)
  --irqcost_sensor_level=LIST   level of each backend's interference sensor as it is known from
                                other processes, in core cycles per nop, such as ring3:0.17,bpf:0.17
  --irqcost_tsc_khz=KHZ         the TSC's frequency as an earlier process found it: it is only checked
  --irqcost_keep_samples        add every sample to the JSON
  --irqcost_code=false          leave out the machine code of what was measured, and what is derived
                                from it: another process of the run recorded it
  --irqcost_contention          also lock contention by 1 to all allowed CPUs
                                (contention/cpusN/sectionK) and deferred interrupts, raised while
                                masked (pending/handler, return, masked); a filter that names
                                contention or pending selects them as well
  --irqcost_hold_ns=N           mask for N ns while an interrupt is pending, 0 to 90000 (default
                                20000)
  --irqcost_unroll=N            copies of the body in throughput mode: 4, 8, 16, 32 or 64
                                (default: the most that the probe has)
  --irqcost_interleave=A,B,...  let these benchmarks take turns (A B B A), print their figures for
                                each block as JSON, and do nothing else; one may stand there twice
  --irqcost_blocks=N            how many blocks, which have no sample in common (default: 1)
  --irqcost_device=PATH         the module's device (default: /dev/irqcost)
  --irqcost_kvm_device=PATH     KVM's device (default: /dev/kvm)
  --irqcost_machine_code=SYMBOL,...  print as JSON the machine code of these functions of the running
                                kernel and of those that they call, and do nothing else; kmod/ROW: of the
                                module's window of that row, through its device
  --irqcost_simulate=FILE       measure on the simulated machine that FILE describes
                                (docs/SIMULATE.md), on a virtual clock
  --irqcost_simulate_start=SECONDS  where on that clock this process begins (default: 0)
  --irqcost_simulate_process=N  its number in a run, by which noise differs (default: 0)
  --irqcost_describe            print as JSON what this program has, whatever the machine: catalogue,
                                backends, modes, contexts, constants; and do nothing else
  --irqcost_list_backends       print as JSON which backends can run here, and do nothing else

of Google Benchmark:
  --benchmark_list_tests        print the names and do nothing else
  --benchmark_filter=REGEX      only benchmarks whose name matches; -REGEX: that do not match
  --benchmark_format=FORMAT     console, json or csv, to standard output
  --benchmark_out=FILE          write the result file, too (docs/RESULTS.md)
  --benchmark_out_format=FORMAT json (default), console or csv
  --benchmark_repetitions=N     measure each benchmark N times and add aggregates
  --benchmark_report_aggregates_only, --benchmark_display_aggregates_only,
  --benchmark_enable_random_interleaving, --benchmark_context=KEY=VALUE, --benchmark_color=auto
                                as everywhere
  --benchmark_min_time and --benchmark_min_warmup_time are refused: see --irqcost_samples

exit codes: 0 fine; 2 usage, or something could not be measured or written; 3 the CPU went offline
)";

}  // namespace

Options ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  options.backends = BackendNames();
  ApplyEnvironment(options);
  for (const std::string& argument : arguments) {
    const std::size_t equals = argument.find('=');
    const std::string name = PresentName(argument.substr(0, equals), options.notes);
    const Flag* flag = FindFlag(name);
    if (!flag) {
      if (name.starts_with("--irqcost_"))
        throw UsageError("unknown flag " + name + "; --help lists those that there are");
      options.library_arguments.push_back(argument);
      continue;
    }
    if (equals == std::string::npos && !flag->boolean)
      throw UsageError(name + " needs a value, after a '='");
    flag->apply(options, name, equals == std::string::npos ? "" : argument.substr(equals + 1));
  }
  return options;
}

const char* HelpText() { return kHelp; }

}  // namespace irqcost
