/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/sensor.h"

#include <gtest/gtest.h>

#include <map>

#include "simulate/backend.h"
#include "simulate/description.h"
#include "simulate/timeline.h"

namespace irqcost {
namespace {

using simulate::Description;
using simulate::ParseDescription;
using simulate::Timeline;

/** A simulated core with a second thread, which takes these shares of windows. */
class Core {
 public:
  explicit Core(const std::string& shares)
      : description_(ParseDescription(
            R"({"name": "x", "smt": true, "neighbour": {"shares": )" + shares + "}}", "x.json")),
        timeline_(description_, 0, 0),
        ring3_(simulate::MakeBackend("ring3", true, description_, 0, timeline_, {})) {}

  SensorChoice Choose(bool with_sibling) {
    struct Thread final : Sibling {
      explicit Thread(Timeline& timeline) : timeline_(timeline) {}
      [[nodiscard]] std::string Name() const override { return "CPU 7"; }
      void Start() override { timeline_.SetSibling(true); }
      void Stop() override { timeline_.SetSibling(false); }
      Timeline& timeline_;
    };
    Thread thread(timeline_);
    SamplerOptions options;
    options.ticks_per_us = description_.clock.tsc_mhz;
    options.tsc_step = 1;
    return ChooseSensor(*ring3_, options, controls, with_sibling ? &thread : nullptr);
  }

  Controls controls;

 private:
  Description description_;
  Timeline timeline_;
  std::unique_ptr<Backend> ring3_;
};

TEST(ChooseSensor, TakesNopsWhereTheyTell) {
  const SensorChoice choice = Core(R"({"nop": 0.6, "zero_idiom": 2})").Choose(true);
  EXPECT_EQ(choice.probe->key, "nop");
  EXPECT_NE(choice.reason.find("longer beside a thread on CPU 7"), std::string::npos);
}

TEST(ChooseSensor, TakesAnotherWhereNopsTellNothing) {
  EXPECT_EQ(Core(R"({"nop": 0, "zero_idiom": 0.5})").Choose(true).probe->key, "zero_idiom");
  EXPECT_EQ(Core(R"({"nop": 0, "zero_idiom": 0, "push_pop": 0.3})").Choose(true).probe->key,
            "push_pop");
}

TEST(ChooseSensor, SaysWhereNothingTells) {
  const SensorChoice choice =
      Core(R"({"nop": 0, "zero_idiom": 0, "push_pop": 0, "other": 0})").Choose(true);
  EXPECT_EQ(choice.probe->key, "nop");
  EXPECT_NE(choice.reason.find("a neighbour there would not show"), std::string::npos);
}

TEST(ChooseSensor, GoesByTheSpreadWithoutASibling) {
  Core core("{}");
  core.controls.nop.ticks = core.controls.zero_idiom.ticks = 1;
  core.controls.nop.spread = 0.002;
  core.controls.zero_idiom.spread = 0.002;
  EXPECT_EQ(core.Choose(false).probe->key, "nop");
  core.controls.zero_idiom.spread = 0.1;
  EXPECT_EQ(core.Choose(false).probe->key, "zero_idiom");
  core.controls.nop.spread = 0.1;
  EXPECT_EQ(core.Choose(false).probe->key, "nop");
}

}  // namespace
}  // namespace irqcost
