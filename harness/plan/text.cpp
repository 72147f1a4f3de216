#include "harness/plan/text.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/safe_text.h"

namespace upbench {
namespace {

constexpr std::size_t kMostLines = 20;  // of one list in the text

struct Group {
  std::string weights;              // CellRow::group
  std::vector<std::string> models;  // labels, in report order
  std::uint32_t first_position = 0xFFFFFFFF;
  std::uint64_t cells = 0;
};

std::vector<std::string> model_labels(const CellRow& cell, const Spec& spec) {
  std::vector<std::string> labels;
  for (const StageSpec& stage : spec.pipeline) {
    const StageKind& kind = *find_stage_kind(stage.kind);
    for (std::size_t p = 0; p < stage.parameters.size(); ++p)
      for (const auto& [path, value] : cell.label)
        if (kind.parameters[p].names_model() && path == stage.parameters[p].path) labels.push_back(value);
  }
  return labels;
}

// In the order in which they are executed.
std::vector<Group> groups(const Plan& plan, const Spec& spec) {
  std::vector<Group> list;
  std::vector<std::size_t> of_cell;
  for (const CellRow& cell : plan.rows.cells) {
    auto found = std::find_if(list.begin(), list.end(),
                              [&](const Group& group) { return group.weights == cell.group; });
    if (found == list.end()) found = list.insert(list.end(), Group{.weights = cell.group, .models = {}});
    of_cell.push_back(static_cast<std::size_t>(found - list.begin()));
    ++found->cells;
    const std::string models = fmt::format("{}", fmt::join(model_labels(cell, spec), " > "));
    if (std::find(found->models.begin(), found->models.end(), models) == found->models.end())
      found->models.push_back(models);
  }
  for (const TrialRow& trial : plan.rows.trials) {
    Group& group = list[of_cell[trial.cell]];
    group.first_position = std::min(group.first_position, trial.position);
  }
  std::sort(list.begin(), list.end(),
            [](const Group& a, const Group& b) { return a.first_position < b.first_position; });
  return list;
}

std::string duration(double seconds) {
  if (seconds < 120) return fmt::format("{:.2g} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string bytes(std::uint64_t count) {
  const auto value = static_cast<double>(count);
  if (value < 1e6) return fmt::format("{:.0f} kB", value / 1e3);
  if (value < 1e9) return fmt::format("{:.0f} MB", value / 1e6);
  return fmt::format("{:.1f} GB", value / 1e9);
}

// "title" and its lines, indented; nothing when there are none.
std::string section(std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return "";
  std::string text = fmt::format("{}\n", title);
  for (std::size_t i = 0; i < lines.size() && i < kMostLines; ++i) text += fmt::format("  {}\n", lines[i]);
  if (lines.size() > kMostLines) text += fmt::format("  and {} more\n", lines.size() - kMostLines);
  return text;
}

std::vector<std::string> axis_lines(const Spec& spec) {
  std::vector<std::string> lines;
  for (const StageSpec& stage : spec.pipeline)
    for (const Axis& axis : stage.parameters)
      if (axis.swept)
        lines.push_back(fmt::format("{}: {}{}", axis.path, fmt::join(axis.labels, ", "),
                                    axis.zip >= 0 ? fmt::format("  (zip {})", axis.zip + 1) : ""));
  if (spec.seeds.size() > 1) lines.push_back(fmt::format("seeds: {}", fmt::join(spec.seeds, ", ")));
  return lines;
}

std::vector<std::string> excluded_lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Excluded& line : plan.excluded)
    lines.push_back(fmt::format("{:>6} trials  {}{}{}", line.trials, label_text(line.label),
                                line.label.empty() ? "" : ": ", line.reason));
  return lines;
}

std::vector<std::string> duplicate_lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const Duplicates& line : plan.duplicates)
    lines.push_back(fmt::format("{:>6} trials  {}", line.trials, line.reason));
  return lines;
}

std::vector<std::string> problem_lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const ImageRow& image : plan.rows.images)
    if (!image.problem.empty()) lines.push_back(safe_text(fmt::format("{}: {}", image.name, image.problem)));
  return lines;
}

std::vector<std::string> missing_prompt_lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const auto& [picture, why] : plan.missing_prompts)
    lines.push_back(safe_text(fmt::format("{}: {}", picture, why)));
  return lines;
}

std::vector<std::string> diffusion_lines(const Plan& plan) {
  std::vector<std::string> lines;
  for (const DiffusionWork& work : plan.diffusion) {
    const std::string tiles = work.tiles > 0 ? fmt::format("{} tiles, ", work.tiles) : "";
    const std::string label = label_text(work.label);
    lines.push_back(fmt::format("{}{}{}{:.0f} evaluations of a picture of {} x {}", label,
                                label.empty() ? "" : ": ", tiles, work.evaluations, work.input.width,
                                work.input.height));
  }
  return lines;
}

std::vector<std::string> group_lines(const Plan& plan, const Spec& spec) {
  std::vector<std::string> lines;
  for (const Group& group : groups(plan, spec))
    lines.push_back(
        fmt::format("{}: {}", group.weights.empty() ? std::string("no weights") : group.weights.substr(0, 12),
                    fmt::join(group.models, ", ")));
  return lines;
}

}  // namespace

std::string describe_plan(const Plan& plan, const Spec& spec) {
  const RunPlan& rows = plan.rows;
  std::string text = fmt::format("plan of {}\n", spec.name);
  text += section("axes", axis_lines(spec));
  text += fmt::format("cells          {}\npictures       {}\nseeds          {}\nmetrics        {}\n",
                      rows.cells.size(), rows.images.size(), spec.seeds.size(), rows.metrics.size());
  text += fmt::format("trials         {}\nexecutions     {}\nshared stages  {}\n", rows.trials.size(),
                      plan.executions, plan.shared_stages);
  text += section("excluded", excluded_lines(plan));
  text += section("repeat another trial", duplicate_lines(plan));
  text += section("pictures that cannot be used", problem_lines(plan));
  text += section("prompts that cannot be used: trials that need them will fail", missing_prompt_lines(plan));
  text += section("diffusion networks", diffusion_lines(plan));
  text += section("weights, in loading order", group_lines(plan, spec));
  text += fmt::format("estimate       {}, {:.2g} MACs, {} memory, {} if all outputs are kept\n",
                      duration(plan.estimate.seconds), plan.estimate.macs, bytes(plan.estimate.device_bytes),
                      bytes(plan.estimate.output_bytes));
  return text;
}

nlohmann::json plan_to_json(const Plan& plan, const Spec& spec) {
  nlohmann::json axes = nlohmann::json::array(), excluded = nlohmann::json::array(),
                 duplicates = nlohmann::json::array(), problems = nlohmann::json::array(),
                 weights = nlohmann::json::array();
  for (const StageSpec& stage : spec.pipeline)
    for (const Axis& axis : stage.parameters)
      if (axis.swept) axes.push_back({{"path", axis.path}, {"values", axis.labels}});
  for (const Excluded& line : plan.excluded) {
    nlohmann::json label = nlohmann::json::object();
    for (const auto& [path, value] : line.label) label[path] = value;
    excluded.push_back({{"label", std::move(label)}, {"reason", line.reason}, {"trials", line.trials}});
  }
  for (const Duplicates& line : plan.duplicates)
    duplicates.push_back({{"reason", line.reason}, {"trials", line.trials}});
  for (const ImageRow& image : plan.rows.images)
    if (!image.problem.empty())
      problems.push_back({{"picture", safe_text(image.name)}, {"problem", safe_text(image.problem)}});
  for (const auto& [picture, why] : plan.missing_prompts)
    problems.push_back({{"picture", safe_text(picture)}, {"problem", safe_text(why)}});
  nlohmann::json diffusion = nlohmann::json::array();
  for (const DiffusionWork& work : plan.diffusion) {
    nlohmann::json label = nlohmann::json::object();
    for (const auto& [path, value] : work.label) label[path] = value;
    diffusion.push_back({{"label", std::move(label)},
                         {"input", {work.input.width, work.input.height}},
                         {"tiles", work.tiles},
                         {"evaluations", work.evaluations}});
  }
  for (const Group& group : groups(plan, spec))
    weights.push_back({{"tensor_hashes", group.weights}, {"models", group.models}, {"cells", group.cells}});
  return {{"name", spec.name},
          {"run", plan.rows.run.key.hex()},
          {"axes", std::move(axes)},
          {"seeds", spec.seeds},
          {"cells", plan.rows.cells.size()},
          {"pictures", plan.rows.images.size()},
          {"metrics", spec.metrics},
          {"trials", plan.rows.trials.size()},
          {"executions", plan.executions},
          {"shared_stages", plan.shared_stages},
          {"excluded", std::move(excluded)},
          {"duplicates", std::move(duplicates)},
          {"problems", std::move(problems)},
          {"weights", std::move(weights)},
          {"diffusion", std::move(diffusion)},
          {"estimate",
           {{"seconds", plan.estimate.seconds},
            {"macs", plan.estimate.macs},
            {"device_bytes", plan.estimate.device_bytes},
            {"output_bytes", plan.estimate.output_bytes}}}};
}

}  // namespace upbench
