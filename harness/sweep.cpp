#include "harness/sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/resample.h"
#include "datasets/resampling/kernels.h"
#include "datasets/safe_text.h"
#include "harness/device_runtime.h"
#include "harness/diffusion_models.h"
#include "harness/environment.h"
#include "harness/model_cache.h"
#include "harness/rates.h"
#include "metrics/artifacts/detector.h"

namespace upbench {
namespace {

// Lists and identifies the pictures; what is wrong with one of them is kept with it and fails its trials
// only.
void look_up_pictures(Sweep& sweep) {
  SetListing listing = list_merged(sweep.spec.images);
  sweep.items = std::move(listing.items);
  sweep.left_out = std::move(listing.left_out);
  for (ImageItem& item : sweep.items) {
    ItemIdentity& identity = sweep.identities.emplace_back();
    if (!item.problem.empty()) continue;
    try {
      identity = identify(sweep.spec.images, item);
    } catch (const std::exception& error) {
      item.problem = error.what();
    }
  }
}

PromptSources prompt_sources(const Spec& spec) {
  PromptSources sources;
  for (const StageSpec& stage : spec.pipeline)
    for (const Axis& axis : stage.parameters)
      for (const nlohmann::json& value : axis.values)
        if ((axis.path == stage.id + ".prompt" || axis.path == stage.id + ".prompts") && value.is_string())
          if (const auto source = prompt_source(value.get<std::string>())) sources.insert(*source);
  return sources;
}

constexpr std::size_t kNotedBytes = 200;  // of a prompt

std::string prompt_note(PromptSource source, const PicturePrompt& prompt) {
  if (!prompt.problem.empty()) return prompt.problem;
  std::string_view rest = prompt.text;
  while (!rest.empty() && prompt.text.size() - rest.size() < kNotedBytes)
    rest.remove_prefix(utf8_length(rest));
  const std::string_view shown = std::string_view(prompt.text).substr(0, prompt.text.size() - rest.size());
  return fmt::format("prompt ({}): {}{}", to_string(source), prompt.text.empty() ? "empty" : safe_text(shown),
                     rest.empty() ? "" : "...");
}

// Read once, here: what is wrong with one fails the trials that use it.
void look_up_prompts(Sweep& sweep) {
  const PromptSources sources = prompt_sources(sweep.spec);
  for (const ImageItem& item : sweep.items) {
    PicturePrompts& prompts = sweep.prompts.emplace_back();
    if (!item.problem.empty()) continue;
    for (const PromptSource source : sources) {
      prompts[source] = find_prompt(item, source);
      sweep.identities[sweep.prompts.size() - 1].notes.push_back(prompt_note(source, prompts[source]));
    }
  }
}

constexpr std::size_t kMostNamed = 5;

// The same picture under several names is computed and scored once; all of them say so.
void note_repeats(Sweep& sweep) {
  std::map<std::pair<Digest, Digest>, std::vector<std::size_t>> same;
  for (std::size_t i = 0; i < sweep.items.size(); ++i)
    if (sweep.items[i].problem.empty())
      same[{prompted_input(sweep.identities[i].input, sources_of(sweep.prompts[i]), sweep.prompts[i]),
            sweep.identities[i].reference}]
          .push_back(i);
  for (const auto& [key, items] : same) {
    if (items.size() < 2) continue;
    std::vector<std::string> names;
    for (std::size_t k = 0; k < std::min(items.size(), kMostNamed); ++k)
      names.push_back(sweep.items[items[k]].name);
    const std::string note = fmt::format("{} names for the same pixels, scored once: {}{}", items.size(),
                                         fmt::join(names, ", "), items.size() > kMostNamed ? ", ..." : "");
    for (const std::size_t i : items) sweep.identities[i].notes.push_back(note);
  }
}

// The scale that every picture of the set asks for; 0 where nothing is asked (no reference, none given).
int common_scale(const Sweep& sweep) {
  int scale = sweep.spec.scale;
  std::string first;
  for (std::size_t i = 0; i < sweep.items.size(); ++i) {
    const int own = sweep.identities[i].scale;
    if (own == 0 || !sweep.items[i].problem.empty()) continue;
    if (scale != 0 && own != scale)
      throw std::invalid_argument(fmt::format(
          "pictures ask for different scales: {} for x{}, {} for x{}; expected one scale in a set",
          first.empty() ? "images.scale" : first, scale, sweep.items[i].name, own));
    scale = own;
    first = sweep.items[i].name;
  }
  return scale;
}

// How much smaller `degrade` stages make the pictures: of an axis the greatest value, so that all cells cut
// the same border.
int greatest_degradation(const Spec& spec) {
  double factor = 1;
  for (const StageSpec& stage : spec.pipeline) {
    if (stage.kind != "degrade") continue;
    const auto scale = std::ranges::find(stage.parameters, stage.id + ".scale", &Axis::path);
    double greatest = 1;
    for (const nlohmann::json& value : scale->values)
      if (value.is_number()) greatest = std::max(greatest, value.get<double>());
    factor *= greatest;
  }
  return static_cast<int>(std::ceil(factor));
}

ImageRow image_row(const ImageItem& item, const ItemIdentity& identity) {
  ImageRow row{.key = {},
               .name = item.name,
               .input = identity.input,
               .reference = identity.reference,
               .input_width = identity.input_width,
               .input_height = identity.input_height,
               .reference_width = identity.reference_width,
               .reference_height = identity.reference_height,
               .notes = identity.notes,
               .problem = item.problem};
  row.key = Hasher()
                .add_field(row.name)
                .add_field(row.input)
                .add_field(row.reference)
                .add_field(row.problem)
                .finish();
  return row;
}

MetricRow metric_row(const MetricRequest& request, int default_border, const std::string& fidelity) {
  const Metric& metric = *request.metric;
  const int border = request.border >= 0 ? request.border : metric.cuts_border ? default_border : 0;
  return {.name = request.name,
          .unit = metric.unit,
          .convention = metric.convention + (request.quantize ? "" : "; unrounded") +
                        (fidelity.empty() || !judges_by_fidelity(request) ? "" : "; fidelity " + fidelity),
          .higher_is_better = metric.better == Better::higher,
          .version = metric.version,
          .border = border,
          .decimals = metric.decimals};
}

// Rises whenever a network may give other pixels from the same weights.
constexpr int kNetworkVersion = 3;  // 2, 3: fused and reassociated arithmetic, last bits differ

ModelFacts facts_of(const UpscalerInfo& info) {
  return {.label = info.name,
          .scale = info.scale,
          .scales = info.scales,
          .has_paddings = info.spandrel_padding.has_value(),
          .input_range = info.input_range,
          .tensor_hash = info.tensor_hash,
          .architecture = info.architecture,
          .macs_per_pixel = info.macs_per_pixel,
          .macs_by_scale = info.macs_by_scale,
          .weight_bytes = info.parameters * static_cast<std::int64_t>(sizeof(float)),
          .version = info.architecture == "interpolator" ? kResamplingVersion : kNetworkVersion};
}

// Looks up what the plan asks for and keeps the networks themselves while they are small.
class PlannedModels {
 public:
  explicit PlannedModels(Sweep& sweep) : sweep_(sweep) {}

  ModelFacts operator()(const nlohmann::json& model) {
    const std::string text = model.dump();
    if (const auto known = sweep_.models.find(text); known != sweep_.models.end()) return known->second;
    if (is_diffusion(model)) return sweep_.models[text] = diffusion_model_facts(model, sweep_.search);
    UpscalerPtr upscaler = load_upscaler(model_request(model), sweep_.search);
    const ModelFacts facts = sweep_.models[text] = facts_of(upscaler->info());
    if (bytes_ + facts.weight_bytes <= kLoadedBytes) {
      bytes_ += facts.weight_bytes;
      sweep_.loaded.emplace(text, std::move(upscaler));
    }
    return facts;
  }

 private:
  Sweep& sweep_;
  std::int64_t bytes_ = 0;
};

// "RRDB_PSNR_x4 9296c3f43353": what stands for the results of that model.
std::string look_up_fidelity(Sweep& sweep) {
  if (sweep.spec.fidelity.is_null()) return {};
  if (std::ranges::none_of(sweep.metrics, judges_by_fidelity))
    throw std::invalid_argument(
        "fidelity names a model, but no metric judges by one; expected hallucination");
  const ModelFacts facts = PlannedModels(sweep)(sweep.spec.fidelity);
  if (sweep.scale > 0 && facts.scale > 0 && facts.scale != sweep.scale)
    throw std::invalid_argument(fmt::format("fidelity: {} enlarges {} times; expected {} as the set's scale",
                                            facts.label, facts.scale, sweep.scale));
  return fmt::format("{} {}, version {}", facts.label, facts.tensor_hash.hex().substr(0, 12), facts.version);
}

// Before any work, not when the first trial comes to it.
void require_precisions(const Sweep& sweep) {
  for (const CellRow& cell : sweep.plan.rows.cells)
    for (const auto& stage : nlohmann::json::parse(cell.settings))
      if (const auto& settings = stage.at("settings"); settings.contains("precision"))
        require_precision(settings.at("precision"), sweep.device.name);
}

}  // namespace

bool judges_by_fidelity(const MetricRequest& request) {
  return request.metric->detector != nullptr && request.metric->detector->by_fidelity;
}

UpscalerPtr load_model(const Sweep& sweep, const nlohmann::json& model) {
  const auto loaded = sweep.loaded.find(model.dump());
  return loaded != sweep.loaded.end() ? loaded->second : load_upscaler(model_request(model), sweep.search);
}

Sweep prepare_sweep(Spec spec, const SweepOptions& options) {
  Sweep sweep;
  sweep.spec = std::move(spec);
  sweep.search = {.spec_dir = sweep.spec.directory, .model_dirs = options.model_dirs};
  sweep.device = open_device(options.device);
  sweep.threads = options.threads > 0 ? options.threads : available_threads();
  sweep.parallel_trials = options.parallel_trials;
  sweep.fast = options.fast;
  sweep.metrics = parse_metrics(sweep.spec.metrics);
  look_up_pictures(sweep);
  look_up_prompts(sweep);
  note_repeats(sweep);
  sweep.scale = common_scale(sweep);
  sweep.border = options.border >= 0 ? options.border : sweep.scale * greatest_degradation(sweep.spec);

  sweep.fidelity = look_up_fidelity(sweep);

  PlanInputs inputs;
  inputs.command = options.command;
  inputs.environment = describe_environment(sweep.device, sweep.threads, sweep_settings(sweep.fast));
  for (std::size_t i = 0; i < sweep.items.size(); ++i)
    inputs.images.push_back(image_row(sweep.items[i], sweep.identities[i]));
  inputs.prompts = sweep.prompts;
  for (const MetricRequest& request : sweep.metrics)
    inputs.metrics.push_back(metric_row(request, sweep.border, sweep.fidelity));
  for (const ResampleKernel& kernel : resample_kernels()) inputs.kernels.push_back(kernel.name);
  if (options.measure_rates) inputs.rates = measure_rates(sweep.device.name, sweep.threads);
  inputs.model_facts = PlannedModels(sweep);
  sweep.plan = make_plan(sweep.spec, inputs);
  for (const LeftOut& source : sweep.left_out) sweep.plan.rows.notes.push_back(left_out_note(source));
  require_precisions(sweep);
  return sweep;
}

}  // namespace upbench
#include "harness/sweep.h"
#include "metrics/artifacts/detector.h"
