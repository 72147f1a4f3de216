#pragma once

#include <limits>
#include <string>
#include <vector>

#include "reports/table.h"

namespace upbench {

struct Analysis;

// What a store tells of a model time beside its samples (ModelTimeRow::facts). NaN and empty: not known.
struct ModelTime {
  static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  double samples = kUnknown, mad = kUnknown, low = kUnknown, high = kUnknown;  // seconds but the first
  double megapixels_per_s = kUnknown, macs = kUnknown, peak_share = kUnknown, joules = kUnknown;
  std::string flags;    // joined by "; "
  std::string session;  // key of the measurement that it was part of
};

// Anything that is not as expected is unknown: stores come from elsewhere.
ModelTime parse_model_time(const std::string& facts);

// What is shown of it. Columns of `cost_` figures, in order.
struct ModelTimeColumn {
  Table::Column column;
  double ModelTime::* value;
};
const std::vector<ModelTimeColumn>& model_time_columns();

// Of every timed trial: median, spread, interval, what follows, and what makes it doubtful.
Table model_time_table(const Analysis& analysis);

}  // namespace upbench
