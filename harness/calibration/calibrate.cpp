#include "harness/calibration/calibrate.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "harness/calibration/networks.h"
#include "harness/device.h"
#include "metrics/artifacts/catalog.h"
#include "reports/statistics/roc.h"

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// A change below this, in the worst 16 x 16 block, nobody sees: RMS, levels of 255.
constexpr double kLeastChange = 1.5;

// What one detector said of one defect.
struct Seen {
  std::size_t injector = 0, tier = 0;
  double value = kNone;        // of the injector's own detector; NaN: it does not apply
  std::vector<double> of_all;  // of every detector: at the visible tier only
};

struct PictureFigures {
  std::string kind;           // of hard negative
  std::vector<double> clean;  // of every detector
  std::vector<Seen> first, second;
};

// With and without a reference, and what is easily mistaken, in all combinations with the classes.
CalibrationCase clean_case(const CleanPicture& picture, std::uint64_t number, Random& random,
                           std::string& kind) {
  CalibrationCase subject(picture);
  const std::uint64_t round = number / 6;
  const auto& kinds = hard_negatives();
  const HardNegative& chosen = kinds[round % kinds.size()];
  subject.reference_known = round % 2 == 0;
  chosen.make(subject, random);
  kind = fmt::format("{}, {}", picture.cls, chosen.name);
  return subject;
}

double value_of(const Detection& detection) {
  return detection.missing.empty() ? detection.value : kNone;
}

std::vector<double> values_of_all(const CalibrationCase& subject) {
  std::vector<const Detector*> all;
  for (const Detector& detector : detectors()) all.push_back(&detector);
  std::vector<double> values;
  for (const Detection& detection : detect(subject.subject(), all)) values.push_back(value_of(detection));
  return values;
}

// As the pipeline would leave it: 8 bit, but what is not a number stays.
Image as_saved(const Image& image) {
  return at::where(image.isfinite(), quantized(image.nan_to_num()), image);
}

bool is_seen(const Image& before, const Image& after) {
  const at::Tensor squared = (after - before).nan_to_num(1.0).square().mean(0, true).unsqueeze(0);
  return at::avg_pool2d(squared, 16).max().item<double>() >= std::pow(kLeastChange / 255, 2);
}

std::vector<Seen> inject_all(const std::vector<Injector>& injectors, const CalibrationCase& clean,
                             std::uint64_t seed) {
  std::vector<Seen> all;
  Image network;
  for (std::size_t i = 0; i < injectors.size(); ++i) {
    const Injector& injector = injectors[i];
    if (injector.of_network && !network.defined()) network = quantized(calibration_network(clean.input));
    const Detector* detector = find_detector(injector.detector);
    if (!detector || (!injector.only_class.empty() && injector.only_class != clean.picture->cls)) continue;
    for (std::size_t tier = 0; tier < injector.strengths.size(); ++tier) {
      CalibrationCase subject = clean;
      subject.output = clean.output.clone();
      Random random(seed, i);  // the same place at every strength
      injector.inject(subject, injector.strengths[tier], random);
      subject.output = as_saved(subject.output);
      if (!is_seen(injector.of_network ? network : clean.output, subject.output)) continue;
      Seen seen{.injector = i, .tier = tier};
      if (tier == kVisible) {
        seen.of_all = values_of_all(subject);
        seen.value = seen.of_all[static_cast<std::size_t>(detector - detectors().data())];
      } else {
        seen.value = value_of(detect(subject.subject(), *detector));
      }
      all.push_back(std::move(seen));
    }
  }
  return all;
}

PictureFigures figures_of(const CleanPicture& picture, std::uint64_t number, bool with_second) {
  PictureFigures figures;
  Random random(picture.seed);
  const CalibrationCase clean = clean_case(picture, number, random, figures.kind);
  figures.clean = values_of_all(clean);
  figures.first = inject_all(first_injectors(), clean, picture.seed + 1);
  if (with_second) figures.second = inject_all(second_injectors(), clean, picture.seed + 2);
  return figures;
}

// Pictures in parallel, results by number.
std::vector<PictureFigures> measure(std::uint64_t count, const CalibrateOptions& options, bool with_second,
                                    const std::function<CleanPicture(std::uint64_t)>& make,
                                    const std::function<void()>& done) {
  std::vector<PictureFigures> all(count);
  std::atomic<std::uint64_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (std::uint64_t i = next++; i < count; i = next++) {
        all[i] = figures_of(make(i), i, with_second);
        const std::lock_guard lock(mutex);
        done();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 1; i < options.threads; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
  return all;
}

double six_digits(double value) {
  return std::stod(fmt::format("{:.6g}", value));
}

void keep(std::vector<double>& values, double value) {
  if (!std::isnan(value)) values.push_back(value);
}

std::vector<double> clean_values(const std::vector<PictureFigures>& pictures, std::size_t detector) {
  std::vector<double> values;
  for (const PictureFigures& picture : pictures) keep(values, picture.clean[detector]);
  return values;
}

std::vector<double> defect_values(const std::vector<PictureFigures>& pictures,
                                  std::vector<Seen> PictureFigures::* which,
                                  const std::vector<Injector>& injectors, const std::string& detector,
                                  std::size_t tier) {
  std::vector<double> values;
  for (const PictureFigures& picture : pictures)
    for (const Seen& seen : picture.*which)
      if (injectors[seen.injector].detector == detector && seen.tier == tier) keep(values, seen.value);
  return values;
}

// Above every clean picture of the tuning set: half way to all but a tenth of the defects where these lie
// apart, else with a tenth to spare.
double choose_threshold(std::vector<double> clean, std::vector<double> defective) {
  if (clean.empty()) return std::numeric_limits<double>::max();
  const double highest = *std::ranges::max_element(clean);
  const double above = highest + 0.1 * std::abs(highest);
  if (defective.empty()) return six_digits(above);
  std::ranges::sort(defective);
  const double low = defective[defective.size() / 10];
  return six_digits(low > highest ? (highest + low) / 2 : above);
}

std::size_t count_above(const std::vector<double>& values, double threshold) {
  return static_cast<std::size_t>(
      std::ranges::count_if(values, [threshold](double value) { return value > threshold; }));
}

TierFigures tier_figures(const std::vector<double>& defective, const std::vector<double>& clean,
                         double threshold) {
  TierFigures figures{.auc = area_under_roc(defective, clean),
                      .average_precision = average_precision(defective, clean),
                      .found = count_above(defective, threshold),
                      .defective = defective.size()};
  for (std::size_t i = 0; i < kFalsePositiveRates.size(); ++i)
    figures.sensitivity_at[i] = sensitivity_at(kFalsePositiveRates[i], defective, clean);
  return figures;
}

const Injector* injector_of(const std::vector<Injector>& injectors, const std::string& detector) {
  const auto found = std::ranges::find(injectors, detector, &Injector::detector);
  return found == injectors.end() ? nullptr : &*found;
}

DetectorFigures judge(std::size_t index, const std::vector<PictureFigures>& tuning,
                      const std::vector<PictureFigures>& held_out) {
  const Detector& detector = detectors()[index];
  DetectorFigures figures{.name = detector.name, .unit = detector.unit, .version = detector.version};
  if (const Injector* injector = injector_of(first_injectors(), detector.name)) {
    figures.first_defect = injector->defect;
    figures.strengths = injector->strengths;
    figures.strength_unit = injector->unit;
  }
  if (const Injector* injector = injector_of(second_injectors(), detector.name)) {
    figures.second_defect = injector->defect;
    figures.second_strengths = injector->strengths;
    figures.second_strength_unit = injector->unit;
  }
  const auto first_of = [&](const std::vector<PictureFigures>& pictures, std::size_t tier) {
    return defect_values(pictures, &PictureFigures::first, first_injectors(), detector.name, tier);
  };
  figures.threshold = choose_threshold(clean_values(tuning, index), first_of(tuning, kVisible));
  const std::vector<double> clean = clean_values(held_out, index);
  figures.clean = clean.size();
  figures.passed = clean.size() - count_above(clean, figures.threshold);
  for (std::size_t tier = 0; tier < figures.first.size(); ++tier) {
    figures.first[tier] = tier_figures(first_of(held_out, tier), clean, figures.threshold);
    figures.second[tier] = tier_figures(
        defect_values(held_out, &PictureFigures::second, second_injectors(), detector.name, tier), clean,
        figures.threshold);
  }
  figures.calibrated =
      figures.first[kVisible].auc >= kLeastAuc && figures.second[kVisible].auc >= kLeastSecondAuc;
  for (const PictureFigures& picture : held_out)
    if (picture.clean[index] > figures.threshold) figures.false_positives.push_back(picture.kind);
  return figures;
}

bool any_flagged(const std::vector<DetectorFigures>& all, const std::vector<double>& values) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].calibrated && values[i] > all[i].threshold) return true;
  return false;
}

// Of defects that some gating detector is for.
void count_together(CalibrationFigures& figures, const std::vector<PictureFigures>& held_out) {
  DetectorCounts& counts = figures.together;
  const auto gates = [&](const std::string& name) {
    const auto found = std::ranges::find(figures.detectors, name, &DetectorFigures::name);
    return found != figures.detectors.end() && found->calibrated;
  };
  const auto count = [&](const std::vector<Seen>& defects, const std::vector<Injector>& injectors) {
    for (const Seen& seen : defects) {
      if (seen.tier != kVisible || !gates(injectors[seen.injector].detector)) continue;
      ++counts.defective;
      counts.found += any_flagged(figures.detectors, seen.of_all);
    }
  };
  for (const PictureFigures& picture : held_out) {
    ++counts.clean;
    counts.passed += !any_flagged(figures.detectors, picture.clean);
    count(picture.first, first_injectors());
    count(picture.second, second_injectors());
  }
}

}  // namespace

CalibrationFigures calibrate(const CalibrateOptions& options) {
  if (options.size < 96 || options.size % 6 != 0)
    throw std::invalid_argument(
        fmt::format("calibrate: pictures of {} pixels; expected a multiple of 6, at least 96", options.size));
  if (options.tuning == 0 || options.held_out == 0)
    throw std::invalid_argument("calibrate: expected at least one picture to tune on and one held out");
  set_operator_threads(1);
  const PictureSet tuning_set{.seed = 2 * options.seed, .size = options.size},
      held_out_set{.seed = 2 * options.seed + 1, .size = options.size};
  const std::vector<CleanPicture> real =
      options.real.empty() ? std::vector<CleanPicture>() : real_pictures(options.real, held_out_set);
  const std::uint64_t all = options.tuning + options.held_out + real.size();
  std::uint64_t finished = 0;
  const auto done = [&] {
    ++finished;
    if (options.progress) options.progress(finished, all);
  };
  const auto tuning = measure(
      options.tuning, options, false, [&](std::uint64_t i) { return clean_picture(tuning_set, i); }, done);
  const auto held_out = measure(
      options.held_out + real.size(), options, true,
      [&](std::uint64_t i) {
        return i < options.held_out ? clean_picture(held_out_set, i) : real[i - options.held_out];
      },
      done);
  CalibrationFigures figures{.options = options};
  for (std::size_t i = 0; i < detectors().size(); ++i)
    figures.detectors.push_back(judge(i, tuning, held_out));
  count_together(figures, held_out);
  return figures;
}

}  // namespace upbench
