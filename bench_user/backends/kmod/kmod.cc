/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/kmod/kmod.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "backends/registry.h"
#include "base/affinity.h"

namespace irqcost {
namespace {

constexpr const char* kRebuild = "build the module from this source tree and load it again";

std::string Text(const char (&field)[IRQCOST_NAME_LEN]) {
  return {field, strnlen(field, sizeof(field))};
}

}  // namespace

Unavailable CannotOpen(const std::string& device, int error, bool loads_modules) {
  const std::string reason = device + ": " + std::generic_category().message(error);
  if (error == ENOENT && !loads_modules)
    return {reason,
            "this kernel loads no modules: boot one that does, or count instructions with "
            "`./irqcost vm`"};
  if (error == ENOENT)
    return {reason,
            "load the module: build bench_kmod for the running kernel, then insmod irqcost.ko"};
  if (error == EACCES || error == EPERM)
    return {reason, geteuid() != 0
                        ? "run as root: the device has mode 0600"
                        : "give the device to the container (docker run --device " + device + ")"};
  return {reason, "check that it is the device of irqcost.ko"};
}

Kmod::Kmod(const std::string& device, std::vector<irqcost_context> contexts)
    : fd_(open(device.c_str(), O_RDWR | O_CLOEXEC)), contexts_(std::move(contexts)) {
  if (fd_.Get() < 0) {
    const int error = errno;
    // Only a kernel that loads modules lists them.
    unavailable_ = CannotOpen(device, error, access("/proc/modules", F_OK) == 0);
    return;
  }
  info_.size = sizeof(info_);
  if (ioctl(fd_.Get(), IRQCOST_IOC_INFO, &info_) != 0) {
    const int error = errno;
    if (error == E2BIG)
      unavailable_ = {device + ": the module has another struct irqcost_info", kRebuild};
    else
      unavailable_ = {device + ": INFO failed: " + std::generic_category().message(error),
                      "check that it is the device of irqcost.ko"};
  } else if (info_.abi_revision != IRQCOST_ABI_REVISION) {
    unavailable_ = {"the module has ABI revision " + std::to_string(info_.abi_revision) +
                        ", this harness " + std::to_string(IRQCOST_ABI_REVISION),
                    kRebuild};
  } else if (info_.sample_size != sizeof(irqcost_sample)) {
    unavailable_ = {"the module has samples of " + std::to_string(info_.sample_size) +
                        " bytes, this harness of " + std::to_string(sizeof(irqcost_sample)),
                    kRebuild};
  } else if (info_.catalogue_hash != irqcost_catalogue_hash()) {
    unavailable_ = {"the module was built from another catalogue than this harness", kRebuild};
  }
}

std::optional<KernelFacts> Kmod::GetKernelFacts() const {
  if (unavailable_) return std::nullopt;
  KernelFacts facts{info_.config, std::nullopt};
  if (info_.tsc_khz != 0) facts.tsc_khz = info_.tsc_khz;
  return facts;
}

SupportedProbe Kmod::SupportedProbeOf(std::uint32_t index, irqcost_context context) const {
  irqcost_probe row{};
  row.size = sizeof(row);
  row.index = index;
  row.context = context;
  if (ioctl(fd_.Get(), IRQCOST_IOC_PROBE, &row) != 0)
    throw std::system_error(errno, std::generic_category(), "kmod: PROBE " + std::to_string(index));
  const Probe* probe = FindProbe(row.id);
  if (!probe)
    throw std::system_error(EPROTO, std::generic_category(),
                            "kmod: unknown probe " + std::to_string(row.id));
  SupportedProbe supported{probe, {}, row.min_unroll, row.max_unroll, Text(row.unusable)};
  // A row that cannot run here need not name a mode, but is still seen to be absent.
  for (const Mode mode : KernelModes(*probe, context))
    if (!supported.unusable.empty() || row.modes & (1U << mode.kind))
      supported.modes.push_back(mode);
  return supported;
}

std::vector<SupportedProbe> Kmod::SupportedProbes() const {
  std::vector<SupportedProbe> probes;
  if (unavailable_) return probes;
  for (std::uint32_t index = 0; index < info_.nr_probes; ++index)
    for (const irqcost_context context : contexts_)
      probes.push_back(SupportedProbeOf(index, context));
  return probes;
}

CounterOfCycles Kmod::GetCounter() const {
  if (info_.aperf_errno == 0) return {"aperf", {}};
  const std::string error = std::generic_category().message(static_cast<int>(info_.aperf_errno));
  if (info_.aperf_errno == EOPNOTSUPP) return {{}, "CPUID does not have APERF and MPERF: " + error};
  return {{}, "APERF and MPERF cannot be read: " + error};
}

Run Kmod::Measure(const Request& request) {
  measured_.insert(request.probe);
  PinToCpu(request.cpu);
  Run run;
  run.samples.resize(request.samples);
  irqcost_run args{};
  args.size = sizeof(args);
  args.probe = request.probe->id;
  args.mode = request.mode.kind;
  args.section = request.mode.section;
  args.context = request.mode.context;
  args.cpu = static_cast<std::uint32_t>(request.cpu);
  args.unroll = request.unroll;
  args.loops = request.loops.body;
  args.chain_loops = request.loops.chain;
  args.sensor_loops = request.loops.sensor;
  args.sensor = static_cast<std::uint32_t>(
      std::find(kSensorKeys.begin(), kSensorKeys.end(), request.sensor->key) - kSensorKeys.begin());
  args.samples = request.samples;
  args.buffer = reinterpret_cast<std::uintptr_t>(run.samples.data());
  args.buffer_bytes = run.samples.size() * sizeof(irqcost_sample);
  if (ioctl(fd_.Get(), IRQCOST_IOC_RUN, &args) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "kmod: RUN " + std::string(request.probe->key));
  run.samples.resize(args.samples);
  run.loops = {args.loops, args.chain_loops, args.sensor_loops};
  run.ops = args.ops;
  run.longest_irqs_off = args.longest_irqs_off;
  return run;
}

std::unique_ptr<Backend> MakeKmod(const BackendOptions& options) {
  return std::make_unique<Kmod>(options.kmod_device, options.contexts);
}

}  // namespace irqcost
