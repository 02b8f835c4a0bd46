/* SPDX-License-Identifier: GPL-2.0-only */
// What stands for many values: quantiles, trimmed means, modes. Pure functions.
#ifndef IRQCOST_BENCH_USER_MEASURE_LOCATION_H
#define IRQCOST_BENCH_USER_MEASURE_LOCATION_H

#include <vector>

namespace irqcost {

/**
 * Quantile (0 to 1) of at least one value, interpolated linearly between order
 * statistics (Hyndman and Fan's type 7, NumPy's default).
 */
double Quantile(std::vector<double> values, double q);

/** Mean of at least one value between their 10th and 75th percentile: robust against a slow tail.
 */
double TrimmedMean(std::vector<double> values);

/**
 * Half-sample mode of at least one value: the densest half, again and again (Bickel and Fruehwirth,
 * Computational Statistics and Data Analysis 50, 2006).
 */
double HalfSampleMode(std::vector<double> values);

/** An estimate of location and its standard error. */
struct Located {
  double value = 0;
  double error = 0;
};

/** The 10th percentile of at least one value. */
Located LowQuantile(std::vector<double> values);

/**
 * Mean of the values within `width` of their 10th percentile: for windows to which noise only adds.
 * Where fewer than three lie there it is that percentile.
 */
Located LowBand(std::vector<double> values, double width);

/**
 * Mean of the values within 3.5 standard deviations of their median, the deviation taken from the
 * median absolute deviation (1.4826 of them): for windows that err to both sides.
 */
Located WithinDeviations(std::vector<double> values);

}  // namespace irqcost

#endif  // IRQCOST_BENCH_USER_MEASURE_LOCATION_H
