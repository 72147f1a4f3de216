#include <filesystem>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/left_out.h"
#include "cli/picture_limit.h"
#include "cli/signals.h"
#include "cli/sweep_options.h"
#include "datasets/safe_text.h"
#include "harness/worker.h"

namespace upbench {
namespace {

struct ScoreOptions {
  std::filesystem::path outputs, references, store;
  std::vector<std::string> metrics{"psnr-y", "ssim-y"};
  std::string match;
  int border = 0, threads = 0, max_megapixels = 0;
  bool modcrop = false, json = false;
};

// A sweep with no stage: the pictures as they are, against their references.
Spec score_spec(const ScoreOptions& options) {
  Spec spec;
  spec.name = "score";
  spec.images.lr = std::filesystem::absolute(options.outputs);
  spec.images.hr = std::filesystem::absolute(options.references);
  spec.images.match = options.match;
  spec.images.same_size = true;
  spec.images.cut_reference = options.modcrop;
  spec.images.max_megapixels = options.max_megapixels;
  spec.metrics = options.metrics;
  spec.timing.images = 0;
  spec.directory = std::filesystem::current_path();
  return spec;
}

nlohmann::json number(const TrialResult::Value& value) {
  if (value.flag == ValueFlag::inf) return "inf";  // JSON has no infinity
  return value.flag == ValueFlag::ok ? nlohmann::json(value.value) : nlohmann::json(nullptr);
}

// {"seam": {"flagged", "threshold", "gates", "boxes": [[x, y, width, height]]}}
nlohmann::json artifacts(const std::vector<DetectionRow>& detections) {
  nlohmann::json all = nlohmann::json::object();
  for (const DetectionRow& detection : detections) {
    nlohmann::json boxes = nlohmann::json::array();
    for (const auto& box : detection.boxes) boxes.push_back({box.x, box.y, box.width, box.height});
    all[detection.detector] = {{"flagged", detection.flagged},
                               {"threshold", detection.threshold},
                               {"gates", detection.gates},
                               {"boxes", boxes}};
  }
  return all;
}

struct Mean {
  double sum = 0;
  int count = 0;
};

// {"images": [{"name", "status", "scores": {}, "flags": []}], "mean": {}}, with "artifacts" where detectors
// decided; a mean is over the finite scores.
nlohmann::json collect(const Store& store, const Sweep& sweep) {
  nlohmann::json images = nlohmann::json::array();
  std::vector<Mean> means(sweep.metrics.size());
  store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) {
    nlohmann::json scores = nlohmann::json::object();
    nlohmann::json flags = trial.flags;
    for (std::size_t i = 0; i < trial.scores.size(); ++i) {
      const TrialResult::Value& value = trial.scores[i];
      const std::string& name = sweep.metrics[i].name;
      scores[name] = number(value);
      if (value.flag == ValueFlag::ok) {
        means[i].sum += value.value;
        ++means[i].count;
      } else {
        flags.push_back(fmt::format("{}: {}{}{}", name, to_string(value.flag),
                                    value.reason.empty() ? "" : ": ", value.reason));
      }
    }
    nlohmann::json row = {{"name", safe_text(sweep.items[trial.image].name)},
                          {"status", trial.finished ? std::string(to_string(trial.status)) : "unfinished"},
                          {"scores", scores},
                          {"flags", flags}};
    if (!trial.detections.empty()) row["artifacts"] = artifacts(trial.detections);
    if (!trial.reason.empty()) row["reason"] = safe_text(trial.reason);
    images.push_back(std::move(row));
  });
  nlohmann::json mean = nlohmann::json::object();
  for (std::size_t i = 0; i < means.size(); ++i)
    mean[sweep.metrics[i].name] =
        means[i].count > 0 ? nlohmann::json(means[i].sum / means[i].count) : nlohmann::json(nullptr);
  return {{"images", images}, {"mean", mean}};
}

std::string cell(const nlohmann::json& value, int decimals) {
  if (value.is_number()) return fmt::format("{:.{}f}", value.get<double>(), decimals);
  return value.is_string() ? value.get<std::string>() : "-";
}

void print_table(const nlohmann::json& result, const Sweep& sweep) {
  std::size_t width = 4;
  for (const auto& image : result["images"]) width = std::max(width, image["name"].get<std::string>().size());
  fmt::print("{:<{}}", "name", width);
  for (const MetricRequest& metric : sweep.metrics) fmt::print("  {:>12}", metric.name);
  const auto print_row = [&](const std::string& name, const nlohmann::json& scores,
                             const std::string& remark) {
    fmt::print("\n{:<{}}", name, width);
    for (const MetricRequest& metric : sweep.metrics)
      fmt::print("  {:>12}", cell(scores.value(metric.name, nlohmann::json()), metric.metric->decimals));
    if (!remark.empty()) fmt::print("  {}", remark);
  };
  for (const auto& image : result["images"])
    print_row(
        image["name"], image["scores"],
        image["status"] == "ok" ? "" : image["status"].get<std::string>() + ": " + image.value("reason", ""));
  print_row("mean", result["mean"], "");
  fmt::print("\n");
}

// Where no store is named, results live as long as the call.
class TemporaryStore {
 public:
  TemporaryStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "upbench-score-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::system_error(errno, std::generic_category(), pattern);
    folder_ = pattern;
  }
  ~TemporaryStore() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;
  std::filesystem::path file() const { return folder_ / "score.db"; }

 private:
  std::filesystem::path folder_;
};

int score(const ScoreOptions& options) {
  SweepOptions sweep_options{.device = "cpu",
                             .threads = options.threads,
                             .model_dirs = {},
                             .command = command_line(),
                             .border = options.border};
  const Sweep sweep = prepare_sweep(score_spec(options), sweep_options);
  if (!options.json) note_left_out(sweep.left_out);
  std::optional<TemporaryStore> temporary;
  if (options.store.empty()) temporary.emplace();
  Store store(temporary ? temporary->file() : options.store);
  const WorkerResult worked = run_sweep(
      sweep, store, {.keep_outputs = KeepOutputs::none, .stop = &catch_stop_signals(), .on_progress = {}});
  const nlohmann::json result = collect(store, sweep);
  if (options.json)
    fmt::print("{}\n", result.dump(2));
  else
    print_table(result, sweep);
  return finish(worked);
}

}  // namespace

void add_score_command(CLI::App& program, Command& chosen) {
  auto options = std::make_shared<ScoreOptions>();
  CLI::App* command =
      program.add_subcommand("score", "Score finished pictures, from any tool, against their references");
  command->add_option("OUTPUTS", options->outputs, "Picture or folder")->required();
  command->add_option("REFERENCES", options->references, "Picture or folder; paired by name")->required();
  command->add_option("--metrics", options->metrics, "Comma-separated (upbench list metrics)")
      ->delimiter(',')
      ->capture_default_str();
  command->add_option("--border", options->border, "Pixels cut at each side by metrics that cut a border")
      ->check(CLI::Range(0, 4096))
      ->capture_default_str();
  command->add_flag("--modcrop", options->modcrop,
                    "Cut a larger reference to the output's size, at right and bottom");
  command->add_option("--match", options->match, "Output name for a reference name, e.g. '{name}_4x'")
      ->type_name("PATTERN");
  command->add_option("--store", options->store, "Keep the results in this store")->type_name("FILE");
  command->add_option("--threads", options->threads, "Processors to use; 0: every one available")
      ->check(CLI::Range(0, 4096));
  add_max_megapixels(*command, options->max_megapixels);
  command->add_flag("--json", options->json, "Print the scores as JSON");
  command->footer(
      "Examples:\n"
      "  upbench score results/ Set5/HR --metrics psnr-y,ssim-y,lpips-alex --border 4\n"
      "  upbench score out.png reference.png --json");
  command->callback([options, &chosen] { chosen = [options] { return score(*options); }; });
}

}  // namespace upbench
