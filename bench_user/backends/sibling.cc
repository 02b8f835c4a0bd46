/* SPDX-License-Identifier: GPL-2.0-only */
#include "backends/sibling.h"

#include "backends/windows.h"
#include "base/affinity.h"

namespace irqcost {
namespace {

// About 10 µs of each, so that it ends as soon as it is asked to.
constexpr unsigned kLoops = 300;

}  // namespace

void SiblingThread::Start() {
  stop_ = false;
  runs_ = false;
  thread_ = std::thread([this] {
    try {
      PinToCpu(cpu_);
    } catch (const std::system_error&) {
      stop_ = true;  // It went offline: then nothing shows, as on a core without another thread.
    }
    Scratch scratch{};
    const auto window = [](std::string_view key) {
      return Windows(*FindProbe(key), IRQCOST_RING3)[irqcost_window_index(IRQCOST_SENSOR_SIZE)];
    };
    const irqcost_window_fn nops = window("nop"), stack = window("push_pop");
    runs_ = true;
    while (!stop_) {
      nops(kLoops, &scratch);
      stack(kLoops, &scratch);
    }
  });
  while (!runs_) std::this_thread::yield();
}

void SiblingThread::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

}  // namespace irqcost
