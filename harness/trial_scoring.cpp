#include <algorithm>

#include <fmt/format.h>

#include "harness/artifact_scoring.h"
#include "harness/plan/canonical.h"
#include "harness/steady_clock.h"
#include "harness/tf32_scope.h"
#include "harness/trial_runner.h"
#include "metrics/artifacts/catalog.h"
#include "models/upscale.h"

// The step of TrialRunner that scores: metrics on pairs of pictures, and artifact detectors.
namespace upbench {
namespace {

ValueFlag value_flag(ScoreFlag flag) {
  switch (flag) {
    case ScoreFlag::ok:
      return ValueFlag::ok;
    case ScoreFlag::inf:
      return ValueFlag::inf;
    case ScoreFlag::undefined:
      return ValueFlag::undefined;
    case ScoreFlag::skipped:
      return ValueFlag::skipped;
    case ScoreFlag::failed:
      return ValueFlag::failed;
  }
  return ValueFlag::failed;
}

}  // namespace

void TrialRunner::fail(Record& record, const std::string& reason) {
  record.status = Status::failed;
  record.reason = record.reason.empty() ? reason : record.reason + "; " + reason;
}

void TrialRunner::score(TrialWork& work) {
  const auto start = SteadyClock::now();
  std::vector<std::size_t> pairs, artifacts;
  for (const std::size_t metric : work.metrics)
    (sweep_.metrics[metric].metric->detector != nullptr ? artifacts : pairs).push_back(metric);
  const StreamScope scoring(score_stream_);
  work.uploaded->hold(score_stream_);
  if (!artifacts.empty()) find_artifacts(work, artifacts);
  if (!pairs.empty()) score_pairs(work, pairs);
  work.record.timings.push_back({"trial.score", Clock::sweep, 0, seconds_since(start)});
}

void TrialRunner::add_score(Record& record, std::size_t image, std::size_t metric,
                            const Scorer::Result& result) const {
  const Score& score = result.score;
  record.scores.push_back({score_key(record.output, image, metric), record.output,
                           sweep_.metrics[metric].name, score.value, value_flag(score.flag), score.reason,
                           result.seconds});
  if (score.flag == ScoreFlag::failed)
    fail(record, fmt::format("{}: {}", sweep_.metrics[metric].name, score.reason));
}

void TrialRunner::score_pairs(TrialWork& work, const std::vector<std::size_t>& metrics) const {
  Record& record = work.record;
  if (!work.reference.defined()) {
    for (const std::size_t metric : metrics)
      add_score(record, work.image, metric, {{0, ScoreFlag::skipped, "no reference picture"}, 0});
    return;
  }
  const Image &output = work.output, &reference = work.reference;
  if (output.sizes() != reference.sizes()) {
    const std::string reason = fmt::format("output is {}x{}, expected {}x{} as the reference", output.size(2),
                                           output.size(1), reference.size(2), reference.size(1));
    for (const std::size_t metric : metrics)
      add_score(record, work.image, metric, {{0, ScoreFlag::undefined, reason}, 0});
    fail(record, reason);
    return;
  }
  const auto results = scorer_.score(output, reference, metrics, sweep_.identities[work.image].reference);
  for (std::size_t i = 0; i < metrics.size(); ++i) add_score(record, work.image, metrics[i], results[i]);
}

// nullptr: no metric judges by it.
std::shared_ptr<const Image> TrialRunner::fidelity_result(const TrialWork& work, const Image& input) {
  if (!work.fidelity || !input.defined()) return nullptr;
  // An interpolator makes the size that is wanted, a network its own.
  const auto scale = std::max<std::int64_t>(1, work.output.size(2) / input.size(2));
  const Digest key = Hasher()
                         .add_field(sweep_.identities[work.image].input)
                         .add_field(static_cast<std::uint64_t>(scale))
                         .finish();
  return fidelity_.get(key, [&] {
    const UpscalerPtr& model = work.fidelity;
    const Tf32Scope arithmetic(options_.device, false);
    const int own = model->info().scale > 0 ? 0 : static_cast<int>(scale);
    auto image = std::make_shared<const Image>(upscale(*model, input, {.scale = own}).image);
    return SharedCache<Digest, Image>::Made{image, image->nbytes()};
  });
}

// With all that is known of how the output came about. A cell without stages has no input: its picture is the
// output.
void TrialRunner::find_artifacts(TrialWork& work, const std::vector<std::size_t>& metrics) {
  Record& record = work.record;
  std::vector<const Detector*> which;
  for (const std::size_t metric : metrics) which.push_back(sweep_.metrics[metric].metric->detector);
  const Image& input = work.input;
  std::shared_ptr<const Image> fidelity;
  if (std::ranges::any_of(which, &Detector::by_fidelity)) fidelity = fidelity_result(work, input);
  const PictureSize wanted = reference_size(sweep_.plan.rows.images[work.image]);
  Subject subject{.output = &work.output,
                  .reference = work.reference.defined() ? &work.reference : nullptr,
                  .input = work.made && input.defined() ? &input : nullptr,
                  .base = work.base.defined() ? &work.base : nullptr,
                  .fidelity = fidelity.get(),
                  .boundaries_known = work.made,
                  .expected_width = wanted.width,
                  .expected_height = wanted.height};
  for (const BoundaryRow& boundary : record.boundaries)
    subject.boundaries.push_back({boundary.vertical, boundary.position, boundary.half_width});

  std::vector<ArtifactScore> scores = score_artifacts(subject, which, embedded_calibrations());
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (fidelity && which[i]->by_fidelity && fidelity->sizes() != work.output.sizes())
      scores[i] = {
          .score = {.flag = ScoreFlag::skipped,
                    .reason = fmt::format("the fidelity model makes {}x{} of this input, expected {}x{}",
                                          fidelity->size(2), fidelity->size(1), work.output.size(2),
                                          work.output.size(1))}};
    add_score(record, work.image, metrics[i], {scores[i].score, scores[i].seconds});
    if (!scores[i].detection) continue;
    scores[i].detection->key = record.scores.back().key;
    record.detections.push_back(std::move(*scores[i].detection));
    work.maps.push_back(std::move(scores[i].map));
  }
}

// Of findings of an earlier run whose thresholds were others.
void TrialRunner::decide_by_calibration(TrialWork& work) const {
  const bool referenced = !sweep_.identities[work.image].reference.is_zero();
  const Calibration& calibration =
      embedded_calibrations().of(referenced ? Evidence::reference : Evidence::input);
  // A cell without stages has neither input nor boundaries.
  const Witnesses witnesses{.reference = referenced,
                            .input = work.made && sweep_.identities[work.image].input_width > 0,
                            .boundaries = work.made,
                            .fidelity = !sweep_.fidelity.empty()};
  std::vector<DetectionRow> rows = store_.detections(work.claim.output);
  std::erase_if(rows, [&](const DetectionRow& row) { return row.calibration == calibration.version; });
  if (rows.empty()) return;
  const std::vector<ScoreRow> scores = store_.scores(work.claim.output);
  for (DetectionRow& row : rows) {
    const Detector* detector = find_detector(row.detector);
    const auto score = std::ranges::find(scores, row.key, &ScoreRow::key);
    if (detector == nullptr || score == scores.end() || score->flag != ValueFlag::ok) continue;
    decide_again(row, score->value, *detector, calibration, witnesses);
    work.record.detections.push_back(std::move(row));
  }
}

// Only of what was flagged.
void TrialRunner::keep_maps(TrialWork& work) const {
  const std::size_t first = work.record.detections.size() - work.maps.size();
  for (std::size_t i = 0; i < work.maps.size(); ++i) {
    DetectionRow& row = work.record.detections[first + i];
    if (!row.flagged || work.maps[i].empty()) continue;
    const Raster picture = map_picture(work.maps[i], row.map_white);
    row.map_file = kept_.keep(picture, pixel_digest(picture));
  }
}

Digest TrialRunner::score_key(const Digest& output, std::size_t image, std::size_t metric) const {
  const MetricRequest& request = sweep_.metrics[metric];
  const bool by_fidelity =
      !sweep_.fidelity.empty() && judges_by_fidelity(request) && sweep_.identities[image].reference.is_zero();
  Hasher hasher;
  if (by_fidelity) hasher.add_field(sweep_.fidelity);
  return hasher.add_field("score")
      .add_field(output)
      .add_field(sweep_.identities[image].reference)
      .add_field(request.name)
      .add_field(static_cast<std::uint64_t>(request.metric->version))
      .add_field(static_cast<std::uint64_t>(scorer_.border(metric)))
      .finish();
}

}  // namespace upbench
