#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/program.h"

// The presets that put published numbers beside ours: no upscaler of the assets and no number that their
// README gives as published may be left out of them, and each must stand with its network, set and scale.
namespace upbench::test {
namespace {

using testing::ContainerEq;
using testing::IsEmpty;

namespace fs = std::filesystem;

constexpr char kPresetFolder[] = UPBENCH_SOURCE_DIR "/experiments";

struct Preset {
  std::string name, text;
  std::string set, scale;  // "Set5", "X2"
};

// Every published-*.yaml, with the set and the scale of its `images`.
std::vector<Preset> published_presets() {
  static const std::regex kImages(R"(\nimages: \{hr: (\w+)/HR, lr: (\w+)/LR_bicubic/(X\d)\}\n)");
  std::vector<Preset> presets;
  for (const auto& entry : fs::directory_iterator(kPresetFolder)) {
    const std::string name = entry.path().stem().string();
    if (!name.starts_with("published-") || entry.path().extension() != ".yaml") continue;
    const std::string text = read_text(entry.path().string());
    std::smatch images;
    const bool known = std::regex_search(text, images, kImages) && images[1] == images[2];
    EXPECT_TRUE(known) << name << ": its images are no set and scale";
    if (known) presets.push_back({.name = name, .text = text, .set = images[1], .scale = images[3]});
  }
  std::ranges::sort(presets, {}, &Preset::name);
  return presets;
}

// `upbench COMMAND PRESET` on the pictures and checkpoints of the assets.
ProgramResult on_the_assets(const std::string& command, const Preset& preset,
                            const std::vector<std::string>& options) {
  const std::string set = (assets() / "images" / preset.set).string();
  std::vector<std::string> arguments{command,    fmt::format("{}/{}.yaml", kPresetFolder, preset.name),
                                     "--device", "cpu",
                                     "--models", (assets() / "weights/upscalers").string(),
                                     "--set",    "images.hr=" + set + "/HR",
                                     "--set",    "images.lr=" + set + "/LR_bicubic/" + preset.scale};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run_upbench(arguments);
}

nlohmann::json plan_of(const Preset& preset) {
  const ProgramResult planned = on_the_assets("plan", preset, {"--json"});
  EXPECT_EQ(planned.exit_code, 0) << planned.err;
  return nlohmann::json::parse(planned.out);
}

// Stems of the checkpoints among the upscalers.
std::set<std::string> upscalers_of_the_assets() {
  const std::set<std::string> extensions{".safetensors", ".pth", ".pt"};
  std::set<std::string> stems;
  for (const auto& entry : fs::recursive_directory_iterator(assets() / "weights/upscalers"))
    if (extensions.contains(entry.path().extension().string())) stems.insert(entry.path().stem().string());
  return stems;
}

TEST(PublishedPresets, ArePlannedWholeAndHoldEveryUpscalerOfTheAssets) {
  UPBENCH_NEEDS_ASSETS();
  const std::map<std::string, std::size_t> pictures{{"Set5", 5}, {"Set14", 14}};
  std::set<std::string> left_out = upscalers_of_the_assets();
  EXPECT_GE(left_out.size(), 24u);
  const std::vector<Preset> presets = published_presets();
  EXPECT_GE(presets.size(), 5u);
  for (const Preset& preset : presets) {
    SCOPED_TRACE(preset.name);
    const nlohmann::json plan = plan_of(preset);
    ASSERT_EQ(plan["axes"].size(), 1u);
    ASSERT_EQ(plan["axes"][0]["path"], "upscale.model");
    const auto models = plan["axes"][0]["values"].get<std::vector<std::string>>();
    EXPECT_EQ(plan["excluded"], nlohmann::json::array());
    EXPECT_EQ(plan["problems"], nlohmann::json::array());
    EXPECT_EQ(plan["trials"], models.size() * pictures.at(preset.set));
    for (const std::string& model : models) left_out.erase(model);
  }
  EXPECT_THAT(left_out, IsEmpty());
}

// Whose mean it is, over which set, at which scale, by which metric.
struct Meaning {
  std::string model, set, scale, metric;
};

using PublishedNumber = std::tuple<std::string, std::string, std::string, std::string, double>;
using PublishedNumbers = std::set<PublishedNumber>;

PublishedNumber published(const Meaning& of, double value) {
  return {of.model, of.set, of.scale, of.metric, value};
}

// Of the presets, in the form that they all have: {where: {upscale.model: M}, METRIC: V, ..., source: S}.
PublishedNumbers numbers_of_the_presets() {
  static const std::regex kLine(R"(  - \{where: \{upscale\.model: ([^}]+)\}, (.+), source: '.+'\})"),
      kScore(R"(([a-z@-]+): (\d+\.\d+)(?:, |$))");
  PublishedNumbers numbers;
  for (const Preset& preset : published_presets()) {
    std::istringstream lines(preset.text.substr(preset.text.find("\npublished:") + 1));
    std::string line;
    std::getline(lines, line);  // published:
    while (std::getline(lines, line)) {
      std::smatch parts;
      const bool known = std::regex_match(line, parts, kLine);
      EXPECT_TRUE(known) << preset.name << ": " << line;
      if (!known) continue;
      const std::string scores = parts[2];
      for (std::sregex_iterator score(scores.begin(), scores.end(), kScore), end; score != end; ++score)
        numbers.insert(published({parts[1], preset.set, preset.scale, (*score)[1]}, std::stod((*score)[2])));
    }
  }
  return numbers;
}

// What the numbers of a row's last column mean, in their order, by what the row begins with.
const std::map<std::string, std::vector<Meaning>>& meanings_in_the_readme() {
  static const std::map<std::string, std::vector<Meaning>> meanings{
      {"rrdb/RRDB_PSNR_x4.fp16.safetensors",
       {{"RRDB_PSNR_x4.fp16", "Set5", "X4", "psnr-y"},
        {"RRDB_PSNR_x4.fp16", "Set5", "X4", "ssim-y"},
        {"RRDB_PSNR_x4.fp16", "Set14", "X4", "psnr-y"},
        {"RRDB_PSNR_x4.fp16", "Set14", "X4", "ssim-y"}}},
      {"imdn/IMDN_x2, x4.pth",
       {{"IMDN_x2", "Set5", "X2", "psnr-y"},
        {"IMDN_x2", "Set5", "X2", "ssim-y"},
        {"IMDN_x4", "Set5", "X4", "psnr-y"},
        {"IMDN_x4", "Set5", "X4", "ssim-y"},
        {"IMDN_x4", "Set14", "X4", "psnr-y"},
        {"IMDN_x4", "Set14", "X4", "ssim-y"}}},
      {"vdsr/vdsr_full_module_pickle.pth",
       {{"vdsr_full_module_pickle", "Set5", "X2", "psnr-y@float"},
        {"vdsr_full_module_pickle", "Set5", "X3", "psnr-y@float"},
        {"vdsr_full_module_pickle", "Set5", "X4", "psnr-y@float"}}},
  };
  return meanings;
}

std::vector<double> numbers_in(const std::string& text) {
  static const std::regex kNumber(R"(\d*\.\d+)");
  std::vector<double> numbers;
  for (std::sregex_iterator match(text.begin(), text.end(), kNumber), end; match != end; ++match)
    numbers.push_back(std::stod(match->str()));
  return numbers;
}

// What stands in the table's last column, but for a set of pictures that is not among the assets, and the
// baseline below it.
PublishedNumbers numbers_of_the_readme() {
  const std::string readme = read_text((assets() / "README.md").string());
  const std::size_t begin = readme.find("## weights/upscalers");
  const std::string section = readme.substr(begin, readme.find("\n## ", begin) - begin);
  PublishedNumbers numbers;
  std::size_t rows = 0;
  std::istringstream table(section);
  for (std::string line; std::getline(table, line);) {
    if (!line.starts_with("| ") || !line.ends_with('|')) continue;
    const std::size_t bar = line.rfind('|', line.size() - 2);
    const std::string cell = line.substr(bar + 1), file = line.substr(2, line.find(" |", 2) - 2);
    const std::vector<double> values = numbers_in(cell.substr(0, cell.find("Urban100")));
    if (values.empty()) continue;
    const auto meanings = meanings_in_the_readme().find(file);
    const bool known = meanings != meanings_in_the_readme().end() && meanings->second.size() == values.size();
    EXPECT_TRUE(known) << "the README's table has changed: " << line;
    if (!known) continue;
    ++rows;
    for (std::size_t i = 0; i < values.size(); ++i) numbers.insert(published(meanings->second[i], values[i]));
  }
  EXPECT_EQ(rows, meanings_in_the_readme().size()) << "the README's table has changed";
  static const std::regex kBaseline(
      R"(Bicubic baseline, Set5 x4: (\d*\.\d+)/(\d*\.\d+); Set14 (\d*\.\d+)/(\d*\.\d+)\.)");
  std::smatch baseline;
  const bool has_baseline = std::regex_search(section, baseline, kBaseline);
  EXPECT_TRUE(has_baseline) << "the README's baseline has changed";
  const Meaning means[] = {{"matlab-bicubic", "Set5", "X4", "psnr-y"},
                           {"matlab-bicubic", "Set5", "X4", "ssim-y"},
                           {"matlab-bicubic", "Set14", "X4", "psnr-y"},
                           {"matlab-bicubic", "Set14", "X4", "ssim-y"}};
  for (std::size_t i = 0; has_baseline && i < std::size(means); ++i)
    numbers.insert(published(means[i], std::stod(baseline[i + 1])));
  return numbers;
}

// The means that PAN's authors logged, of the sets that are among the assets: of PSNR four decimals.
PublishedNumbers numbers_of_the_logs() {
  static const std::regex kMean(R"(\tPSNR_Y: (\S+) dB; SSIM_Y: (\S+))");
  PublishedNumbers numbers;
  for (const int factor : {2, 4}) {
    const std::string model = fmt::format("PANx{}_DF2K", factor), scale = fmt::format("X{}", factor),
                      log = fmt::format("reference/pan/{}.log", model);
    std::istringstream lines(read_text((assets() / log).string()));
    std::string set;
    for (std::string line; std::getline(lines, line);) {
      std::smatch mean;
      if (line.starts_with("Testing [")) set = line.substr(9, line.find(']') - 9);
      if ((set != "Set5" && set != "Set14") || !std::regex_match(line, mean, kMean)) continue;
      const std::string psnr = fmt::format("{:.4f}", std::stod(mean[1]));
      numbers.insert(published({model, set, scale, "psnr-y"}, std::stod(psnr)));
      numbers.insert(published({model, set, scale, "ssim-y"}, std::stod(mean[2])));
    }
  }
  EXPECT_EQ(numbers.size(), 8u) << "two networks, two sets, two metrics";
  return numbers;
}

// What only papers say, of networks and baselines for which the README gives what was measured.
PublishedNumbers numbers_of_papers() {
  constexpr const char *kPsnr = "psnr-y", *kSsim = "ssim-y";
  return {{"rlfn_x2", "Set5", "X2", kPsnr, 38.07},        {"rlfn_x2", "Set5", "X2", kSsim, 0.9607},
          {"rlfn_x4", "Set5", "X4", kPsnr, 32.24},        {"rlfn_x4", "Set5", "X4", kSsim, 0.8952},
          {"net_g_BSRN_x4", "Set5", "X4", kPsnr, 32.35},  {"net_g_BSRN_x4", "Set5", "X4", kSsim, 0.8966},
          {"matlab-bicubic", "Set5", "X2", kPsnr, 33.66}, {"matlab-bicubic", "Set5", "X2", kSsim, 0.9299},
          {"matlab-bicubic", "Set5", "X3", kPsnr, 30.39}, {"matlab-bicubic", "Set5", "X3", kSsim, 0.8682}};
}

TEST(PublishedPresets, HoldEveryPublishedNumberWithItsNetworkSetScaleAndMetricAndNoOther) {
  UPBENCH_NEEDS_ASSETS();
  PublishedNumbers expected = numbers_of_the_readme();
  expected.merge(numbers_of_the_logs());
  expected.merge(numbers_of_papers());
  EXPECT_THAT(numbers_of_the_presets(), ContainerEq(expected));
}

// How near a published number has to come out: half of its last place and what the authors' framework rounds
// otherwise; their logs, of six places, nearer.
double tolerance(const std::string& cell, const std::string& metric, const std::string& source) {
  const bool is_ssim = metric.starts_with("ssim");
  if (source.starts_with("log of the authors")) return is_ssim ? 1e-6 : 1e-4;
  if (cell.ends_with("vdsr_full_module_pickle"))  // its authors made unrounded luma small
    return cell.starts_with("published-x2") ? 0.04 : 0.01;
  if (cell.starts_with("published-set14-x4") && cell.ends_with("RRDB_PSNR_x4.fp16")) return 0.01;  // fp16
  return is_ssim ? 0.0005 : 0.005;
}

// The whole way, as README tells it: five sweeps, one report.
TEST(PublishedPresets, ComeOutInOneReport) {
  UPBENCH_NEEDS_ASSETS();
  const TemporaryFolder folder;
  std::vector<std::string> report{"report"};
  for (const Preset& preset : published_presets()) {
    const std::string store = (folder / (preset.name + ".db")).string();
    const ProgramResult run = on_the_assets("run", preset, {"--store", store});
    ASSERT_EQ(run.exit_code, 0) << preset.name << ": " << run.err;
    report.push_back(store);
  }
  report.insert(report.end(), {"--json", "-"});
  const ProgramResult written = run_upbench(report);
  ASSERT_EQ(written.exit_code, 0) << written.err;
  const nlohmann::json rows = nlohmann::json::parse(written.out)["tables"]["published"];
  EXPECT_EQ(rows.size(), numbers_of_the_presets().size());
  for (const nlohmann::json& row : rows) {
    const std::string cell = row["cell"], metric = row["metric"];
    SCOPED_TRACE(fmt::format("{} {}", cell, metric));
    ASSERT_TRUE(row["difference"].is_number());
    // Papers' baselines make the luma of the references small and enlarge that, and take a grey picture's
    // samples for its luma; networks, and upbench, are given colours. goldens/peer_set5.tsv holds that.
    if (cell.ends_with("matlab-bicubic")) continue;
    EXPECT_NEAR(row["difference"].get<double>(), 0, tolerance(cell, metric, row["source"]));
  }
}

}  // namespace
}  // namespace upbench::test
