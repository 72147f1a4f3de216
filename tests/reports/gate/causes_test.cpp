#include "reports/gate/causes.h"

#include <cmath>
#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "datasets/digest.h"
#include "reports/gate/verdict_text.h"
#include "tests/reports/gate/sample_side.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Basis = GateCause::Basis;

GateResult judged(const GateSide& base, const GateSide& now) {
  GateResult result = judge(base, now, {.resamples = 500});  // nothing here is near a limit
  name_causes(base, now, result);
  return result;
}

// All causes with one basis, a line each.
std::string causes(const GateResult& result, Basis basis) {
  std::string text;
  for (const GateCause& cause : result.causes)
    if (cause.basis == basis) text += cause.text + "\n";
  return text;
}

void lose_a_decibel(std::size_t cell, std::size_t, GateSide::Trial& trial) {
  if (cell == 0) trial.scores[0].value -= 1;
}

// Keeps a picture of waves that differ by channel, moved right by `shift` or with R and B swapped, as the
// output of every picture of the first cell.
GateSide with_pictures(GateSide side, const std::filesystem::path& folder, double shift, bool swapped) {
  constexpr int kSide = 48;
  side.outputs = folder;
  for (auto& [key, trial] : side.trials) {
    if (std::get<0>(key) != 0) continue;
    const auto picture = static_cast<double>(std::get<1>(key) % 4);  // as many as are looked at, and one more
    Raster raster{.width = kSide, .height = kSide, .channels = 3, .bit_depth = 8};
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x)
        for (int c = 0; c < 3; ++c) {
          const double at = x - shift, wave = swapped ? 2 - c : c;
          raster.samples.push_back(static_cast<std::uint8_t>(
              std::lround(127 + 80 * std::sin(0.3 * at + picture + wave) * std::cos(0.2 * y + 2 * wave) +
                          30 * std::sin(0.7 * at + 0.5 * y))));
        }
    trial.pixels = Hasher().add(raster.samples.data(), raster.samples.size()).finish().hex();
    const std::filesystem::path file = folder / trial.pixels.substr(0, 2) / (trial.pixels + ".png");
    if (std::filesystem::exists(file)) continue;
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, encode_png(raster));
  }
  return side;
}

TEST(GateCauses, NothingIsNamedWithoutARegression) {
  GateSide now = sample_side();
  now.cells[0].settings[0]["weights"] = std::string(64, 'c');
  EXPECT_THAT(judged(sample_side(), now).causes, IsEmpty());
}

TEST(GateCauses, AHalfPixelShiftIsNamedFromKeptPictures) {
  const test::TemporaryFolder folder;
  const GateSide base = with_pictures(sample_side(), folder / "base", 0, false);
  const GateSide now = with_pictures(changed(sample_side(), lose_a_decibel), folder / "new", 0.5, false);
  const GateResult result = judged(base, now);
  EXPECT_EQ(exit_code_of(result), 1);
  EXPECT_THAT(causes(result, Basis::pictures), HasSubstr("shifted by half a pixel: 0.50 px right"));
  EXPECT_EQ(result.causes.at(0).cells, std::vector<std::string>{"model = a"});
  EXPECT_THAT(verdict_markdown(result), HasSubstr("consistent with: shifted by half a pixel"));
  EXPECT_THAT(verdict_junit(result), HasSubstr("half a pixel"));
}

TEST(GateCauses, SwappedChannelsAreNamedFromKeptPictures) {
  const test::TemporaryFolder folder;
  const GateSide base = with_pictures(sample_side(), folder / "base", 0, false);
  const GateSide now = with_pictures(changed(sample_side(), lose_a_decibel), folder / "new", 0, true);
  EXPECT_THAT(causes(judged(base, now), Basis::pictures), HasSubstr("R and B swapped"));
}

TEST(GateCauses, PicturesThatAreGoneAreANote) {
  const test::TemporaryFolder folder;
  const GateSide base = with_pictures(sample_side(), folder / "base", 0, false);
  GateSide now = with_pictures(changed(sample_side(), lose_a_decibel), folder / "new", 0, true);
  std::filesystem::remove_all(folder / "new");
  const GateResult result = judged(base, now);
  EXPECT_THAT(causes(result, Basis::pictures), IsEmpty());
  ASSERT_EQ(result.cause_notes.size(), 1u);
  EXPECT_THAT(result.cause_notes[0], HasSubstr("does not hold the pictures"));
  GateSide baseline = base;
  baseline.outputs.clear();
  EXPECT_THAT(judged(baseline, now).cause_notes.at(0), HasSubstr("--base-outputs"));
}

TEST(GateCauses, DamagedPicturesAreANoteNotAnError) {
  const test::TemporaryFolder folder;
  const GateSide base = with_pictures(sample_side(), folder / "base", 0, false);
  const GateSide now = with_pictures(changed(sample_side(), lose_a_decibel), folder / "new", 0, true);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / "new"))
    if (entry.is_regular_file()) std::filesystem::resize_file(entry.path(), 40);
  const GateResult result = judged(base, now);
  EXPECT_THAT(causes(result, Basis::pictures), IsEmpty());
  EXPECT_FALSE(result.cause_notes.empty());
}

TEST(GateCauses, ChangedWeightsAreNamedForTheirCellsOnly) {
  GateSide now = changed(sample_side(), lose_a_decibel);
  now.cells[0].settings[0]["weights"] = std::string(64, 'c');
  now.cells[1].settings[0]["weights"] = std::string(64, 'd');
  const GateResult result = judged(sample_side(), now);
  EXPECT_EQ(causes(result, Basis::recorded),
            "changed weights: upscale.weights: aaaaaaaaaaaa -> cccccccccccc\n");
  EXPECT_EQ(result.causes.at(0).cells, std::vector<std::string>{"model = a"});
}

TEST(GateCauses, ASmallerTileContextIsNamed) {
  GateSide base = sample_side(), now = changed(sample_side(), lose_a_decibel);
  base.cells[0].settings[0]["settings"] = {{"context", 16}, {"tile", 64}};
  now.cells[0].settings[0]["settings"] = {{"context", 4}, {"tile", 64}};
  EXPECT_THAT(causes(judged(base, now), Basis::recorded),
              HasSubstr("changed settings: upscale.settings.context: 16 -> 4 (smaller tile context)"));
}

TEST(GateCauses, OtherInputsAreNamed) {
  GateSide base = sample_side(), now = changed(sample_side(), lose_a_decibel);
  for (auto& picture : base.pictures) picture.input = std::string(64, '3');
  for (auto& picture : now.pictures) picture.input = std::string(64, '4');
  EXPECT_THAT(causes(judged(base, now), Basis::recorded), HasSubstr("changed inputs: 20 of 20 pictures"));
  for (auto& picture : base.pictures) picture.input.clear();
  EXPECT_THAT(causes(judged(base, now), Basis::recorded), Not(HasSubstr("inputs: 20")))
      << "a baseline that does not say has no other inputs";
}

TEST(GateCauses, TheProgramIsWhatIsLeft) {
  GateSide now = changed(sample_side(), lose_a_decibel);
  now.environment["upbench"] = "0.2.0";
  EXPECT_THAT(causes(judged(sample_side(), now), Basis::recorded),
              HasSubstr("the program or its environment is not: upbench: 0.1.0 -> 0.2.0"));
}

TEST(GateCauses, ASlowerKernelIsNamedAndWhetherAllCellsShareIt) {
  const auto slower = [](bool both) {
    return changed(sample_side(), [=](std::size_t cell, std::size_t, GateSide::Trial& trial) {
      if (both || cell == 1)
        for (double& seconds : trial.model_seconds) seconds *= 1.2;
    });
  };
  const GateResult one = judged(sample_side(), slower(false));
  EXPECT_EQ(exit_code_of(one), 1);
  EXPECT_THAT(causes(one, Basis::measured),
              HasSubstr("slower: 1.20 times as long in 1 of 2 timed cells: not in the others"));
  EXPECT_THAT(causes(judged(sample_side(), slower(true)), Basis::measured),
              HasSubstr("2 of 2 timed cells: all alike, so the machine"));
}

// psnr-y, psnr-rgb and ssim-y of one cell without pictures.
GateResult with_scores(double y, double rgb, double ssim) {
  GateSide base = sample_side();
  base.metrics = {{.name = "psnr-y", .unit = "dB"}, {.name = "psnr-rgb", .unit = "dB"}, {.name = "ssim-y"}};
  for (auto& [key, trial] : base.trials)
    trial.scores = {{30, ValueFlag::ok}, {29, ValueFlag::ok}, {0.9, ValueFlag::ok}};
  const GateSide now = changed(base, [=](std::size_t, std::size_t, GateSide::Trial& trial) {
    trial.scores = {{30 - y, ValueFlag::ok}, {29 - rgb, ValueFlag::ok}, {0.9 - ssim, ValueFlag::ok}};
  });
  return judged(base, now);
}

TEST(GateCauses, WithoutPicturesThePatternOfScoresIsAGuessAndSaysSo) {
  const GateResult colour = with_scores(0.5, 6, 0.02);
  EXPECT_THAT(causes(colour, Basis::scores), HasSubstr("colour rather than brightness"));
  EXPECT_THAT(verdict_markdown(colour), HasSubstr("a guess from the scores alone: colour"));
  EXPECT_THAT(causes(with_scores(4, 4, 0.001), Basis::scores), HasSubstr("levels rather than detail"));
  EXPECT_THAT(causes(with_scores(4, 4, 0.1), Basis::scores), IsEmpty());
}

}  // namespace
}  // namespace upbench
