#include "harness/trial_runner.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include <ATen/ops/std.h>
#include <fmt/format.h>

#include "datasets/image.h"
#include "harness/plan/canonical.h"
#include "harness/steady_clock.h"
#include "harness/timing/tensor_memory.h"

namespace upbench {

struct TrialRunner::Cell {
  struct Part {
    std::string id;
    std::unique_ptr<Stage> stage;
  };
  std::vector<Part> stages;
  bool refines = false;
};

// What a stage of a shared prefix left.
struct TrialRunner::Output {
  Frame frame;
  nlohmann::json used;  // of all stages so far
};

namespace {

// One a shape of tiles (nine where borders are shorter) for a network or two.
constexpr std::size_t kGraphs = 16;
constexpr double kShareOfGraphs = 0.25;  // of the memory that is free at first

std::size_t bytes_of(const at::Tensor& tensor) {
  return tensor.nbytes();
}

std::unordered_map<Digest, std::size_t> index_by_key(const auto& rows) {
  std::unordered_map<Digest, std::size_t> index;
  for (std::size_t i = 0; i < rows.size(); ++i) index.emplace(rows[i].key, i);
  return index;
}

ModelLoader model_loader(const Sweep& sweep, const TrialRunnerOptions& options) {
  if (options.load_model) return options.load_model;
  return [&sweep](const nlohmann::json& model) { return load_model(sweep, model); };
}

TrialRunnerOptions placed(TrialRunnerOptions options, const Sweep& sweep) {
  if (options.device.empty()) options.device = sweep.device.name;
  return options;
}

// LPIPS's features of a reference are kept where they are used; devices have the memory.
std::size_t reference_bytes(bool remote) {
  return remote ? 8 * Scorer::kReferenceCacheBytes : Scorer::kReferenceCacheBytes;
}

// The parts of what was used that say this.
void find_parts(const nlohmann::json& used, const char* key, std::vector<const nlohmann::json*>& parts) {
  if (used.is_object() && used.contains(key)) parts.push_back(&used);
  if (used.is_structured())
    for (const nlohmann::json& part : used) find_parts(part, key, parts);
}

std::vector<const nlohmann::json*> parts_with(const nlohmann::json& used, const char* key) {
  std::vector<const nlohmann::json*> parts;
  find_parts(used, key, parts);
  return parts;
}

}  // namespace

TrialRunner::TrialRunner(const Sweep& sweep, const Store& store, const TrialRunnerOptions& options)
    : sweep_(sweep),
      store_(store),
      options_(placed(options, sweep)),
      pictures_(options_.device, static_cast<std::size_t>(options.pictures_ahead)),
      scorer_(sweep.metrics, sweep.border, reference_bytes(pictures_.remote())),
      kept_(store.output_folder(), options.verify),
      cell_index_(index_by_key(sweep.plan.rows.cells)),
      image_index_(index_by_key(sweep.plan.rows.images)),
      models_(model_loader(sweep, options), options.model_cache_bytes),
      diffusion_(sweep.search, options.diffusion_cache_bytes),
      latents_(options.latent_cache_bytes),
      items_(options.item_cache_bytes),
      prefixes_(options.stage_cache_bytes),
      fidelity_(options.fidelity_cache_bytes),
      compute_stream_(options_.device),
      score_stream_(options_.device) {
  // On CPUs a batch only takes the next tile out of the caches: see BM_Batch in tests/bench/tiling_bench.cpp.
  if (pictures_.remote()) {
    tile_bytes_ = static_cast<double>(device_memory(options_.device).free);
    graphs_ = std::make_unique<GraphPool>(options_.device, kGraphs,
                                          static_cast<std::uint64_t>(kShareOfGraphs * tile_bytes_));
  }
  for (const CellRow& row : sweep.plan.rows.cells) {
    Cell& cell = cells_.emplace_back();
    for (const auto& stage : nlohmann::json::parse(row.settings)) {
      cell.stages.push_back(
          {stage.at("id"), make_stage(stage.at("kind"), stage.at("id"), stage.at("settings"))});
      cell.refines = cell.refines || stage.at("kind") == "refine" || stage.at("kind") == "hires";
    }
  }
}

TrialRunner::~TrialRunner() = default;

TrialWork TrialRunner::begin(const Claim& claim) const {
  TrialWork work;
  work.claim = claim;
  work.record = {.trial = claim.trial, .output = claim.output, .token = claim.token};
  work.image = image_index_.at(claim.image);
  work.cell = cell_index_.at(claim.cell);
  work.made = !cells_[work.cell].stages.empty();
  return work;
}

std::shared_ptr<const LoadedItem> TrialRunner::decoded(std::size_t image) {
  return items_.get(image, [&] {
    auto item = std::make_shared<LoadedItem>(
        load_item(sweep_.spec.images, sweep_.items[image], sweep_.identities[image], pictures_.form()));
    const std::size_t bytes = bytes_of(item->input) + (item->reference ? bytes_of(*item->reference) : 0);
    return SharedCache<std::size_t, LoadedItem>::Made{std::move(item), bytes};
  });
}

// Whatever it brings to the device is queued there in order, so that one event says when all is there, and a
// network that another trial found first is there as well.
void TrialRunner::prepare(TrialWork& work) {
  const StreamScope uploading(pictures_.uploads());
  const bool reuses = reuse(work);
  if (!reuses) load(work);
  load_fidelity(work);
  if (reuses) ++reused_;
  work.uploaded = std::make_shared<DeviceEvent>(options_.device);
  work.uploaded->record(pictures_.uploads());
}

void TrialRunner::load(TrialWork& work) {
  work.computed = true;
  work.metrics.resize(sweep_.metrics.size());
  for (std::size_t i = 0; i < work.metrics.size(); ++i) work.metrics[i] = i;
  const auto start = SteadyClock::now();
  work.item = decoded(work.image);
  work.record.timings.push_back({"trial.decode", Clock::sweep, 0, seconds_since(start)});
  work.input = pictures_.up(work.item->input);
  if (work.item->reference) work.reference = pictures_.up(*work.item->reference);
  const StageContext context = stage_context(work);
  const std::vector<Digest>& keys = work.prefix_keys = prefix_keys(work);
  const auto& stages = cells_[work.cell].stages;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (i < keys.size() && prefixes_.has(keys[i])) continue;
    for (auto& network : stages[i].stage->load(context)) work.networks.push_back(std::move(network));
  }
}

// The model that a metric judges by, like the networks: what scores finds it on the device.
void TrialRunner::load_fidelity(TrialWork& work) {
  const bool judges = std::ranges::any_of(
      work.metrics, [&](std::size_t metric) { return judges_by_fidelity(sweep_.metrics[metric]); });
  if (judges && !sweep_.fidelity.empty() && work.made && !work.item->reference)
    work.fidelity = models_.get(sweep_.spec.fidelity, options_.device, Precision::fp32);
}

// What an earlier run kept: false when there is nothing (or it is not enough for a metric that is missing).
bool TrialRunner::reuse(TrialWork& work) {
  const std::optional<OutputRow> output = store_.output(work.claim.output);
  if (!output) return false;
  std::unordered_map<Digest, bool> known;
  for (const ScoreRow& score : store_.scores(work.claim.output))
    known.emplace(score.key, score.flag != ValueFlag::skipped && score.flag != ValueFlag::failed);
  std::vector<std::size_t> missing;
  bool exact = false;
  for (std::size_t i = 0; i < sweep_.metrics.size(); ++i) {
    const auto found = known.find(score_key(work.claim.output, work.image, i));
    if (found != known.end() && found->second) continue;
    missing.push_back(i);
    const bool wants_base = sweep_.metrics[i].metric->detector != nullptr && cells_[work.cell].refines;
    exact = exact || !sweep_.metrics[i].quantize || wants_base;
  }
  if (!missing.empty()) {
    if (exact || output->kept_file.empty()) return false;
    const std::optional<Image> picture = kept_.load(output->kept_file, output->pixels);
    if (!picture) return false;
    work.item = decoded(work.image);
    work.output = pictures_.up(*picture);
    work.record.boundaries = store_.boundaries(work.claim.output);
    if (work.item->reference) work.reference = pictures_.up(*work.item->reference);
    const auto is_detector = [&](std::size_t i) { return sweep_.metrics[i].metric->detector != nullptr; };
    if (std::ranges::any_of(missing, is_detector)) work.input = pictures_.up(work.item->input);
    work.metrics = std::move(missing);
  }
  Record& record = work.record;
  record.width = output->width;
  record.height = output->height;
  record.pixels = output->pixels;
  record.used = output->used;
  record.kept_file = output->kept_file;
  record.flags = output->flags;
  decide_by_calibration(work);
  return true;
}

StageContext TrialRunner::stage_context(const TrialWork& work) {
  return {.models = models_,
          .device = options_.device,
          .planned = sweep_.models,
          .seed = work.claim.seed,
          .input = sweep_.plan.rows.images[work.image].input,
          .tile_bytes = tile_bytes_,
          .graphs = graphs_.get(),
          .diffusion = &diffusion_,
          .stage_input = sweep_.plan.rows.images[work.image].input,
          .latents = &latents_,
          .prompts = &sweep_.prompts[work.image]};
}

std::vector<Digest> TrialRunner::prefix_keys(const TrialWork& work) const {
  if (cells_[work.cell].stages.size() < 2) return {};
  auto keys = stage_keys(sweep_.plan.rows.cells[work.cell], sweep_.plan.rows.images[work.image],
                         work.claim.seed, sweep_.prompts[work.image]);
  keys.pop_back();
  return keys;
}

// Stages that other cells share are taken from the cache, or put there. The host waits for the device once,
// at the end.
void TrialRunner::compute(TrialWork& work) {
  const StreamScope computing(compute_stream_);
  if (work.uploaded) work.uploaded->hold(compute_stream_);
  StageContext context = stage_context(work);
  const std::vector<Digest>& keys = work.prefix_keys;
  const auto& stages = cells_[work.cell].stages;
  const Frame input{.rgb = work.input, .target = reference_size(sweep_.plan.rows.images[work.image])};
  auto current = std::make_shared<const Output>(Output{input, nlohmann::json::array()});
  struct Span {
    std::string id;
    DeviceEvent begin, end;
  };
  std::vector<Span> spans;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const auto make = [&] {
      Span& span = spans.emplace_back(
          Span{stages[i].id, DeviceEvent(context.device, true), DeviceEvent(context.device, true)});
      span.begin.record(compute_stream_);
      nlohmann::json used;
      auto next = std::make_shared<Output>();
      const std::uint64_t peak = peak_tensor_bytes(
          context.device, [&] { next->frame = stages[i].stage->run(current->frame, context, used); });
      span.end.record(compute_stream_);
      if (peak > 0) used["peak_bytes"] = peak;
      used["id"] = stages[i].id;
      next->used = current->used;
      next->used.push_back(std::move(used));
      ++stages_executed_;
      std::size_t bytes = bytes_of(next->frame.rgb);
      if (next->frame.latents) bytes += bytes_of(next->frame.latents->values);
      return SharedCache<Digest, Output>::Made{std::move(next), bytes};
    };
    current = i < keys.size() ? prefixes_.get(keys[i], make) : make().value;
    if (i < keys.size()) context.stage_input = keys[i];
  }
  compute_stream_.synchronize();
  for (const Span& span : spans)
    work.record.timings.push_back({span.id, Clock::sweep, 0, span.end.seconds_since(span.begin)});
  work.output = current->frame.rgb;
  work.base = current->frame.base;
  work.record.boundaries = current->frame.boundaries;
  work.record.used = used(current->used);
  flag(work, current->used);
  work.record.height = static_cast<int>(work.output.size(1));
  work.record.width = static_cast<int>(work.output.size(2));
  work.networks.clear();
}

void TrialRunner::flag(TrialWork& work, const nlohmann::json& stages) {
  if (pictures_.remote() && sweep_.fast) work.record.flags.emplace_back("not_bit_exact");
  for (const nlohmann::json* eager : parts_with(stages, "eager")) {
    const std::string network = eager->at("eager");
    if (told_eager_.insert(network).second)
      work.notice = fmt::format("no CUDA graph, its kernels are started one by one: {}", network);
  }
  const auto halved = parts_with(stages, "batch_halved");
  if (halved.empty()) return;
  work.record.flags.emplace_back("batch_halved");
  const std::string cell = label_text(sweep_.plan.rows.cells[work.cell].label);
  work.notice =
      fmt::format("{}: memory did not suffice for the planned batch of tiles; {} at a time, same tiles",
                  cell.empty() ? "the only cell" : cell, halved.front()->value("batch", 1));
}

std::string TrialRunner::used(const nlohmann::json& stages) const {
  nlohmann::json all = {{"stages", stages},
                        {"device", options_.device},
                        {"operator_threads", options_.operator_threads},
                        {"parallel_trials", options_.parallel_trials}};
  if (pictures_.remote()) all["fast"] = sweep_.fast;
  return all.dump();
}

void TrialRunner::keep(TrialWork& work) {
  const auto start = SteadyClock::now();
  Record& record = work.record;
  const auto kept = [&](const auto& write) {
    if (!options_.keep_outputs) return;
    try {
      write();
    } catch (const std::system_error& error) {
      throw StoreError(fmt::format("{}; free space or use --keep-outputs none", error.what()), 4);
    }
  };
  kept([&] { keep_maps(work); });
  if (!work.computed) return;
  const DevicePictures::Saved saved = pictures_.down(work.output);
  record.pixels = pixel_digest(saved.raster);
  if (saved.spread < 1.0 / 255) record.flags.emplace_back("degenerate");  // black or constant
  if (sweep_.identities[work.image].corrupt) record.flags.emplace_back("input_corrupt");
  kept([&] {
    record.kept_file = kept_.keep(saved.raster, record.pixels);
    if (!sweep_.items[work.image].prompt)
      kept_.keep_item(sweep_.plan.rows.images[work.image].key, *work.item);
  });
  record.timings.push_back({"trial.keep", Clock::sweep, 0, seconds_since(start)});
}

}  // namespace upbench
