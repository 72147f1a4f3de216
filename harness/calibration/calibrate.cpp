#include "harness/calibration/calibrate.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "harness/calibration/measure.h"
#include "harness/calibration/thresholds.h"
#include "harness/device.h"
#include "metrics/artifacts/catalog.h"
#include "reports/statistics/roc.h"

namespace upbench {
namespace {

void keep(std::vector<double>& values, double value) {
  if (!std::isnan(value)) values.push_back(value);
}

std::vector<double> clean_values(const std::vector<PictureFigures>& pictures, Evidence evidence,
                                 std::size_t detector) {
  std::vector<double> values;
  for (const PictureFigures& picture : pictures) keep(values, picture.of(evidence).clean[detector]);
  return values;
}

std::vector<double> defect_values(const std::vector<PictureFigures>& pictures, Evidence evidence,
                                  std::vector<Seen> EvidenceFigures::* which,
                                  const std::vector<Injector>& injectors, const std::string& detector,
                                  std::size_t tier) {
  std::vector<double> values;
  for (const PictureFigures& picture : pictures)
    for (const Seen& seen : picture.of(evidence).*which)
      if (injectors[seen.injector].detector == detector && seen.tier == tier) keep(values, seen.value);
  return values;
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

DetectorFigures judge(std::size_t index, Evidence evidence, double threshold,
                      const std::vector<PictureFigures>& held_out) {
  const Detector& detector = detectors()[index];
  DetectorFigures figures{.name = detector.name, .unit = detector.unit, .version = detector.version};
  figures.threshold = threshold;
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
  const std::vector<double> clean = clean_values(held_out, evidence, index);
  figures.clean = clean.size();
  figures.passed = clean.size() - count_above(clean, figures.threshold);
  for (std::size_t tier = 0; tier < figures.first.size(); ++tier) {
    figures.first[tier] = tier_figures(
        defect_values(held_out, evidence, &EvidenceFigures::first, first_injectors(), detector.name, tier),
        clean, figures.threshold);
    figures.second[tier] = tier_figures(
        defect_values(held_out, evidence, &EvidenceFigures::second, second_injectors(), detector.name, tier),
        clean, figures.threshold);
  }
  const TierFigures& visible = figures.first[kVisible];
  figures.calibrated =
      visible.auc >= kLeastAuc && figures.second[kVisible].auc >= kLeastSecondAuc &&
      static_cast<double>(visible.found) >= kLeastSensitivity * static_cast<double>(visible.defective);
  for (const PictureFigures& picture : held_out)
    if (picture.of(evidence).clean[index] > figures.threshold)
      figures.false_positives.push_back(picture.kind);
  return figures;
}

// Those that tell visible defects from clean pictures on the tuning set share the false alarms that are
// allowed; each of the others has as many to itself, as it does not gate.
std::vector<double> thresholds_from(const std::vector<PictureFigures>& tuning, Evidence evidence) {
  const auto budget = static_cast<std::size_t>(kTuningFalsePositives * static_cast<double>(tuning.size()));
  std::vector<double> thresholds(detectors().size());
  std::vector<TuningValues> together;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < detectors().size(); ++i) {
    TuningValues values{.clean = {},
                        .defective = defect_values(tuning, evidence, &EvidenceFigures::first,
                                                   first_injectors(), detectors()[i].name, kVisible)};
    for (const PictureFigures& picture : tuning) values.clean.push_back(picture.of(evidence).clean[i]);
    if (area_under_roc(values.defective, clean_values(tuning, evidence, i)) < kLeastAuc) {
      thresholds[i] = choose_thresholds({&values, 1}, budget)[0];
      continue;
    }
    together.push_back(std::move(values));
    places.push_back(i);
  }
  const std::vector<double> shared = choose_thresholds(together, budget);
  for (std::size_t i = 0; i < places.size(); ++i) thresholds[places[i]] = shared[i];
  return thresholds;
}

bool any_flagged(const std::vector<DetectorFigures>& all, const std::vector<double>& values) {
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].calibrated && values[i] > all[i].threshold) return true;
  return false;
}

// Of defects that some gating detector is for.
void count_together(EvidenceCalibration& figures, const std::vector<PictureFigures>& held_out) {
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
    counts.passed += !any_flagged(figures.detectors, picture.of(figures.evidence).clean);
    count(picture.of(figures.evidence).first, first_injectors());
    count(picture.of(figures.evidence).second, second_injectors());
  }
}

void add_values(CalibrationFigures& figures, Evidence evidence, const char* set,
                const std::vector<PictureFigures>& pictures) {
  for (const PictureFigures& picture : pictures) {
    const EvidenceFigures& of = picture.of(evidence);
    const auto add = [&](const std::string& detector, double value, const char* defect, const char* tier) {
      figures.values.push_back({evidence, set, picture.name, picture.kind, defect, tier, detector, value});
    };
    for (std::size_t i = 0; i < detectors().size(); ++i) add(detectors()[i].name, of.clean[i], "clean", "");
    for (const Seen& seen : of.first)
      add(first_injectors()[seen.injector].detector, seen.value, "first", kTierNames[seen.tier]);
    for (const Seen& seen : of.second)
      add(second_injectors()[seen.injector].detector, seen.value, "second", kTierNames[seen.tier]);
  }
}

}  // namespace

CalibrationFigures calibrate(const CalibrateOptions& options) {
  if (options.size < 96 || options.size % 12 != 0)
    throw std::invalid_argument(fmt::format(
        "calibrate: pictures of {} pixels; expected a multiple of 12, at least 96", options.size));
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
  const auto tuning = measure_pictures(
      options.tuning, options.threads, Defects::some_visible,
      [&](std::uint64_t i) { return clean_picture(tuning_set, i); }, done);
  const auto held_out = measure_pictures(
      options.held_out + real.size(), options.threads, Defects::all,
      [&](std::uint64_t i) {
        return i < options.held_out ? clean_picture(held_out_set, i) : real[i - options.held_out];
      },
      done);
  CalibrationFigures figures{.options = options};
  for (std::size_t e = 0; e < kEvidences.size(); ++e) {
    EvidenceCalibration& calibration = figures.by[e];
    calibration.evidence = kEvidences[e];
    const std::vector<double> thresholds = thresholds_from(tuning, kEvidences[e]);
    for (std::size_t i = 0; i < detectors().size(); ++i)
      calibration.detectors.push_back(judge(i, kEvidences[e], thresholds[i], held_out));
    count_together(calibration, held_out);
    add_values(figures, kEvidences[e], "tuning", tuning);
    add_values(figures, kEvidences[e], "held-out", held_out);
  }
  return figures;
}

}  // namespace upbench
