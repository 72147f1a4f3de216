#include <algorithm>
#include <filesystem>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/assets.h"
#include "tests/support/program.h"

// The presets that put published numbers beside ours: no upscaler of the assets and no number that their
// README gives as published may be left out of them.
namespace upbench::test {
namespace {

using testing::IsEmpty;

namespace fs = std::filesystem;

struct Preset {
  std::string name, set, scale;
  std::size_t pictures = 0;
};

const std::vector<Preset> kPresets{{"published-x2", "Set5", "X2", 5},
                                   {"published-x3", "Set5", "X3", 5},
                                   {"published-x4", "Set5", "X4", 5},
                                   {"published-set14-x4", "Set14", "X4", 14}};

std::string file_of(const Preset& preset) {
  return UPBENCH_SOURCE_DIR "/experiments/" + preset.name + ".yaml";
}

nlohmann::json plan_of(const Preset& preset) {
  const std::string set = (assets() / "images" / preset.set).string();
  const ProgramResult planned =
      run_upbench({"plan", file_of(preset), "--json", "--device", "cpu", "--models",
                   (assets() / "weights/upscalers").string(), "--set", "images.hr=" + set + "/HR", "--set",
                   "images.lr=" + set + "/LR_bicubic/" + preset.scale});
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
  std::set<std::string> left_out = upscalers_of_the_assets();
  EXPECT_GE(left_out.size(), 24u);
  for (const Preset& preset : kPresets) {
    SCOPED_TRACE(preset.name);
    const nlohmann::json plan = plan_of(preset);
    ASSERT_EQ(plan["axes"].size(), 1u);
    ASSERT_EQ(plan["axes"][0]["path"], "upscale.model");
    const auto models = plan["axes"][0]["values"].get<std::vector<std::string>>();
    EXPECT_EQ(plan["excluded"], nlohmann::json::array());
    EXPECT_EQ(plan["problems"], nlohmann::json::array());
    EXPECT_EQ(plan["trials"], models.size() * preset.pictures);
    for (const std::string& model : models) left_out.erase(model);
  }
  EXPECT_THAT(left_out, IsEmpty());
}

std::set<double> numbers_in(const std::string& text) {
  static const std::regex kNumber(R"(\d*\.\d+)");
  std::set<double> numbers;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), kNumber); match != std::sregex_iterator();
       ++match)
    numbers.insert(std::stod(match->str()));
  return numbers;
}

// What stands in the table's last column, but for a set of pictures that is not among the assets.
std::set<double> published_by_the_readme() {
  const std::string readme = read_text((assets() / "README.md").string());
  const std::size_t begin = readme.find("## weights/upscalers");
  std::istringstream table(readme.substr(begin, readme.find("\n## ", begin) - begin));
  std::set<double> numbers;
  for (std::string line; std::getline(table, line);) {
    if (!line.starts_with("|") || !line.ends_with("|")) continue;
    const std::size_t bar = line.rfind('|', line.size() - 2);
    const std::string cell = line.substr(bar + 1);
    numbers.merge(numbers_in(cell.substr(0, cell.find("Urban100"))));
  }
  return numbers;
}

TEST(PublishedPresets, HoldEveryPublishedNumber) {
  UPBENCH_NEEDS_ASSETS();
  std::set<double> published = published_by_the_readme();
  EXPECT_GE(published.size(), 13u) << "the README's table has changed";
  // The means of PAN's logs, and the baseline, which the README gives elsewhere.
  published.insert({38.0007, 0.960488, 32.1311, 0.894810, 28.6107, 0.782151, 28.42, 0.8104, 26.00, 0.7027});
  std::set<double> ours;
  for (const Preset& preset : kPresets) {
    const std::string text = read_text(file_of(preset));
    ours.merge(numbers_in(text.substr(text.find("\npublished:"))));
  }
  std::vector<double> missing;
  std::ranges::set_difference(published, ours, std::back_inserter(missing));
  EXPECT_THAT(missing, IsEmpty());
}

}  // namespace
}  // namespace upbench::test
