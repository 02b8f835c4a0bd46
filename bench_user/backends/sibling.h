/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_SIBLING_H
#define IRQCOST_BENCH_USER_BACKENDS_SIBLING_H

#include <atomic>
#include <thread>

#include "measure/sensor.h"

namespace irqcost {

/** A thread that runs nops and stack round trips on a CPU. */
class SiblingThread final : public Sibling {
 public:
  explicit SiblingThread(int cpu) : cpu_(cpu) {}
  ~SiblingThread() override { Stop(); }

  [[nodiscard]] std::string Name() const override { return "CPU " + std::to_string(cpu_); }
  void Start() override;
  void Stop() override;

 private:
  int cpu_;
  std::atomic<bool> runs_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_BACKENDS_SIBLING_H
