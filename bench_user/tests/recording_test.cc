/* SPDX-License-Identifier: GPL-2.0-only */
#include "measure/recording.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>

#include "measure/estimate.h"

namespace irqcost {
namespace {

constexpr double kChain = 10'000;  // core cycles in a chain's greater window beyond the smaller one
constexpr double kLevel = 0.25;    // core cycles of a nop where nothing shares the core

constexpr double kNops = 65'536;

/** The world of a sample: ticks of a core cycle, and core cycles of a nop. */
struct World {
  double clock = 1;
  double sensor = kLevel;
  unsigned flags = 0;
};

// A row of 10 core cycles. @shown: what a clock makes of a duration.
Point PointIn(const World& world, const std::function<double(double)>& shown) {
  const auto window = [&](double cycles) { return shown(cycles * world.clock); };
  Point point;
  point.chain_base = window(kChain + 60);
  point.chain_body = window(2 * kChain + 60);
  point.chain_cycles = kChain;
  point.sensor = window(world.sensor * kNops) / kNops;
  point.base = window(10'000 + 60);
  point.body = window(20'000 + 60);
  point.ops = 1000;
  point.flags = world.flags;
  return point;
}

double Exactly(double ticks) { return ticks; }

// The samples from .. to of a row, slice by slice.
void Take(Recording& recording, std::size_t row, std::size_t from, std::size_t to,
          const std::function<World(std::size_t)>& world,
          const std::function<double(double)>& shown = Exactly) {
  for (; from < to; from += kSlice) {
    std::vector<Point> points;
    for (std::size_t i = from; i < std::min(from + kSlice, to); ++i)
      points.push_back(PointIn(world(i), shown));
    recording.Add(row, points);
  }
}

Recording Recorded(std::size_t samples, const std::function<World(std::size_t)>& world,
                   std::optional<double> known = std::nullopt) {
  Recording recording(1);
  Take(recording, recording.NewRow(), 0, samples, world);
  recording.Judge(known);
  return recording;
}

std::size_t CleanOf(const Recording& recording, std::size_t row = 0) {
  const std::vector<Judged> judged = recording.Of(row);
  return static_cast<std::size_t>(
      std::count_if(judged.begin(), judged.end(), [](const Judged& j) { return j.clean; }));
}

std::string LabelOf(const Recording& recording) {
  return EstimateFrom(recording.Of(0), {}, recording).label;
}

std::size_t CleanAmong(const std::vector<Judged>& judged, std::size_t from, std::size_t to) {
  std::size_t clean = 0;
  for (std::size_t i = from; i < to; ++i) clean += judged[i].clean;
  return clean;
}

TEST(ToPoints, DividesByOperationsCyclesAndNops) {
  irqcost_sample sample{};
  sample.chain_base = 1000;
  sample.chain_body = 1000 + 10 * 32 * 4 * 2;  // 10 loops at 4 cycles a multiply, 2 ticks a cycle
  sample.sensor = 5 * 128 / 2;                 // 5 loops at half a tick a nop
  sample.base = 700;
  sample.body = 1900;
  sample.flags = IRQCOST_SAMPLE_INTERRUPTED;
  const irqcost::Run run{{sample}, {3, 10, 5}, 400, {}, {}};
  const std::vector<Point> points = ToPoints(run, 4);
  ASSERT_EQ(points.size(), 1U);
  EXPECT_DOUBLE_EQ(points[0].Ticks(), 3);
  EXPECT_DOUBLE_EQ(points[0].Cycle(), 2);
  EXPECT_DOUBLE_EQ(points[0].sensor, 0.5);
  EXPECT_EQ(points[0].flags, unsigned{IRQCOST_SAMPLE_INTERRUPTED});
  EXPECT_EQ(points[0].counted, 0);
  EXPECT_DOUBLE_EQ(ToPoints(run, 1)[0].Cycle(), 8);
  EXPECT_DOUBLE_EQ(ToPoints(run, 4, 0.4)[0].sensor, 0.2);
}

TEST(ToPoints, KeepsANegativeDifference) {
  irqcost_sample sample{};
  sample.base = 110;
  sample.body = 100;
  EXPECT_DOUBLE_EQ(ToPoints({{sample}, {}, 10, {}, {}}, 3)[0].Ticks(), -1);
}

TEST(Recording, OfAQuietCoreIsClean) {
  const Recording recording = Recorded(100, [](std::size_t) { return World{}; });
  EXPECT_EQ(CleanOf(recording), 100U);
  EXPECT_DOUBLE_EQ(recording.Level().value, kLevel);
  EXPECT_TRUE(recording.Level().steady);
  EXPECT_EQ(recording.JudgedBy(), kLevel);
  EXPECT_EQ(LabelOf(recording), kCleanLabel);
}

TEST(Recording, TheLocalClockFollowsADrift) {
  const auto clock = [](std::size_t i) { return 0.8 * (1 + 0.02 * static_cast<double>(i) / 2500); };
  const Recording recording = Recorded(2500, [&](std::size_t i) { return World{clock(i)}; });
  EXPECT_EQ(CleanOf(recording), 2500U);
  const std::vector<Judged> judged = recording.Of(0);
  for (std::size_t i = 0; i < judged.size(); ++i)
    EXPECT_NEAR(judged[i].clock / clock(i), 1, 0.0006) << i;
}

TEST(Recording, TheLocalClockFollowsAStep) {
  const auto clock = [](std::size_t i) { return i < 500 ? 0.8 : 1.04; };
  const Recording recording = Recorded(1000, [&](std::size_t i) { return World{clock(i)}; });
  EXPECT_EQ(CleanOf(recording), 1000U);
  for (std::size_t i : {0U, 499U, 500U, 999U})
    EXPECT_DOUBLE_EQ(recording.Of(0)[i].clock, clock(i)) << i;
}

// In the middle of a slice the samples of one of the two speeds are not those of its clock.
TEST(Recording, AStepWithinASliceCostsNoMoreThanThat) {
  const auto clock = [](std::size_t i) { return i < 510 ? 0.8 : 1.04; };
  const Recording recording = Recorded(1000, [&](std::size_t i) { return World{clock(i)}; });
  EXPECT_GE(CleanOf(recording), 1000 - kSlice);
  EXPECT_LT(CleanOf(recording), 1000U);
  const std::vector<Judged> judged = recording.Of(0);
  for (std::size_t i = 0; i < judged.size(); ++i)
    EXPECT_TRUE(!judged[i].clean || std::abs(judged[i].clock / clock(i) - 1) < 1e-9) << i;
}

TEST(Recording, AContaminatedChainIsNotClean) {
  Recording recording(1);
  std::vector<Point> points(kSlice, PointIn({}, Exactly));
  points[5].chain_body += 0.004 * kChain;
  points[6].chain_body += 0.006 * kChain;
  points[7].chain_base += 0.006 * kChain;
  recording.Add(recording.NewRow(), points);
  recording.Judge(std::nullopt);
  const std::vector<Judged> judged = recording.Of(0);
  EXPECT_TRUE(judged[5].clean);
  EXPECT_FALSE(judged[6].clean);
  EXPECT_FALSE(judged[7].clean);
  EXPECT_EQ(CleanOf(recording), kSlice - 2);
}

// The sensor is in front of a sample, so that one beside a neighbour shows that before it
// too, and what stands after it may be disturbed still.
TEST(Recording, ANeighboursSamplesAndThoseBesideThemAreFound) {
  const Recording recording = Recorded(1000, [](std::size_t i) {
    return World{1, (i >= 510 && i < 590) || i == 705 ? 1.5 * kLevel : kLevel};
  });
  const std::vector<Judged> judged = recording.Of(0);
  for (std::size_t i = 0; i < judged.size(); ++i)
    EXPECT_EQ(judged[i].clean, !(i >= 509 && i <= 590) && !(i >= 704 && i <= 706)) << i;
}

TEST(Recording, OtherSlicesAreNoNeighboursOfASample) {
  const Recording recording = Recorded(100, [](std::size_t i) {
    return World{1, i == 25 || i == 74 ? 1.5 * kLevel : kLevel};
  });
  const std::vector<Judged> judged = recording.Of(0);
  for (std::size_t i = 0; i < judged.size(); ++i)
    EXPECT_EQ(judged[i].clean, i != 25 && i != 26 && i != 73 && i != 74) << i;
}

TEST(Recording, ASensorIsFreeWithinThreePerCent) {
  const Recording recording = Recorded(200, [](std::size_t i) {
    const double factor[] = {1.029, 1.031, 0.971, 0.969};
    return World{1, (i % kSlice == 10 && i < 100 ? factor[i / kSlice] : 1) * kLevel};
  });
  const std::vector<Judged> judged = recording.Of(0);
  EXPECT_TRUE(judged[10].clean);
  EXPECT_FALSE(judged[35].clean);
  EXPECT_TRUE(judged[60].clean);
  EXPECT_FALSE(judged[85].clean);
}

TEST(Recording, FlaggedSamplesAreNotClean) {
  const Recording recording = Recorded(100, [](std::size_t i) {
    return World{1, kLevel, i % 10 == 0 ? unsigned{IRQCOST_SAMPLE_PREEMPTED} : 0};
  });
  EXPECT_EQ(CleanOf(recording), 90U);
}

// There half of the time, and as steady as an undisturbed core: the lower level is the core's own.
TEST(Recording, ANeighbourHalfOfTheTime) {
  const auto beside = [](std::size_t i) { return i / 100 % 2 == 0; };
  const Recording recording = Recorded(1000, [&](std::size_t i) {
    return World{1, beside(i) ? 1.6 * kLevel : kLevel};
  });
  EXPECT_DOUBLE_EQ(recording.Level().value, kLevel);
  EXPECT_TRUE(recording.Level().steady);
  EXPECT_EQ(CleanOf(recording), 500U);
  for (std::size_t i : {50U, 150U}) EXPECT_EQ(recording.Of(0)[i].clean, !beside(i)) << i;
}

// Most of the time, the clean samples are too few to say what the level is, but enough to say
// that the neighbour's is not.
TEST(Recording, ANeighbourMostOfTheTimeLeavesNoLevel) {
  const Recording recording = Recorded(1000, [](std::size_t i) {
    return World{1, i / 100 == 5 ? kLevel : 1.6 * kLevel};
  });
  EXPECT_FALSE(recording.Level().steady);
  EXPECT_EQ(CleanOf(recording), 0U);
}

World Scattering(std::size_t i) {
  std::mt19937 random(static_cast<unsigned>(i));
  return {1, std::uniform_real_distribution<double>(0.2, 0.4)(random)};
}

TEST(Recording, ANeighbourThatStaysHasNoSteadyLevel) {
  const Recording recording = Recorded(1000, Scattering);
  EXPECT_FALSE(recording.Level().steady);
  EXPECT_FALSE(recording.JudgedBy());
  EXPECT_NEAR(recording.Level().low, 0.25, 0.01);
  EXPECT_NEAR(recording.Level().high, 0.35, 0.01);
  EXPECT_EQ(CleanOf(recording), 0U);
  const std::string label = LabelOf(recording);
  EXPECT_EQ(label.find("disturbed: the interference sensor has no steady level (0.2"), 0U) << label;
  EXPECT_NE(label.find("a neighbour shares the core"), std::string::npos) << label;
}

TEST(Recording, AKnownLevelCountsWhereThereIsNoneOfItsOwn) {
  const Recording recording = Recorded(1000, Scattering, kLevel);
  EXPECT_EQ(recording.JudgedBy(), kLevel);
  EXPECT_FALSE(recording.Level().steady);
  for (const Judged& j : recording.Of(0))
    EXPECT_TRUE(!j.clean || std::abs(j.point->sensor / kLevel - 1) <= kSensorTolerance);
  // One in 13 lies there by chance; with those beside it, one in 2,000.
  EXPECT_LT(CleanOf(recording), 10U);
  EXPECT_EQ(LabelOf(recording).find("disturbed: " + std::to_string(CleanOf(recording)) +
                                    " of 1000 samples clean"),
            0U);
}

TEST(Recording, AKnownLevelCountsWhereItsOwnIsHigher) {
  const Recording beside = Recorded(
      200,
      [](std::size_t) {
        return World{1, 1.5 * kLevel};
      },
      kLevel);
  EXPECT_DOUBLE_EQ(beside.Level().value, 1.5 * kLevel);
  EXPECT_TRUE(beside.Level().steady);
  EXPECT_EQ(beside.JudgedBy(), kLevel);
  EXPECT_EQ(CleanOf(beside), 0U);
}

TEST(Recording, AKnownLevelDoesNotCountWhereItsOwnIsTheSameOrLower) {
  const auto alone = [](std::size_t) { return World{}; };
  EXPECT_EQ(CleanOf(Recorded(200, alone, 1.5 * kLevel)), 200U);
  EXPECT_EQ(Recorded(200, alone, 1.5 * kLevel).JudgedBy(), kLevel);
  EXPECT_EQ(Recorded(200, alone, 0.98 * kLevel).JudgedBy(), kLevel);
}

// The first samples lay beside a neighbour, and looked like those of a core of its own.
TEST(Recording, LaterSamplesJudgeEarlierOnes) {
  const auto world = [](std::size_t i) { return World{1, i < 50 ? 1.5 * kLevel : kLevel}; };
  Recording recording(1);
  const std::size_t row = recording.NewRow();
  Take(recording, row, 0, 50, world);
  recording.Judge(std::nullopt);
  EXPECT_EQ(CleanOf(recording), 50U);
  Take(recording, row, 50, 500, world);
  recording.Judge(std::nullopt);
  EXPECT_EQ(CleanOf(recording), 450U);
  EXPECT_EQ(CleanAmong(recording.Of(0), 0, 50), 0U);
}

TEST(Recording, RowsJudgeEachOtherAndKeepTheirOwnSamples) {
  Recording recording(1);
  const std::size_t first = recording.NewRow(), second = recording.NewRow();
  for (std::size_t turn = 0; turn < 8; ++turn) {
    Take(recording, first, 0, kSlice, [](std::size_t) { return World{1, 1.5 * kLevel}; });
    Take(recording, second, 0, 2 * kSlice, [](std::size_t) { return World{}; });
  }
  recording.Judge(std::nullopt);
  EXPECT_EQ(recording.Of(first).size(), 8 * kSlice);
  EXPECT_EQ(recording.Of(second).size(), 16 * kSlice);
  EXPECT_EQ(CleanOf(recording, first), 0U);
  EXPECT_EQ(CleanOf(recording, second), 16 * kSlice);
}

// Windows of a third of the usual length by a clock that advances by 21 ticks.
TEST(Recording, ACoarseStepDoesNotRefuseCleanSamples) {
  constexpr double kStep = 21;
  const auto judged = [](double step) {
    std::mt19937 random(1);  // NOLINT: always the same
    std::uniform_real_distribution<double> phase(0, kStep);
    const auto shown = [&](double ticks) {
      const double begun = phase(random);
      return std::floor((begun + ticks) / kStep) * kStep;
    };
    Recording recording(step);
    Take(
        recording, recording.NewRow(), 0, 500, [](std::size_t) { return World{0.3}; }, shown);
    recording.Judge(std::nullopt);
    return CleanOf(recording);
  };
  EXPECT_EQ(judged(kStep), 500U);
  EXPECT_LT(judged(1), 450U);
}

TEST(Recording, WithoutAClockNothingIsClean) {
  Recording recording(1);
  std::vector<Point> points(50, PointIn({}, Exactly));
  for (Point& point : points) std::swap(point.chain_base, point.chain_body);
  recording.Add(recording.NewRow(), points);
  recording.Judge(kLevel);
  for (const Judged& j : recording.Of(0)) {
    EXPECT_EQ(j.clock, 0);
    EXPECT_FALSE(j.clean);
  }
}

// Nobody shared the core: whoever took the CPU itself is named by the flags.
TEST(Recording, FlagsAloneAreNoNeighbour) {
  const auto label = [](std::size_t unflagged) {
    return LabelOf(Recorded(100, [=](std::size_t i) {
      return World{1, kLevel, i < unflagged ? 0 : unsigned{IRQCOST_SAMPLE_PREEMPTED}};
    }));
  };
  EXPECT_EQ(label(0), "disturbed: 0 of 100 samples clean");
  EXPECT_EQ(label(9), "disturbed: 0 of 100 samples clean");
  EXPECT_EQ(label(12), kCleanLabel);
}

TEST(Recording, OfNothingIsEmpty) {
  Recording recording(1);
  recording.NewRow();
  recording.Judge(std::nullopt);
  EXPECT_TRUE(recording.Of(0).empty());
  EXPECT_FALSE(recording.JudgedBy());
}

}  // namespace
}  // namespace irqcost
