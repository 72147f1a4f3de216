#include "harness/timing/interleaved.h"

#include <algorithm>
#include <exception>
#include <optional>

#include "harness/timing/sample_statistics.h"

namespace upbench {
namespace {

constexpr std::size_t kSteadyLaps = 3;
constexpr double kSteadyTolerance = 0.02;
constexpr double kLeastRepeatRatio = 0.9;
constexpr double kMostShorterPairs = 0.95;
constexpr std::size_t kLeastChecks = 3;

bool ends_steady(const std::vector<double>& seconds) {
  if (seconds.size() < kSteadyLaps) return false;
  const std::vector<double> last(seconds.end() - kSteadyLaps, seconds.end());
  const double middle = sample_median(last);
  return std::all_of(last.begin(), last.end(), [&](double value) {
    return value <= middle * (1 + kSteadyTolerance) && value >= middle * (1 - kSteadyTolerance);
  });
}

// One measurement: subjects, their times, and the seconds that their laps took so far.
class Session {
 public:
  Session(const std::vector<TimingSubject*>& subjects, const TimingRules& rules,
          const std::atomic<bool>* stop)
      : subjects_(subjects),
        rules_(rules),
        stop_(stop),
        times_(subjects.size()),
        spent_(subjects.size()),
        done_(subjects.size()) {}

  std::vector<SubjectTimes> run() {
    for (std::size_t i = 0; i < subjects_.size(); ++i) warm_up(i);
    take_samples();
    for (int round = 0; round < rules_.repeat_checks; ++round)
      for (std::size_t i = 0; i < subjects_.size(); ++i)
        if (spent_[i] < rules_.budget_s) check_repeats(i, round);
    return std::move(times_);
  }

 private:
  // In turns, until nobody wants another.
  void take_samples() {
    for (bool taken = true; taken;) {
      taken = false;
      for (std::size_t i = 0; i < subjects_.size(); ++i)
        if (wants_sample(times_[i], spent_[i]))
          if (auto one = lap(i, 0)) {
            keep(times_[i], std::move(*one));
            taken = true;
          }
    }
    for (SubjectTimes& times : times_)
      if (times.samples.empty() && !times.discarded.empty()) {
        times.samples.swap(times.discarded);
        times.slowed = true;
      }
  }

  bool wants_sample(const SubjectTimes& times, double spent) const {
    const bool is_first = times.samples.empty() && times.discarded.empty();
    return static_cast<int>(times.samples.size()) < rules_.samples &&
           static_cast<int>(times.discarded.size()) < rules_.most_discarded &&
           (is_first || spent < rules_.budget_s);
  }

  static void keep(SubjectTimes& times, Lap taken) {
    (taken.slowed_by.empty() ? times.samples : times.discarded).push_back(std::move(taken));
  }

  // Nothing after a stop, a failure of the subject, or a lap that was all there is to take.
  std::optional<Lap> lap(std::size_t subject, int variant) {
    if ((stop_ && *stop_) || !times_[subject].failure.empty() || done_[subject]) return std::nullopt;
    try {
      Lap taken = subjects_[subject]->run(variant);
      spent_[subject] += taken.seconds;
      return taken;
    } catch (const std::exception& error) {
      times_[subject].failure = error.what();
      return std::nullopt;
    }
  }

  void warm_up(std::size_t subject) {
    SubjectTimes& times = times_[subject];
    for (int i = 0; i < rules_.most_warm_ups && !times.steady && spent_[subject] < rules_.budget_s / 2; ++i) {
      std::optional<Lap> taken = lap(subject, 0);
      if (!taken) return;
      if (taken->seconds >= rules_.budget_s) {
        keep(times, std::move(*taken));
        done_[subject] = true;
        return;
      }
      times.warm_up.push_back(taken->seconds);
      times.steady = ends_steady(times.warm_up);
    }
  }

  // Two laps on the picture, of which the second counts, then one on another picture.
  void check_repeats(std::size_t subject, int round) {
    SubjectTimes& times = times_[subject];
    const auto counts = [&](const std::optional<Lap>& taken) {
      return taken && (times.slowed || taken->slowed_by.empty());
    };
    lap(subject, 0);
    if (const auto taken = lap(subject, 0); counts(taken)) times.repeated.push_back(taken->seconds);
    if (const auto taken = lap(subject, round + 1); counts(taken)) times.distinct.push_back(taken->seconds);
  }

  const std::vector<TimingSubject*>& subjects_;
  const TimingRules& rules_;
  const std::atomic<bool>* stop_;
  std::vector<SubjectTimes> times_;
  std::vector<double> spent_;
  std::vector<bool> done_;
};

}  // namespace

std::vector<SubjectTimes> time_interleaved(const std::vector<TimingSubject*>& subjects,
                                           const TimingRules& rules, const std::atomic<bool>* stop) {
  return Session(subjects, rules, stop).run();
}

double repeat_ratio(const SubjectTimes& times) {
  return sample_median(times.repeated) / sample_median(times.distinct);
}

bool remembers_pictures(const SubjectTimes& times) {
  if (std::min(times.repeated.size(), times.distinct.size()) < kLeastChecks) return false;
  std::size_t shorter = 0;
  for (const double repeated : times.repeated)
    for (const double distinct : times.distinct) shorter += repeated < distinct;
  const auto pairs = static_cast<double>(times.repeated.size() * times.distinct.size());
  return repeat_ratio(times)<kLeastRepeatRatio&& static_cast<double>(shorter)> kMostShorterPairs * pairs;
}

}  // namespace upbench
