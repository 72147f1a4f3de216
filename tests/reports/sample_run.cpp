#include "tests/reports/sample_run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "reports/statistics/random.h"

namespace upbench::test {
namespace {

RunPlan sample_plan() {
  RunPlan plan;
  plan.run = {
      .key = sha256("run"),
      .name = "sample",
      .spec = "name: sample\n",
      .canonical_spec = "{}",
      .exclusions =
          R"([{"label": {"upscale.model": "net_x2.pth"}, "reason": "scale 2, but the pictures ask for 4", "trials": 6}])",
      .command = R"(["upbench","run","sample.yaml"])",
      .environment = sha256("environment"),
      .started_at = "2025-03-01T10:00:00Z",
      .finished_at = "2025-03-01T10:05:00Z"};
  plan.environment = {
      .key = sha256("environment"),
      .json = R"({"upbench": "0.1.0", "device": {"name": "cpu", "description": "a CPU"}, "threads": 2})"};
  for (const char* model : {"lanczos", "net.pth"})
    for (const char* tile : {"none", "64"})
      plan.cells.push_back(
          {.key = sha256(fmt::format("{} {}", model, tile)),
           .label = {{"upscale.model", model}, {"upscale.tile", tile}},
           .settings = fmt::format(
               R"([{{"id": "upscale", "kind": "upscale", "settings": {{"model": "{}", "tile": "{}", "overlap": 16}}}}])",
               model, tile),
           .group = model});
  for (const char* name : {"a", "b", "c"})
    plan.images.push_back({.key = sha256(name),
                           .name = name,
                           .input = sha256("input"),
                           .reference = sha256("reference"),
                           .input_width = 32,
                           .input_height = 24,
                           .reference_width = 128,
                           .reference_height = 96,
                           .notes = {},
                           .problem = {}});
  plan.notes = {"hr: 1 file left out that is not named as a picture: 1 .txt"};
  plan.images[2].notes = {"reference cut from 130x97 to 128x96"};
  plan.metrics = {{"psnr-y", "dB", "BT.601 Y, peak 255", true, 1, 4, 2},
                  {"ssim-y", "", "Gaussian 11x11", true, 1, 4, 3},
                  {"lpips-alex", "", "v0.1", false, 1, 0, 4}};
  return plan;
}

TrialResult::Value value(double number, ValueFlag flag = ValueFlag::ok) {
  return {number, flag, {}};
}

TrialResult trial(std::uint32_t cell, std::uint32_t image, double psnr, double ssim, double seconds) {
  TrialResult result{.cell = cell, .image = image, .finished = true, .width = 128, .height = 96};
  result.scores = {value(psnr), value(ssim), {0, ValueFlag::skipped, "no weights"}};
  for (int sample = 0; image == 0 && sample < 3; ++sample)
    result.timings.push_back({"trial", Clock::model, sample, seconds * (sample + 1)});
  result.timings.push_back({"trial", Clock::sweep, 0, seconds * 4});
  return result;
}

}  // namespace

RunData unfinished_run() {
  RunData data;
  data.plan = sample_plan();
  data.source = "sample.db";
  for (std::uint32_t cell = 0; cell < 4; ++cell)
    for (std::uint32_t image = 0; image < 3; ++image) data.add({.cell = cell, .image = image});
  return data;
}

RunData sample_run() {
  RunData data;
  data.plan = sample_plan();
  data.source = "sample.db";
  const double psnr[4][3] = {{30, 32, 34}, {30, 31, 32}, {33, 0, 35}, {33, 34, 0}};
  const double ssim[4][3] = {{0.8, 0.9, 0.85}, {0.8, 0.88, 0.84}, {0.9, 1, 0.95}, {0.9, 0.98, 0}};
  for (std::uint32_t cell = 0; cell < 4; ++cell)
    for (std::uint32_t image = 0; image < 3; ++image) {
      TrialResult result = trial(cell, image, psnr[cell][image], ssim[cell][image], cell < 2 ? 0.001 : 2);
      if (cell == 1 && image == 0) {
        result.same_as = 0;
        result.timings.clear();
      }
      if (cell == 2 && image == 1) result.scores[0] = value(0, ValueFlag::inf);
      if (cell == 2) result.peak_bytes = 3 << 20;
      if (cell == 3 && image == 2) {
        result.status = Status::failed;
        result.reason = "out of memory";
        for (auto& score : result.scores) score = {0, ValueFlag::skipped, {}};
      }
      data.add(result);
    }
  return data;
}

RunData hostile_run(const std::string& text) {
  RunData data;
  data.plan = sample_plan();
  data.source = text;
  RunPlan& plan = data.plan;
  plan.run.name = plan.run.spec = plan.run.command = plan.run.started_at = text;
  const auto dump = [](const nlohmann::json& parsed) {
    return parsed.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  plan.run.exclusions = dump({{{"label", {{text, text}}}, {"reason", text}, {"trials", 1}}});
  plan.environment.json =
      dump({{"upbench", text}, {"device", {{"name", text}, {"description", text}}}, {text, text}});
  for (CellRow& cell : plan.cells)
    for (auto& [path, written] : cell.label) written += text;
  for (ImageRow& image : plan.images) image.name = image.problem = text;
  for (ImageRow& image : plan.images) image.notes = {text};
  plan.notes = {text};
  for (MetricRow& metric : plan.metrics) metric.name = metric.unit = metric.convention = text + metric.name;
  for (std::uint32_t cell = 0; cell < 4; ++cell)
    for (std::uint32_t image = 0; image < 3; ++image) {
      TrialResult result = trial(cell, image, 30.0 + cell, 0.8, 1);
      result.reason = text;
      result.flags = {text};
      result.scores[2].reason = text;
      if (cell == 3) result.status = Status::failed;
      if (cell == 1) result.same_as = image;
      data.add(result);
    }
  return data;
}

RunData scored_run(const std::string& axis, const std::vector<std::string>& cells, std::size_t pictures,
                   const std::vector<std::string>& metrics,
                   const std::function<double(std::size_t, std::size_t, std::size_t)>& score) {
  RunData data;
  data.plan.run.name = "simulated";
  for (const std::string& metric : metrics) {
    const bool psnr = metric.starts_with("psnr");
    data.plan.metrics.push_back(
        {metric, psnr ? "dB" : "", "", !metric.starts_with("lpips"), 1, 0, psnr ? 2 : 4});
  }
  for (const std::string& cell : cells) {
    data.plan.cells.push_back({});
    data.plan.cells.back().label = {{axis, cell}};
  }
  for (std::size_t i = 0; i < pictures; ++i) {
    data.plan.images.push_back({});
    data.plan.images.back().name = fmt::format("p{}", i);
  }
  for (std::uint32_t cell = 0; cell < cells.size(); ++cell)
    for (std::uint32_t picture = 0; picture < pictures; ++picture) {
      TrialResult result{.cell = cell, .image = picture, .finished = true};
      for (std::size_t m = 0; m < metrics.size(); ++m)
        result.scores.push_back(value(score(m, cell, picture)));
      data.add(result);
    }
  return data;
}

double noise(std::size_t picture, std::size_t stream) {
  return Random(7, stream * 1'000'003 + picture).uniform() - 0.5;
}

Headline headline_of(const RunData& data) {
  const Analysis analysis = analyse(data);
  return make_headline(analysis, decide(analysis));
}

std::vector<Plot> plots_of(const RunData& data) {
  const Analysis analysis = analyse(data);
  return make_plots(analysis, decide(analysis));
}

}  // namespace upbench::test
