#include "harness/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <unordered_set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "harness/plan/trials.h"
#include "harness/spec/names.h"

namespace upbench {
namespace {

class Planner {
 public:
  Planner(const Spec& spec, const PlanInputs& inputs) : spec_(spec), inputs_(inputs), finder_(spec, inputs) {}

  Plan make();

 private:
  void check_request() const;
  void take_images();
  void sort_sizes();
  void evaluate_cells();
  void note_diffusion(const PlannedCell& cell, const CellResults& results);
  void refuse_nothing() const;
  void fill_run();
  void make_trials();
  void add_trials(std::uint32_t cell, std::uint32_t image);
  void link_repeat(TrialRow& row, std::uint32_t number, std::uint32_t variant);
  const std::string& reason(const TrialRow& repeat, const TrialRow& original, std::uint32_t variant);
  std::string cells_reason(const TrialRow& repeat, const TrialRow& original, std::uint32_t variant) const;
  void count_cost(const TrialRow& row, const TrialCost& cost);
  void order();
  void count_shared();
  std::vector<std::vector<std::uint32_t>> groups() const;

  const PicturePrompts& prompts_of(std::uint32_t image) const {
    static const PicturePrompts none;
    return inputs_.prompts.empty() ? none : inputs_.prompts[image];
  }
  bool usable(std::uint32_t image) const { return plan_.rows.images[image].problem.empty(); }
  std::uint32_t variant_of(std::uint32_t cell, std::uint32_t image) const {
    return usable(image) ? results_[cell].classes[class_of_[image]].variant : kRefused;
  }

  const Spec& spec_;
  const PlanInputs& inputs_;
  ModelFinder finder_;
  Plan plan_;
  ExclusionBook book_;
  std::vector<SizeClass> classes_;
  std::vector<std::uint32_t> class_of_;     // of each picture
  std::vector<std::uint64_t> pictures_of_;  // of each class
  std::vector<PlannedCell> cells_;
  std::vector<CellResults> results_;  // of each cell
  VariantTable table_;
  std::optional<OutputIndex> index_;
  std::vector<std::uint32_t> first_;              // cell x picture -> first trial; kNoTrial: none
  std::vector<Digest> label_keys_, name_keys_;    // of cells, pictures; parts of trial keys
  std::map<std::string, std::uint64_t> repeats_;  // reason -> trials
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::string>
      reasons_;  // of two variants of different cells
  double metric_rate_ = 0;
  Hasher hasher_;  // making one costs as much as a hash
};

void Planner::check_request() const {
  if (spec_.seeds.empty()) throw std::invalid_argument(fmt::format("{}: no seeds", spec_.name));
  if (inputs_.images.empty())
    throw std::invalid_argument(fmt::format("{}: no pictures, expected one or more", spec_.name));
  if (inputs_.kernels.empty()) return;
  for (const StageSpec& stage : spec_.pipeline)
    for (const Axis& axis : stage.parameters) {
      if (stage.kind != "resize" || axis.path != stage.id + ".kernel") continue;
      for (std::size_t i = 0; i < axis.values.size(); ++i)
        if (const std::string name = axis.values[i];
            std::find(inputs_.kernels.begin(), inputs_.kernels.end(), name) == inputs_.kernels.end())
          throw SpecError(
              fmt::format("{}: {}", axis.locations[i], unknown_name("kernel", name, inputs_.kernels)));
    }
}

void Planner::take_images() {
  plan_.rows.images = inputs_.images;
  std::unordered_set<std::string> names;
  for (ImageRow& image : plan_.rows.images) {
    if (!names.insert(image.name).second)
      throw std::invalid_argument(
          fmt::format("two pictures are named '{}', expected different names", image.name));
    if (image.key.is_zero())
      image.key = hasher_.add_field(image.name)
                      .add_field(image.input)
                      .add_field(image.reference)
                      .add_field(image.problem)
                      .finish();
    if (spec_.scale > 0 && image.reference.is_zero() && image.problem.empty()) {
      image.reference_width = image.input_width * spec_.scale;
      image.reference_height = image.input_height * spec_.scale;
      // A store keeps one row a key, so another wanted size is another key.
      image.key = hasher_.add_field(image.key).add_field(static_cast<std::uint64_t>(spec_.scale)).finish();
    }
    if (const PicturePrompts& prompts = prompts_of(static_cast<std::uint32_t>(name_keys_.size()));
        !prompts.empty()) {
      image.key = prompted_input(image.key, sources_of(prompts), prompts);
      for (const auto& [source, prompt] : prompts)
        if (!prompt.problem.empty()) plan_.missing_prompts.emplace_back(image.name, prompt.problem);
    }
    name_keys_.push_back(sha256(image.name));
  }
}

void Planner::sort_sizes() {
  std::map<std::pair<PictureSize, PictureSize>, std::uint32_t> known;
  for (const ImageRow& image : plan_.rows.images) {
    if (!image.problem.empty()) {
      class_of_.push_back(kRefused);
      continue;
    }
    const SizeClass sizes{.input = input_size(image), .reference = reference_size(image)};
    const bool sized = sizes.input.width > 0 && sizes.input.height > 0;
    if (!sized && spec_.images.prompts.empty())
      throw std::invalid_argument(fmt::format("picture '{}' is {}x{}, expected a size or a problem",
                                              image.name, sizes.input.width, sizes.input.height));
    const auto [entry, fresh] =
        known.try_emplace({sizes.input, sizes.reference}, static_cast<std::uint32_t>(classes_.size()));
    if (fresh) {
      classes_.push_back(sizes);
      pictures_of_.push_back(0);
    }
    class_of_.push_back(entry->second);
    ++pictures_of_[entry->second];
  }
}

// Cells that no picture can use go; refused pictures are counted.
void Planner::evaluate_cells() {
  const std::vector<std::string> paths = model_paths(spec_);
  const std::uint64_t seeds = spec_.seeds.size(), pictures = plan_.rows.images.size();
  std::vector<PlannedCell> kept;
  for (PlannedCell& cell : plan_cells(spec_, inputs_, pictures * seeds, finder_, book_)) {
    CellResults results = table_.evaluate(cell, classes_, inputs_.rates);
    const bool useless =
        !classes_.empty() && std::all_of(results.classes.begin(), results.classes.end(),
                                         [](const ClassResult& one) { return one.variant == kRefused; });
    std::uint64_t broken =
        useless ? pictures - static_cast<std::uint64_t>(std::count_if(class_of_.begin(), class_of_.end(),
                                                                      [](auto k) { return k != kRefused; }))
                : 0;
    for (std::size_t k = 0; k < results.refusals.size(); ++k) {
      if (results.refusals[k].empty()) continue;
      book_.add(cell.row, paths, results.refusals[k], (pictures_of_[k] + broken) * seeds);
      broken = 0;  // the unusable pictures of an excluded cell go with its first reason
    }
    if (useless) continue;
    note_diffusion(cell, results);
    kept.push_back(std::move(cell));
    results_.push_back(std::move(results));
  }
  cells_ = std::move(kept);
  plan_.excluded = book_.lines();
}

void Planner::note_diffusion(const PlannedCell& cell, const CellResults& results) {
  constexpr std::size_t kMost = 1000;
  for (std::size_t k = 0; k < classes_.size() && plan_.diffusion.size() < kMost; ++k)
    if (const ClassResult& result = results.classes[k];
        result.variant != kRefused && result.cost.evaluations > 0)
      plan_.diffusion.push_back({.label = cell.row.label,
                                 .input = classes_[k].input,
                                 .tiles = result.cost.tiles,
                                 .evaluations = result.cost.evaluations});
}

void Planner::refuse_nothing() const {
  if (!cells_.empty()) return;
  std::vector<std::string> reasons;
  for (const Excluded& line : plan_.excluded)
    if (std::find(reasons.begin(), reasons.end(), line.reason) == reasons.end() && reasons.size() < 3)
      reasons.push_back(line.reason);
  throw std::invalid_argument(fmt::format("{}: every cell is excluded, nothing is left to run: {}",
                                          spec_.name, fmt::join(reasons, "; ")));
}

void Planner::fill_run() {
  RunRow& run = plan_.rows.run;
  run.name = spec_.name;
  run.spec = spec_.text;
  run.canonical_spec = spec_.canonical().dump();
  run.command = nlohmann::json(inputs_.command).dump();
  nlohmann::json exclusions = nlohmann::json::array();
  for (const Excluded& line : plan_.excluded)
    exclusions.push_back({{"label", line.label}, {"reason", line.reason}, {"trials", line.trials}});
  run.exclusions = exclusions.dump();
  plan_.rows.environment = inputs_.environment;
  if (plan_.rows.environment.key.is_zero()) plan_.rows.environment.key = sha256(inputs_.environment.json);
  run.environment = plan_.rows.environment.key;
  plan_.rows.metrics = inputs_.metrics;

  Hasher hasher;
  hasher.add_field("upbench-run-1")
      .add_field(run.canonical_spec)
      .add_field(std::uint64_t{plan_.rows.images.size()});
  for (const ImageRow& image : plan_.rows.images) hasher.add_field(image.key);
  hasher.add_field(std::uint64_t{inputs_.metrics.size()});
  for (const MetricRow& metric : inputs_.metrics)
    hasher.add_field(metric.name)
        .add_field(static_cast<std::uint64_t>(metric.version))
        .add_field(static_cast<std::uint64_t>(metric.border));
  for (const PlannedCell& cell : cells_) {
    hasher.add_field(cell.row.key);
    plan_.rows.cells.push_back(cell.row);
  }
  run.key = hasher.finish();

  for (const CellRow& cell : plan_.rows.cells) {
    for (const auto& [path, value] : cell.label) hasher.add_field(path).add_field(value);
    label_keys_.push_back(hasher.finish());
  }
}

void Planner::make_trials() {
  const auto cells = static_cast<std::uint32_t>(cells_.size()),
             images = static_cast<std::uint32_t>(plan_.rows.images.size());
  std::size_t count = 0;
  for (std::uint32_t c = 0; c < cells; ++c)
    for (std::uint32_t i = 0; i < images; ++i)
      count += (!usable(i) || variant_of(c, i) != kRefused) ? spec_.seeds.size() : 0;
  plan_.rows.trials.reserve(count);
  index_.emplace(count);
  first_.assign(std::size_t{cells} * images, kNoTrial);
  metric_rate_ = metric_seconds_per_megapixel(inputs_.metrics, inputs_.rates);
  for (std::uint32_t c = 0; c < cells; ++c)
    for (std::uint32_t i = 0; i < images; ++i)
      if (!usable(i) || variant_of(c, i) != kRefused) add_trials(c, i);
  plan_.estimate.seconds /= inputs_.rates.parallel;
  for (const auto& [text, trials] : repeats_) plan_.duplicates.push_back({.reason = text, .trials = trials});
  std::stable_sort(plan_.duplicates.begin(), plan_.duplicates.end(),
                   [](const auto& a, const auto& b) { return a.trials > b.trials; });
}

void Planner::add_trials(std::uint32_t cell, std::uint32_t image) {
  std::vector<TrialRow>& trials = plan_.rows.trials;
  const ImageRow& picture = plan_.rows.images[image];
  const std::uint32_t variant = variant_of(cell, image);
  first_[std::size_t{cell} * plan_.rows.images.size() + image] = static_cast<std::uint32_t>(trials.size());
  Digest output;
  for (std::size_t s = 0; s < spec_.seeds.size(); ++s) {
    TrialRow row{.key = {}, .output = {}, .cell = cell, .image = image, .seed = spec_.seeds[s]};
    row.key = hasher_.add_field(plan_.rows.run.key)
                  .add_field(label_keys_[cell])
                  .add_field(name_keys_[image])
                  .add_field(row.seed)
                  .finish();
    if (variant != kRefused) {
      const Variant& what = table_.variants()[variant];
      if (s == 0 || what.uses_seed)
        output = output_key(hasher_, what.key, prompted_input(picture.input, what.prompts, prompts_of(image)),
                            what.uses_seed, row.seed);
      row.output = output;
    }
    trials.push_back(row);
    if (variant != kRefused)
      link_repeat(trials.back(), static_cast<std::uint32_t>(trials.size() - 1), variant);
  }
}

// Repeat or execution: counts it.
void Planner::link_repeat(TrialRow& row, std::uint32_t number, std::uint32_t variant) {
  const std::uint32_t original = index_->find_or_put(number, plan_.rows.trials, plan_.rows.images);
  if (original == number) {
    count_cost(row, results_[row.cell].classes[class_of_[row.image]].cost);
  } else {
    row.same_as = original;
    ++repeats_[reason(row, plan_.rows.trials[original], variant)];
  }
}

const std::string& Planner::reason(const TrialRow& repeat, const TrialRow& original, std::uint32_t variant) {
  static const std::string other_picture = "pictures with the same bytes";
  static const std::string other_seed = "no stage uses noise: every seed gives the same picture";
  if (repeat.image != original.image) return other_picture;
  if (repeat.cell == original.cell) return other_seed;
  auto& text = reasons_[{variant, variant_of(original.cell, original.image)}];
  if (text.empty()) text = cells_reason(repeat, original, variant);
  return text;
}

// Why two cells compute the same: the notes on the parameters in which they differ.
std::string Planner::cells_reason(const TrialRow& repeat, const TrialRow& original,
                                  std::uint32_t variant) const {
  const auto& label = cells_[repeat.cell].row.label;
  const auto& other = cells_[original.cell].row.label;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < label.size(); ++i) {
    if (label[i].second == other[i].second) continue;
    std::string text = fmt::format("{} {}: same as {}", label[i].first, label[i].second, other[i].second);
    for (const std::uint32_t one : {variant_of(original.cell, original.image), variant})
      for (const SameNote& note : table_.variants()[one].notes)
        if (note.parameter == label[i].first) text = note.text;
    texts.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(texts, "; "));
}

void Planner::count_cost(const TrialRow& row, const TrialCost& cost) {
  ++plan_.executions;
  CostEstimate& sum = plan_.estimate;
  sum.macs += cost.macs;
  sum.seconds += cost.stage_seconds + cost.other_seconds;
  if (!plan_.rows.images[row.image].reference.is_zero()) sum.seconds += cost.output_megapixels * metric_rate_;
  if (row.image < static_cast<std::uint32_t>(spec_.timing.images))
    sum.seconds += timing_seconds(spec_.timing, cost.stage_seconds);
  sum.device_bytes = std::max(sum.device_bytes, static_cast<std::uint64_t>(cost.peak_bytes));
  sum.output_bytes += static_cast<std::uint64_t>(cost.output_megapixels * 1e6 * 2.2);
}

// Cells by the weights they load, such that neighbours share the weights of their first stages.
std::vector<std::vector<std::uint32_t>> Planner::groups() const {
  std::map<std::string, std::size_t> weights;  // by first appearance
  std::map<std::vector<std::size_t>, std::vector<std::uint32_t>> sorted;
  for (std::uint32_t c = 0; c < cells_.size(); ++c) {
    std::vector<std::size_t> key;
    const std::string& group = cells_[c].row.group;
    for (std::size_t begin = 0; begin < group.size();) {
      const std::size_t end = std::min(group.find('+', begin), group.size());
      key.push_back(weights.try_emplace(group.substr(begin, end - begin), weights.size()).first->second);
      begin = end + 1;
    }
    sorted[key].push_back(c);
  }
  std::vector<std::vector<std::uint32_t>> list;
  for (auto& [key, cells] : sorted) list.push_back(std::move(cells));
  return list;
}

void Planner::order() {
  const std::size_t images = plan_.rows.images.size();
  std::uint32_t position = 0;
  for (const std::vector<std::uint32_t>& cells : groups())
    for (std::size_t i = 0; i < images; ++i)
      for (const std::uint32_t c : cells)
        if (const std::uint32_t first = first_[c * images + i]; first != kNoTrial)
          for (std::size_t s = 0; s < spec_.seeds.size(); ++s)
            plan_.rows.trials[first + s].position = position++;
}

// Stages that need not run because an earlier cell left the same result for the same picture (and seed).
void Planner::count_shared() {
  if (spec_.pipeline.size() < 2) return;
  const std::size_t images = plan_.rows.images.size(), seeds = spec_.seeds.size();
  std::vector<std::uint32_t> last(table_.prefixes() * seeds,
                                  kNoTrial);  // picture for which a prefix was seen last
  for (std::uint32_t i = 0; i < images; ++i) {
    for (std::uint32_t c = 0; c < cells_.size(); ++c) {
      const std::uint32_t first = first_[c * images + i], number = variant_of(c, i);
      if (number == kRefused) continue;
      const Variant& variant = table_.variants()[number];
      for (std::size_t s = 0; s < seeds; ++s) {
        if (plan_.rows.trials[first + s].same_as != kNoTrial) continue;
        for (std::size_t p = 0; p < variant.prefixes.size(); ++p) {
          std::uint32_t& seen = last[variant.prefixes[p] * seeds + (variant.prefix_uses_seed[p] ? s : 0)];
          plan_.shared_stages += seen == i;
          seen = i;
        }
      }
    }
  }
}

Plan Planner::make() {
  check_request();
  take_images();
  sort_sizes();
  evaluate_cells();
  refuse_nothing();
  fill_run();
  make_trials();
  order();
  count_shared();
  return std::move(plan_);
}

}  // namespace

Plan make_plan(const Spec& spec, const PlanInputs& inputs) {
  return Planner(spec, inputs).make();
}

}  // namespace upbench
