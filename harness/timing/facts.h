#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/store.h"
#include "harness/timing/interleaved.h"

// What the store keeps of a measurement: samples as rows, everything else as JSON that reports read.
namespace upbench {

// What is known of a timed output besides its laps.
struct TimedWork {
  double macs = 0;  // of one lap; 0: not known
  double output_pixels = 0;
  double peak_flops = 0;  // of the device in the precision used; 0: not measured
  std::string energy_source;
  std::uint64_t peak_bytes = 0;
  std::string output_check;  // "same pixels", or how they differ
};

std::vector<TimingRow> timing_rows(const SubjectTimes& times);

// {samples, median_s, mad_s, low_s, high_s, warm_up_s, steady, megapixels_per_s, macs, peak_share, joules,
// energy_source, peak_bytes, repeat: {repeated_s, distinct_s, ratio}, discarded: {seconds, reasons},
// output_check, flags}; what is not known is absent. peak_share: 2 MAC / median / peak_flops. joules: of one
// lap, where the laps are long enough for the counters (half a second in all).
nlohmann::json timing_facts(const SubjectTimes& times, const TimingRules& rules, const TimedWork& work);

}  // namespace upbench
