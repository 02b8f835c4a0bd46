/* SPDX-License-Identifier: GPL-2.0-only */
#include <sys/ioctl.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "backends/kmod/kmod.h"
#include "base/affinity.h"

namespace irqcost {

bool Kmod::LocksSleep() const { return (info_.config & IRQCOST_CONFIG_PREEMPT_RT) != 0; }

LockRun Kmod::Contend(const LockRequest& request) {
  // The module lets threads run where this one may, and nowhere else.
  BindToCpus(request.cpus);
  LockRun run;
  for (const int cpu : request.cpus)
    run.contenders.emplace_back().cpu = static_cast<std::uint32_t>(cpu);
  irqcost_contention args{};
  args.size = sizeof(args);
  args.probe = request.lock->id;
  args.section = request.section;
  args.rounds = request.rounds;
  args.nr_cpus = static_cast<std::uint32_t>(run.contenders.size());
  args.contenders = reinterpret_cast<std::uintptr_t>(run.contenders.data());
  args.buffer_bytes = run.contenders.size() * sizeof(irqcost_contender);
  if (ioctl(fd_.Get(), IRQCOST_IOC_CONTENTION, &args) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "kmod: CONTENTION " + std::string(request.lock->key));
  run.rounds = args.rounds;
  run.alone = args.alone;
  run.traits = args.traits;
  return run;
}

DeferredRun Kmod::Raise(const DeferredRequest& request) {
  PinToCpu(request.cpu);
  DeferredRun run;
  run.samples.resize(request.samples);
  irqcost_pending args{};
  args.size = sizeof(args);
  args.probe = request.masking->id;
  args.cpu = static_cast<std::uint32_t>(request.cpu);
  args.hold_ns = request.hold_ns;
  args.loops = request.loops;
  args.samples = static_cast<std::uint32_t>(request.samples);
  args.buffer = reinterpret_cast<std::uintptr_t>(run.samples.data());
  args.buffer_bytes = run.samples.size() * sizeof(irqcost_pending_sample);
  if (ioctl(fd_.Get(), IRQCOST_IOC_PENDING, &args) != 0)
    throw std::system_error(errno, std::generic_category(),
                            "kmod: PENDING " + std::string(request.masking->key));
  run.samples.resize(args.samples);
  run.loops = args.loops;
  return run;
}

}  // namespace irqcost
