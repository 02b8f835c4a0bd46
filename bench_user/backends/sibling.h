/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IRQCOST_BENCH_USER_BACKENDS_SIBLING_H
#define IRQCOST_BENCH_USER_BACKENDS_SIBLING_H

#include <atomic>
#include <string>
#include <thread>

namespace irqcost {

/** A thread of ours on the core's other hardware thread, which keeps that busy. */
class Sibling {
 public:
  Sibling() = default;
  Sibling(const Sibling&) = delete;
  Sibling& operator=(const Sibling&) = delete;
  virtual ~Sibling() = default;

  /** What it is, for a sentence: "CPU 3". */
  [[nodiscard]] virtual std::string Name() const = 0;
  /** Begins to work; returns when it does. */
  virtual void Start() = 0;
  /** Ends; returns when it has. */
  virtual void Stop() = 0;
};

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
