#include "harness/timing/facts.h"

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/timing/sample_statistics.h"

namespace upbench {
namespace {

constexpr double kLeastEnergySeconds = 0.5;  // counters move in steps of up to a tenth of a second

std::vector<double> lap_seconds(const std::vector<Lap>& laps) {
  std::vector<double> seconds;
  for (const Lap& lap : laps) seconds.push_back(lap.seconds);
  return seconds;
}

void add_energy(nlohmann::json& facts, const std::vector<Lap>& laps, const std::string& source) {
  if (source.empty()) return;
  double seconds = 0, joules = 0;
  for (const Lap& lap : laps) {
    seconds += lap.seconds;
    joules += lap.joules;
  }
  facts["energy_source"] = source;
  if (seconds >= kLeastEnergySeconds) facts["joules"] = joules / static_cast<double>(laps.size());
}

void add_repeat_check(nlohmann::json& facts, const SubjectTimes& times) {
  if (times.repeated.empty() || times.distinct.empty()) return;
  const double ratio = repeat_ratio(times);
  facts["repeat"] = {{"repeated_s", times.repeated}, {"distinct_s", times.distinct}, {"ratio", ratio}};
  if (remembers_pictures(times))
    facts["flags"].push_back(fmt::format(
        "repeating one picture takes {:.2f} of the time of distinct ones: something remembers pictures",
        ratio));
}

std::set<std::string> reasons_of(const std::vector<Lap>& laps) {
  std::set<std::string> reasons;
  for (const Lap& lap : laps) reasons.insert(lap.slowed_by.begin(), lap.slowed_by.end());
  return reasons;
}

// Laps during which the clock was held down are doubtful where they had to stand in for samples; elsewhere
// they are counted.
void add_slowed_laps(nlohmann::json& facts, const SubjectTimes& times) {
  if (times.slowed)
    facts["flags"].push_back(fmt::format("the clock was held down during every sample by: {}",
                                         fmt::join(reasons_of(times.samples), ", ")));
  if (times.discarded.empty()) return;
  const std::set<std::string> reasons = reasons_of(times.discarded);
  facts["discarded"] = {{"seconds", lap_seconds(times.discarded)}, {"reasons", reasons}};
  facts["flags"].push_back(fmt::format("laps discarded: {}; the clock was held down by: {}",
                                       times.discarded.size(), fmt::join(reasons, ", ")));
}

}  // namespace

std::vector<TimingRow> timing_rows(const SubjectTimes& times) {
  std::vector<TimingRow> rows;
  for (std::size_t i = 0; i < times.samples.size(); ++i) {
    const int sample = static_cast<int>(i);
    for (const auto& [stage, seconds] : times.samples[i].stages)
      rows.push_back({stage, Clock::model, sample, seconds});
    rows.push_back({"trial", Clock::model, sample, times.samples[i].seconds});
  }
  return rows;
}

nlohmann::json timing_facts(const SubjectTimes& times, const TimingRules& rules, const TimedWork& work) {
  const SampleSummary summary = summarize_samples(lap_seconds(times.samples));
  nlohmann::json facts = {{"samples", times.samples.size()},
                          {"median_s", summary.median},
                          {"mad_s", summary.mad},
                          {"low_s", summary.low},
                          {"high_s", summary.high},
                          {"warm_up_s", times.warm_up},
                          {"steady", times.steady},
                          {"output_check", work.output_check},
                          {"flags", nlohmann::json::array()}};
  if (summary.median > 0) facts["megapixels_per_s"] = work.output_pixels / 1e6 / summary.median;
  if (work.macs > 0) {
    facts["macs"] = work.macs;
    if (work.peak_flops > 0) facts["peak_share"] = 2 * work.macs / summary.median / work.peak_flops;
  }
  if (work.peak_bytes > 0) facts["peak_bytes"] = work.peak_bytes;
  add_energy(facts, times.samples, work.energy_source);
  add_repeat_check(facts, times);
  add_slowed_laps(facts, times);
  if (!times.steady) facts["flags"].push_back("the warm-up did not end with three laps within 2 %");
  if (times.samples.size() < static_cast<std::size_t>(rules.samples))
    facts["flags"].push_back(fmt::format("{} of {} samples {}", times.samples.size(), rules.samples,
                                         times.discarded.empty() ? "fitted into the time" : "are left"));
  return facts;
}

}  // namespace upbench
