#include "harness/trial_runner.h"

#include <chrono>
#include <cmath>
#include <optional>
#include <system_error>

#include <ATen/ops/clamp.h>
#include <ATen/ops/std.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "harness/plan/canonical.h"

namespace upbench {

struct TrialRunner::Cell {
  struct Part {
    std::string id;
    std::unique_ptr<Stage> stage;
  };
  std::vector<Part> stages;
};

// What a stage of a shared prefix left.
struct TrialRunner::Output {
  Frame frame;
  nlohmann::json used;  // of all stages so far
};

namespace {

using SteadyClock = std::chrono::steady_clock;

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

std::size_t bytes_of(const at::Tensor& tensor) {
  return tensor.nbytes();
}

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

void fail(Record& record, const std::string& reason) {
  record.status = Status::failed;
  record.reason = record.reason.empty() ? reason : record.reason + "; " + reason;
}

// Operators of this thread use every processor until the end of the scope.
class AllThreads {
 public:
  AllThreads(int all, int usual) : usual_(usual) { set_operator_threads(all); }
  ~AllThreads() { set_operator_threads(usual_); }
  AllThreads(const AllThreads&) = delete;
  AllThreads& operator=(const AllThreads&) = delete;

 private:
  int usual_;
};

std::unordered_map<Digest, std::size_t> index_by_key(const auto& rows) {
  std::unordered_map<Digest, std::size_t> index;
  for (std::size_t i = 0; i < rows.size(); ++i) index.emplace(rows[i].key, i);
  return index;
}

}  // namespace

TrialRunner::TrialRunner(const Sweep& sweep, const Store& store, TrialRunnerOptions options)
    : sweep_(sweep),
      store_(store),
      options_(options),
      scorer_(sweep.metrics, sweep.border),
      kept_(store.output_folder()),
      cell_index_(index_by_key(sweep.plan.rows.cells)),
      image_index_(index_by_key(sweep.plan.rows.images)),
      models_(sweep.search, options.model_cache_bytes),
      items_(options.item_cache_bytes),
      prefixes_(options.stage_cache_bytes) {
  for (const CellRow& row : sweep.plan.rows.cells) {
    Cell& cell = cells_.emplace_back();
    for (const auto& stage : nlohmann::json::parse(row.settings))
      cell.stages.push_back(
          {stage.at("id"), make_stage(stage.at("kind"), stage.at("id"), stage.at("settings"))});
  }
}

TrialRunner::~TrialRunner() = default;

Record TrialRunner::run(const Claim& claim) {
  Record record{.trial = claim.trial, .output = claim.output, .token = claim.token};
  const auto start = SteadyClock::now();
  try {
    const std::size_t image = image_index_.at(claim.image);
    if (reuse(claim, image, record))
      ++reused_;
    else
      execute(claim, cells_.at(cell_index_.at(claim.cell)), image, record);
  } catch (const StoreError&) {
    throw;
  } catch (const c10::Error& error) {
    fail(record, error.what_without_backtrace());
  } catch (const std::exception& error) {
    fail(record, error.what());
  }
  record.timings.push_back({"trial", Clock::sweep, 0, seconds_since(start)});
  return record;
}

std::shared_ptr<const LoadedItem> TrialRunner::load(std::size_t image) {
  return items_.get(image, [&] {
    auto item = std::make_shared<LoadedItem>(
        load_item(sweep_.spec.images, sweep_.items[image], sweep_.identities[image]));
    const std::size_t bytes = bytes_of(item->input) + (item->reference ? bytes_of(*item->reference) : 0);
    return SharedCache<std::size_t, LoadedItem>::Made{std::move(item), bytes};
  });
}

// Scores a picture that an earlier run kept; false when there is none (or it is not enough for a metric that
// is missing).
bool TrialRunner::reuse(const Claim& claim, std::size_t image, Record& record) {
  const std::optional<OutputRow> output = store_.output(claim.output);
  if (!output) return false;
  std::unordered_map<Digest, bool> known;
  for (const ScoreRow& score : store_.scores(claim.output))
    known.emplace(score.key, score.flag != ValueFlag::skipped && score.flag != ValueFlag::failed);
  std::vector<std::size_t> missing;
  bool exact = false;
  for (std::size_t i = 0; i < sweep_.metrics.size(); ++i) {
    const auto found = known.find(score_key(claim.output, image, i));
    if (found != known.end() && found->second) continue;
    missing.push_back(i);
    exact = exact || !sweep_.metrics[i].quantize;
  }
  record.width = output->width;
  record.height = output->height;
  record.pixels = output->pixels;
  record.used = output->used;
  record.kept_file = output->kept_file;
  record.flags = output->flags;
  if (missing.empty()) return true;
  if (exact || output->kept_file.empty()) return false;
  const std::optional<Image> picture = kept_.load(output->kept_file, output->pixels);
  if (!picture) return false;
  score(*picture, *load(image), image, missing, record);
  return true;
}

void TrialRunner::execute(const Claim& claim, const Cell& cell, std::size_t image, Record& record) {
  const std::shared_ptr<const LoadedItem> item = load(image);
  {
    const ExclusiveGate::Shared side_by_side(gate_);
    const Frame frame = run_stages(cell, image, claim, *item, record);
    describe_output(frame.rgb, record);
    record.boundaries = frame.boundaries;
    std::vector<std::size_t> all(sweep_.metrics.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    score(frame.rgb, *item, image, all, record);
  }
  if (record.status == Status::ok && static_cast<int>(image) < sweep_.spec.timing.images)
    measure_model_time(cell, image, claim, *item, record);
}

Frame TrialRunner::input_frame(const LoadedItem& item, std::size_t image) const {
  return {.rgb = item.input.to(sweep_.device.name), .target = reference_size(sweep_.plan.rows.images[image])};
}

StageContext TrialRunner::stage_context(std::size_t image, const Claim& claim) {
  return {.models = models_,
          .device = sweep_.device.name,
          .planned = sweep_.models,
          .seed = claim.seed,
          .input = sweep_.plan.rows.images[image].input};
}

// Of every stage but the last: what other cells may share.
std::vector<Digest> TrialRunner::prefix_keys(const Cell& cell, std::size_t image, const Claim& claim) const {
  if (cell.stages.size() < 2) return {};
  auto keys = stage_keys(sweep_.plan.rows.cells[cell_index_.at(claim.cell)], sweep_.plan.rows.images[image],
                         claim.seed);
  keys.pop_back();
  return keys;
}

// Stages that other cells share are taken from the cache, or put there.
Frame TrialRunner::run_stages(const Cell& cell, std::size_t image, const Claim& claim, const LoadedItem& item,
                              Record& record) {
  const StageContext context = stage_context(image, claim);
  const std::vector<Digest> keys = prefix_keys(cell, image, claim);
  auto current = std::make_shared<const Output>(Output{input_frame(item, image), nlohmann::json::array()});
  for (std::size_t i = 0; i < cell.stages.size(); ++i) {
    const auto make = [&] {
      const auto start = SteadyClock::now();
      nlohmann::json used;
      auto next = std::make_shared<Output>();
      next->frame = cell.stages[i].stage->run(current->frame, context, used);
      synchronize(sweep_.device.name);
      used["id"] = cell.stages[i].id;
      next->used = current->used;
      next->used.push_back(std::move(used));
      ++stages_executed_;
      record.timings.push_back({cell.stages[i].id, Clock::sweep, 0, seconds_since(start)});
      const std::size_t bytes = bytes_of(next->frame.rgb);
      return SharedCache<Digest, Output>::Made{std::move(next), bytes};
    };
    current = i < keys.size() ? prefixes_.get(keys[i], make) : make().value;
  }
  record.used = nlohmann::json{{"stages", current->used},
                               {"device", sweep_.device.name},
                               {"operator_threads", options_.operator_threads}}
                    .dump();
  return current->frame;
}

void TrialRunner::describe_output(const Image& image, Record& record) const {
  record.height = static_cast<int>(image.size(1));
  record.width = static_cast<int>(image.size(2));
  const Raster saved = to_raster(image);
  record.pixels = pixel_digest(saved);
  if (image.std().item<double>() < 1.0 / 255) record.flags.emplace_back("degenerate");  // black or constant
  if (!options_.keep_outputs) return;
  try {
    record.kept_file = kept_.keep(saved, record.pixels);
  } catch (const std::system_error& error) {
    throw StoreError(fmt::format("{}; free space or use --keep-outputs none", error.what()), 4);
  }
}

void TrialRunner::score(const Image& output, const LoadedItem& item, std::size_t image,
                        const std::vector<std::size_t>& which, Record& record) const {
  const auto add = [&](std::size_t metric, const Scorer::Result& result) {
    const Score& score = result.score;
    record.scores.push_back({score_key(record.output, image, metric), record.output,
                             sweep_.metrics[metric].name, score.value, value_flag(score.flag), score.reason,
                             result.seconds});
    if (score.flag == ScoreFlag::failed)
      fail(record, fmt::format("{}: {}", sweep_.metrics[metric].name, score.reason));
  };
  if (!item.reference) {
    for (const std::size_t metric : which) add(metric, {{0, ScoreFlag::skipped, "no reference picture"}, 0});
    return;
  }
  const Image& reference = *item.reference;
  if (output.sizes() != reference.sizes()) {
    const std::string reason = fmt::format("output is {}x{}, expected {}x{} as the reference", output.size(2),
                                           output.size(1), reference.size(2), reference.size(1));
    for (const std::size_t metric : which) add(metric, {{0, ScoreFlag::undefined, reason}, 0});
    fail(record, reason);
    return;
  }
  const auto results = scorer_.score(output, reference, which);
  for (std::size_t i = 0; i < which.size(); ++i) add(which[i], results[i]);
}

// The whole pipeline again, alone on the machine, without caches; the scored execution was the warm-up.
void TrialRunner::measure_model_time(const Cell& cell, std::size_t image, const Claim& claim,
                                     const LoadedItem& item, Record& record) {
  const ExclusiveGate::Exclusive alone(gate_);
  const AllThreads all_threads(sweep_.threads, options_.operator_threads);
  const StageContext context = stage_context(image, claim);
  const auto begin = SteadyClock::now();
  for (int sample = 0; sample < sweep_.spec.timing.repeats; ++sample) {
    Frame frame = input_frame(item, image);
    double total = 0;
    for (const auto& part : cell.stages) {
      nlohmann::json used;
      synchronize(sweep_.device.name);
      const auto start = SteadyClock::now();
      frame = part.stage->run(frame, context, used);
      synchronize(sweep_.device.name);
      const double seconds = seconds_since(start);
      total += seconds;
      record.timings.push_back({part.id, Clock::model, sample, seconds});
    }
    record.timings.push_back({"trial", Clock::model, sample, total});
    if (seconds_since(begin) > sweep_.spec.timing.budget_s) break;
  }
}

Digest TrialRunner::score_key(const Digest& output, std::size_t image, std::size_t metric) const {
  const MetricRequest& request = sweep_.metrics[metric];
  return Hasher()
      .add_field("score")
      .add_field(output)
      .add_field(sweep_.identities[image].reference)
      .add_field(request.name)
      .add_field(static_cast<std::uint64_t>(request.metric->version))
      .add_field(static_cast<std::uint64_t>(scorer_.border(metric)))
      .finish();
}

}  // namespace upbench
