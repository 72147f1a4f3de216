#include "harness/calibration/measure.h"

#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "datasets/procedural.h"
#include "harness/calibration/injectors.h"
#include "harness/calibration/networks.h"
#include "metrics/artifacts/catalog.h"

namespace upbench {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// A change below this, in the worst 16 x 16 block, nobody sees: RMS, levels of 255.
constexpr double kLeastChange = 1.5;

// What is easily mistaken, in all combinations with the classes.
CalibrationCase clean_case(const CleanPicture& picture, std::uint64_t number, Random& random,
                           std::string& kind) {
  CalibrationCase subject(picture);
  const auto& kinds = hard_negatives();
  const HardNegative& chosen = kinds[number / procedural_classes().size() % kinds.size()];
  chosen.make(subject, random);
  subject.input_known = random.below(3) != 0;
  if (random.below(3) == 0) subject.base = quantized(calibration_network(subject.input, picture.scale));
  kind = fmt::format("{}, {}, x{}", picture.cls, chosen.name, picture.scale);
  return subject;
}

double value_of(const Detection& detection) {
  return detection.missing.empty() ? detection.value : kNone;
}

std::vector<double> values_of_all(const CalibrationCase& subject, Evidence evidence) {
  std::vector<const Detector*> all;
  for (const Detector& detector : detectors()) all.push_back(&detector);
  std::vector<double> values;
  for (const Detection& detection : detect(subject.subject(evidence), all))
    values.push_back(value_of(detection));
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

Seen seen_by(const Detector& detector, const CalibrationCase& subject, Evidence evidence,
             std::size_t injector, std::size_t tier) {
  Seen seen{.injector = injector, .tier = tier};
  if (tier == kVisible) {
    seen.of_all = values_of_all(subject, evidence);
    seen.value = seen.of_all[static_cast<std::size_t>(&detector - detectors().data())];
  } else {
    seen.value = value_of(detect(subject.subject(evidence), detector));
  }
  return seen;
}

void inject_all(const std::vector<Injector>& injectors, const CalibrationCase& clean, std::uint64_t seed,
                bool only_visible, PictureFigures& figures, std::vector<Seen> EvidenceFigures::* to) {
  Image network;
  for (std::size_t i = 0; i < injectors.size(); ++i) {
    const Injector& injector = injectors[i];
    if (injector.of_network && !network.defined())
      network = quantized(calibration_network(clean.input, clean.picture->scale));
    const Detector* detector = find_detector(injector.detector);
    if (!detector || (!injector.only_class.empty() && injector.only_class != clean.picture->cls)) continue;
    for (std::size_t tier = 0; tier < injector.strengths.size(); ++tier) {
      if (only_visible && tier != kVisible) continue;
      CalibrationCase subject = clean;
      subject.output = clean.output.clone();
      Random random(seed, i);  // the same place at every strength
      injector.inject(subject, injector.strengths[tier], random);
      subject.output = as_saved(subject.output);
      if (!is_seen(injector.of_network ? network : clean.output, subject.output)) continue;
      for (std::size_t e = 0; e < kEvidences.size(); ++e)
        (figures.by[e].*to).push_back(seen_by(*detector, subject, kEvidences[e], i, tier));
    }
  }
}

PictureFigures figures_of(const CleanPicture& picture, std::uint64_t number, Defects defects) {
  constexpr std::uint64_t kWith = 6;  // of so many rounds of the kinds of clean picture, one has defects
  PictureFigures figures{.name = picture.name};
  Random random(picture.seed);
  const CalibrationCase clean = clean_case(picture, number, random, figures.kind);
  for (std::size_t e = 0; e < kEvidences.size(); ++e)
    figures.by[e].clean = values_of_all(clean, kEvidences[e]);
  const bool all = defects == Defects::all;
  if (all || number / (procedural_classes().size() * hard_negatives().size()) % kWith == 0)
    inject_all(first_injectors(), clean, picture.seed + 1, !all, figures, &EvidenceFigures::first);
  if (all) inject_all(second_injectors(), clean, picture.seed + 2, false, figures, &EvidenceFigures::second);
  return figures;
}

}  // namespace

std::vector<PictureFigures> measure_pictures(std::uint64_t count, int threads, Defects defects,
                                             const std::function<CleanPicture(std::uint64_t)>& make,
                                             const std::function<void()>& done) {
  std::vector<PictureFigures> all(count);
  std::atomic<std::uint64_t> next = 0;
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    try {
      for (std::uint64_t i = next++; i < count; i = next++) {
        all[i] = figures_of(make(i), i, defects);
        const std::lock_guard lock(mutex);
        done();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> workers;
  for (int i = 1; i < threads; ++i) workers.emplace_back(work);
  work();
  for (std::thread& worker : workers) worker.join();
  if (failure) std::rethrow_exception(failure);
  return all;
}

}  // namespace upbench
