#include "harness/timing/measure.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>

#include <c10/core/ScalarType.h>
#include <fmt/format.h>
#include <unistd.h>

#include "datasets/device/graph_pool.h"
#include "datasets/device/memory.h"
#include "datasets/image.h"
#include "datasets/load_item.h"
#include "harness/kept_outputs.h"
#include "harness/model_cache.h"
#include "harness/plan/canonical.h"
#include "harness/plan/estimate.h"
#include "harness/timing/facts.h"
#include "harness/timing/peaks.h"
#include "harness/timing/pipeline_subject.h"
#include "harness/timing/session.h"
#include "harness/timing/tensor_memory.h"
#include "models/network_upscaler.h"

namespace upbench {
namespace {

constexpr int kThoroughSamples = 9;
constexpr int kRepeatChecks = 5;
// Weights of the cells that take turns; more cells are measured in several blocks.
constexpr std::uint64_t kBlockWeightBytes = 2ull << 30;
// CUDA graphs kept: of more cells than these taking turns, each lap would record its graph anew.
constexpr std::size_t kGraphs = 64;

// An output to be timed, and what the plan knows of it.
struct Target {
  std::uint32_t cell = 0, image = 0;
  std::uint64_t seed = 0;
  Digest output, pixels;
  double output_pixels = 0;
};

// Work and weights of one cell on one picture.
struct CellWork {
  double macs = 0;
  std::uint64_t weight_bytes = 0;
  std::string precision = "fp32";  // of the first network
};

// Null for a stage without one.
nlohmann::json model_of(const nlohmann::json& stage) {
  const nlohmann::json& settings = stage.at("settings");
  if (settings.contains("checkpoint")) return refine_model(settings);  // refine, hires, generate
  return settings.value("model", nlohmann::json());
}

// As that precision holds them. Facts count a network's in float32, a diffusion model's in the types of its
// files, which stay.
std::uint64_t placed_weight_bytes(const ModelFacts& facts, const std::string& precision) {
  const auto bytes = static_cast<std::uint64_t>(facts.weight_bytes);
  if (facts.diffusion) return bytes;
  return bytes / sizeof(float) * c10::elementSize(dtype_of(parse_precision(precision)));
}

CellWork work_of(const Sweep& sweep, const Target& target) {
  const nlohmann::json settings = nlohmann::json::parse(sweep.plan.rows.cells[target.cell].settings);
  const ImageRow& image = sweep.plan.rows.images[target.image];
  const Pipeline::Pass pass = Pipeline(settings).pass(input_size(image), reference_size(image));
  CellWork work;
  for (std::size_t i = 0; i < pass.outcomes.size(); ++i) {
    const nlohmann::json& own = settings[i].at("settings");
    const auto facts = sweep.models.find(model_of(settings[i]).dump());
    if (facts == sweep.models.end()) continue;
    work.macs += network_macs(facts->second, pass.outcomes[i]);
    const std::string precision = own.value("precision", "fp32");
    if (work.weight_bytes == 0) work.precision = precision;
    work.weight_bytes += placed_weight_bytes(facts->second, precision);
  }
  return work;
}

TimingRules rules_of(const TimingSpec& timing, const MeasureOptions& options) {
  TimingRules rules{.samples = timing.repeats, .budget_s = timing.budget_s};
  if (!options.thorough) return rules;
  rules.samples = std::max(rules.samples, kThoroughSamples);
  rules.budget_s = options.budget_s;
  rules.repeat_checks = kRepeatChecks;
  return rules;
}

int greatest_difference(const Raster& a, const Raster& b) {
  if (a.samples.size() != b.samples.size()) return 255;
  int greatest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    greatest = std::max(greatest, std::abs(static_cast<int>(a.samples[i]) - static_cast<int>(b.samples[i])));
  return greatest;
}

class Measurement {
 public:
  Measurement(const Sweep& sweep, Store& store, const MeasureOptions& options)
      : sweep_(sweep),
        store_(store),
        options_(options),
        rules_(rules_of(sweep.spec.timing, options)),
        kept_(store.output_folder()),
        models_([&sweep](const nlohmann::json& model) { return load_model(sweep, model); },
                kBlockWeightBytes),
        diffusion_(sweep.search, kBlockWeightBytes) {}

  MeasureResult run() {
    std::vector<std::vector<Target>> pictures = targets();
    if (std::any_of(pictures.begin(), pictures.end(), [](const auto& all) { return !all.empty(); })) {
      begin_session();
      for (const auto& picture : pictures) measure_picture(picture);
      for (std::string& flag : session_->flags()) result_.flags.push_back(std::move(flag));
    }
    return std::move(result_);
  }

 private:
  // What has to be measured, by picture.
  std::vector<std::vector<Target>> targets() {
    const int least = options_.thorough ? 1 : 0;
    const auto images = static_cast<std::uint32_t>(std::max(sweep_.spec.timing.images, least));
    std::vector<std::vector<Target>> all(std::min<std::size_t>(images, sweep_.items.size()));
    std::set<Digest> seen;
    store_.for_each_trial(sweep_.plan.rows.run.key, [&](const TrialResult& trial) {
      const bool wanted = trial.image < all.size() && trial.seed == sweep_.spec.seeds.front() &&
                          trial.same_as == kNoTrial && trial.finished && trial.status == Status::ok;
      if (!wanted || !seen.insert(trial.output).second) return;
      if (!options_.thorough && store_.has_model_timing(trial.output)) {
        ++result_.known;
        return;
      }
      all[trial.image].push_back({.cell = trial.cell,
                                  .image = trial.image,
                                  .seed = trial.seed,
                                  .output = trial.output,
                                  .pixels = trial.pixels,
                                  .output_pixels = 1.0 * trial.width * trial.height});
    });
    if (options_.thorough) std::for_each(all.begin(), all.end(), [&](auto& one) { drop_measured(one); });
    return all;
  }

  nlohmann::json rules_json() const {
    return {
        {"samples", rules_.samples}, {"budget_s", rules_.budget_s}, {"repeat_checks", rules_.repeat_checks}};
  }

  // Times of different sessions are not comparable: all of a picture are kept, or none.
  void drop_measured(std::vector<Target>& picture) {
    const bool measured = std::all_of(picture.begin(), picture.end(), [&](const Target& target) {
      const auto facts = nlohmann::json::parse(store_.model_time(target.output), nullptr, false);
      return facts.is_object() && facts.contains("rules") && facts["rules"] == rules_json();
    });
    if (!measured) return;
    result_.known += picture.size();
    picture.clear();
  }

  void begin_session() {
    const auto now = std::chrono::system_clock::now().time_since_epoch().count();
    session_key_ = sha256(fmt::format("{} {} {}", sweep_.plan.rows.run.key.hex(), now, getpid()));
    if (options_.thorough) {
      progress("measuring the peaks of the device");
      peaks_ = measure_peaks(sweep_.device.name, sweep_.threads);
    }
    session_.emplace(sweep_.device.name);
    energy_.emplace(sweep_.device.name, session_->nvml());
    set_operator_threads(sweep_.threads);
    if (sweep_.device.name == "cpu") return;
    // As trials have them: tiles in batches as large, networks replayed.
    tile_bytes_ = static_cast<double>(device_memory(sweep_.device.name).free);
    graphs_.emplace(sweep_.device.name, kGraphs);
  }

  void measure_picture(const std::vector<Target>& picture) {
    std::vector<Target> block;
    std::uint64_t weights = 0;
    for (const Target& target : picture) {
      const std::uint64_t own = work_of(sweep_, target).weight_bytes;
      if (!block.empty() && weights + own > kBlockWeightBytes) {
        measure_block(block);
        block.clear();
        weights = 0;
      }
      block.push_back(target);
      weights += own;
    }
    if (!block.empty()) measure_block(block);
  }

  void measure_block(const std::vector<Target>& block) {
    if (stopped()) return;
    const ImageRow& image = sweep_.plan.rows.images[block.front().image];
    progress(fmt::format("measuring model time: {} on {}",
                         block.size() == 1 ? "1 cell" : fmt::format("{} cells", block.size()), image.name));
    std::vector<std::unique_ptr<PipelineSubject>> subjects;
    std::vector<const Target*> of_subject;
    for (const Target& target : block)
      guarded(target, [&] {
        subjects.push_back(make_subject(target));
        of_subject.push_back(&target);
      });
    std::vector<TimingSubject*> timed;
    for (const auto& subject : subjects) timed.push_back(subject.get());
    const std::vector<SubjectTimes> times = time_interleaved(timed, rules_, options_.stop);
    for (const SubjectTimes& one : times) session_->add(one);
    session_->read();
    if (stopped()) return;
    for (std::size_t i = 0; i < times.size(); ++i)
      guarded(*of_subject[i], [&] { record(*of_subject[i], *subjects[i], times[i]); });
    nlohmann::json facts = session_->facts();
    facts["device"] = sweep_.device.name;
    facts["threads"] = sweep_.threads;
    if (options_.thorough) facts["peaks"] = to_json(peaks_);
    store_.set_timing_session(session_key_, facts.dump());
  }

  std::unique_ptr<PipelineSubject> make_subject(const Target& target) {
    const LoadedItem item =
        load_item(sweep_.spec.images, sweep_.items[target.image], sweep_.identities[target.image]);
    const ImageRow& image = sweep_.plan.rows.images[target.image];
    return std::make_unique<PipelineSubject>(
        sweep_.plan.rows.cells[target.cell].settings,
        Frame{.rgb = item.input.to(sweep_.device.name), .target = reference_size(image)},
        StageContext{.models = models_,
                     .device = sweep_.device.name,
                     .planned = sweep_.models,
                     .seed = target.seed,
                     .input = image.input,
                     .tile_bytes = tile_bytes_,
                     .graphs = graphs_ ? &*graphs_ : nullptr,
                     .diffusion = &diffusion_,
                     .prompts = &sweep_.prompts[target.image]},
        *energy_, *session_, target.pixels);
  }

  void record(const Target& target, PipelineSubject& subject, const SubjectTimes& times) {
    if (!times.failure.empty()) throw std::runtime_error(times.failure);
    const CellWork cell = work_of(sweep_, target);
    TimedWork work{.macs = cell.macs,
                   .output_pixels = target.output_pixels,
                   .peak_flops = peak_flops(peaks_, cell.precision),
                   .energy_source = energy_->source(),
                   .output_check = compare_outputs(target, subject)};
    if (options_.thorough) {
      subject.drop_graphs();
      work.peak_bytes = peak_tensor_bytes(sweep_.device.name, [&] { subject.run(0); }) + cell.weight_bytes;
    }
    nlohmann::json facts = timing_facts(times, rules_, work);
    facts["session"] = session_key_.hex();
    facts["rules"] = rules_json();
    for (const auto& flag : facts["flags"])
      result_.flags.push_back(fmt::format("{}: {}", name_of(target), flag.get<std::string>()));
    store_.set_model_time({.output = target.output,
                           .timings = timing_rows(times),
                           .peak_bytes = work.peak_bytes,
                           .facts = facts.dump()});
    ++result_.measured;
  }

  // The timed outputs must be the scored one, but for the last digit: another number of threads, or another
  // batch on a GPU, may round otherwise. The scored picture is the kept one, or comes back with the threads
  // that it was computed with.
  std::string compare_outputs(const Target& target, PipelineSubject& subject) {
    if (!subject.different()) return "same pixels";
    const Raster timed = *subject.different();
    const OutputRow scored = store_.output(target.output).value();
    int difference = 255;
    if (const auto picture = kept_.load(scored.kept_file, scored.pixels)) {
      difference = greatest_difference(timed, to_raster(*picture));
    } else {
      const auto used = nlohmann::json::parse(scored.used, nullptr, false);
      subject.forget_different();
      set_operator_threads(used.is_object() ? used.value("operator_threads", sweep_.threads)
                                            : sweep_.threads);
      subject.run(0);
      set_operator_threads(sweep_.threads);
      if (!subject.different()) difference = greatest_difference(timed, subject.last());
    }
    if (difference > 1)
      throw std::runtime_error("the timed output is not the scored one: the time is not that of the result");
    return "differs by 1 of 255: rounded otherwise";
  }

  template <class Work>
  void guarded(const Target& target, Work work) {
    try {
      work();
    } catch (const StoreError&) {
      throw;
    } catch (const std::exception& error) {
      result_.failures.push_back(fmt::format("{}: {}", name_of(target), error.what()));
    }
  }

  std::string name_of(const Target& target) const {
    return fmt::format("{} on {}", label_text(sweep_.plan.rows.cells[target.cell].label),
                       sweep_.plan.rows.images[target.image].name);
  }

  bool stopped() { return result_.interrupted = options_.stop && *options_.stop; }
  void progress(const std::string& text) const {
    if (options_.on_progress) options_.on_progress(text);
  }

  const Sweep& sweep_;
  Store& store_;
  const MeasureOptions& options_;
  TimingRules rules_;
  KeptOutputs kept_;
  ModelCache models_;
  DiffusionCache diffusion_;
  double tile_bytes_ = 0;
  std::optional<GraphPool> graphs_;
  Peaks peaks_;
  Digest session_key_;
  std::optional<TimingSession> session_;
  std::optional<EnergyMeter> energy_;
  MeasureResult result_;
};

}  // namespace

MeasureResult measure_model_times(const Sweep& sweep, Store& store, const MeasureOptions& options) {
  return Measurement(sweep, store, options).run();
}

}  // namespace upbench
