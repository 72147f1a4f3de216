#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

constexpr char kSpec[] = R"(name: gate
images: {procedural: {count: 12, size: 48, seed: 2}, lr: {scale: 2, kernel: matlab-bicubic}}
pipeline: [{upscale: {model: [lanczos, compact-x2]}}]
metrics: [psnr-y, ssim-y]
timing: none
)";

class CompareProgramTest : public ::testing::Test {
 protected:
  void SetUp() override { write_text((folder_ / "gate.yaml").string(), kSpec); }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  TemporaryFolder folder_;
};

// With a base to compare with. Causes are told by pictures in few of the tests, which make their own.
class CompareTest : public CompareProgramTest {
 protected:
  void SetUp() override {
    CompareProgramTest::SetUp();
    ASSERT_EQ(run({"run", "gate.yaml", "--store", "base.db", "--keep-outputs", "none"}).exit_code, 0);
  }
};

TEST_F(CompareTest, AStoreAndItsBaselineAreTheSame) {
  ASSERT_EQ(run({"baseline", "base.db", "-o", "base.json"}).exit_code, 0);
  const ProgramResult result = run({"compare", "base.json", "base.db"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("4 no worse"));
}

// Detectors are compared by their decisions, and as long as they are experimental not at all.
TEST_F(CompareProgramTest, DecisionsOfDetectorsGoIntoBaselinesAndTheirValuesAreNoMetrics) {
  ASSERT_EQ(run({"run", "gate.yaml", "--store", "base.db", "--set", "metrics=[psnr-y, artifacts]"}).exit_code,
            0);
  ASSERT_EQ(run({"baseline", "base.db", "-o", "base.json"}).exit_code, 0);
  const auto baseline = nlohmann::json::parse(read_text((folder_ / "base.json").string()));
  EXPECT_EQ(baseline["metrics"][0]["name"], "psnr-y");
  EXPECT_FALSE(baseline["detectors"].empty());
  for (const auto& metric : baseline["metrics"])  // one that decided nowhere may be left
    for (const auto& detector : baseline["detectors"]) EXPECT_NE(metric["name"], detector["name"]);
  EXPECT_FALSE(baseline["trials"][0]["decisions"].empty());
  const ProgramResult result = run({"compare", "base.json", "base.db"});
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
}

TEST_F(CompareTest, AliasedInputsFailTheGate) {
  run({"run", "gate.yaml", "--store", "new.db", "--set", "images.lr.kernel=nearest"});
  const ProgramResult result = run({"compare", "base.db", "new.db", "--json", "--junit", "verdict.xml"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  const auto verdict = nlohmann::json::parse(result.out);
  EXPECT_EQ(verdict["schema"], "upbench-verdict-1");
  EXPECT_EQ(verdict["exit_code"], 1);
  EXPECT_THAT(read_text((folder_ / "verdict.xml").string()), HasSubstr("<failure message=\"regressed"));
}

TEST_F(CompareTest, AnUnfinishedRunIsIncomplete) {
  run({"run", "gate.yaml", "--store", "new.db", "--set", "upscale.model=lanczos"});
  const ProgramResult result = run({"compare", "base.db", "new.db"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.out, HasSubstr("cell upscale.model = compact-x2"));
}

TEST_F(CompareTest, WrongRequestsAreRefusedWithTheFile) {
  EXPECT_EQ(run({"compare", "base.db", "none.db"}).exit_code, 2);
  write_text((folder_ / "broken.json").string(), "{\"schema\": 7}");
  const ProgramResult broken = run({"compare", "broken.json", "base.db"});
  EXPECT_EQ(broken.exit_code, 2);
  EXPECT_THAT(broken.err, HasSubstr("broken.json"));
  write_text((folder_ / "policy.yaml").string(), "metrics: {psnr-y: {tolerance: 1}}\n");
  const ProgramResult policy = run({"compare", "base.db", "base.db", "--policy", "policy.yaml"});
  EXPECT_EQ(policy.exit_code, 2);
  EXPECT_THAT(policy.err, HasSubstr("margin is missing"));
  EXPECT_EQ(run({"compare", "base.db", "base.db", "--run", "ffffffff"}).exit_code, 2);
}

// The regressions that a gate is for, each from the command line to the message that names it.

TEST_F(CompareProgramTest, ASmallerTileContextFailsTheGateAndIsNamed) {
  const std::vector<std::string> tiled{"--set", "upscale.tile=16", "--set", "upscale.model=compact-x2"};
  const auto with_context = [&](const char* context, const char* store) {
    std::vector<std::string> arguments{"run", "gate.yaml", "--store", store, "--set", context};
    arguments.insert(arguments.end(), tiled.begin(), tiled.end());
    return run(arguments).exit_code;
  };
  ASSERT_EQ(with_context("upscale.context=8", "wide.db"), 0);
  ASSERT_EQ(with_context("upscale.context=0", "narrow.db"), 0);
  const ProgramResult result = run({"compare", "wide.db", "narrow.db"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("(smaller tile context)"));
  EXPECT_THAT(result.out, HasSubstr("consistent with: borders of tiles"));
}

TEST_F(CompareProgramTest, ChangedWeightsFailTheGateAndAreNamed) {
  std::string weights = read_text(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors");
  const auto save = [&](const char* folder) {
    std::filesystem::create_directory(folder_ / folder);
    write_text((folder_ / folder / "net.safetensors").string(), weights);
  };
  save("one");
  // float16 of the last tensors: half the size where the exponent allows it.
  for (std::size_t i = weights.size() - 20'000; i < weights.size(); i += 2)
    if ((weights[i + 1] & 0x7C) >= 0x08) weights[i + 1] = static_cast<char>(weights[i + 1] - 0x04);
  save("two");
  for (const std::string folder : {"one", "two"})
    ASSERT_EQ(
        run({"run", "gate.yaml", "--store", folder + ".db", "--set", "upscale.model=net", "--models", folder})
            .exit_code,
        0);
  const ProgramResult result = run({"compare", "one.db", "two.db"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("changed weights: upscale.models"));
}

// Outputs of another tool, scored as they are: the pipeline repeats pixels of pictures that have their size
// already.
class PictureCompareTest : public CompareProgramTest {
 protected:
  void SetUp() override {
    write_text((folder_ / "draw.yaml").string(),
               "name: draw\nimages: {procedural: {count: 6, size: 64, seed: 4}, lr: {scale: 1}}\n"
               "pipeline: [{upscale: {model: nearest}}]\nmetrics: [psnr-rgb]\ntiming: none\n");
    write_text((folder_ / "score.yaml").string(),
               "name: score\nimages: {hr: reference, lr: output}\npipeline: [{upscale: {model: nearest}}]\n"
               "metrics: [psnr-y, psnr-rgb]\ntiming: none\n");
    ASSERT_EQ(run({"run", "draw.yaml"}).exit_code, 0);
    for (const char* folder : {"reference", "output"}) std::filesystem::create_directory(folder_ / folder);
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "draw.db.outputs"))
      if (entry.is_regular_file())
        std::filesystem::copy_file(entry.path(), folder_ / "reference" / entry.path().filename());
    // A tool that is a little wrong in the base already.
    ASSERT_EQ(score("base.db", [](const Raster& from, int x, int y, int c) { return at(from, x, y, c) ^ 1; }),
              0);
  }

  static std::size_t place(const Raster& raster, int x, int y, int c) {
    const auto width = static_cast<std::size_t>(raster.width);
    return (static_cast<std::size_t>(y) * width + static_cast<std::size_t>(x)) * 3 +
           static_cast<std::size_t>(c);
  }

  static int at(const Raster& raster, int x, int y, int c) {
    return raster.samples[place(raster, std::clamp(x, 0, raster.width - 1), y, c)];
  }

  // Scores the references with every sample replaced.
  template <class Sample>
  int score(const std::string& store, Sample sample) {
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "reference")) {
      const Raster from = decode_file(entry.path());
      Raster to = from;
      for (int y = 0; y < to.height; ++y)
        for (int x = 0; x < to.width; ++x)
          for (int c = 0; c < 3; ++c)
            to.samples[place(to, x, y, c)] = static_cast<std::uint8_t>(sample(from, x, y, c));
      write_file_atomically(folder_ / "output" / entry.path().filename(), encode_png(to));
    }
    return run({"run", "score.yaml", "--store", store}).exit_code;
  }
};

TEST_F(PictureCompareTest, AHalfPixelShiftFailsTheGateAndIsNamed) {
  ASSERT_EQ(score("new.db", [](const Raster& from, int x, int y,
                               int c) { return (at(from, x, y, c) + at(from, x - 1, y, c)) / 2; }),
            0);
  const ProgramResult result = run({"compare", "base.db", "new.db"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("consistent with: shifted by half a pixel: "));
}

TEST_F(PictureCompareTest, SwappedChannelsFailTheGateAndAreNamedFromABaselineToo) {
  ASSERT_EQ(score("new.db", [](const Raster& from, int x, int y, int c) { return at(from, x, y, 2 - c); }),
            0);
  ASSERT_EQ(run({"baseline", "base.db", "-o", "base.json"}).exit_code, 0);
  const ProgramResult blind = run({"compare", "base.json", "new.db"});
  EXPECT_EQ(blind.exit_code, 1);
  EXPECT_THAT(blind.out, HasSubstr("--base-outputs"));
  const ProgramResult result = run({"compare", "base.json", "new.db", "--base-outputs", "base.db.outputs"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("consistent with: R and B swapped"));
}

TEST_F(CompareTest, ASlowerKernelFailsTheGateAndIsNamed) {
  ASSERT_EQ(run({"baseline", "base.db", "-o", "base.json"}).exit_code, 0);
  auto baseline = nlohmann::json::parse(read_text((folder_ / "base.json").string()));
  const auto save = [&](const std::string& name, double factor) {
    for (auto& trial : baseline["trials"])
      trial["model_seconds"] = {1.00 * factor, 1.01 * factor, 0.99 * factor, 1.02 * factor, 1.00 * factor};
    write_text((folder_ / name).string(), baseline.dump());
  };
  save("fast.json", 1);
  save("slow.json", 1.2);
  const ProgramResult result = run({"compare", "fast.json", "slow.json"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("slower: 1.20 to 1.20 times as long in 2 of 2 timed cells"));
}

TEST_F(CompareProgramTest, MorePeakMemoryFailsTheGateAndIsNamed) {
  ASSERT_EQ(run({"run", "gate.yaml", "--store", "timed.db", "--time", "--time-budget", "0.1", "--set",
                 "upscale.model=lanczos", "--set", "images.procedural.count=1", "--keep-outputs", "none"})
                .exit_code,
            0);
  ASSERT_EQ(run({"baseline", "timed.db", "-o", "timed.json"}).exit_code, 0);
  auto baseline = nlohmann::json::parse(read_text((folder_ / "timed.json").string()));
  auto& peak = baseline["trials"][0]["peak_bytes"];
  ASSERT_GT(peak, 48 * 48 * 3 * 4) << "more than the output";
  peak = peak.get<std::uint64_t>() * 2;
  write_text((folder_ / "more.json").string(), baseline.dump());
  const ProgramResult result = run({"compare", "timed.db", "more.json"});
  EXPECT_EQ(result.exit_code, 1) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("peak memory: 2.000 times the memory (tolerance 1.05)"));
  EXPECT_THAT(result.out, HasSubstr("more memory: 2.00 times as much"));
  write_text((folder_ / "policy.yaml").string(),
             "memory: {tolerance: 2.5, margin: 3}\nquality: {required: false}\n");
  EXPECT_EQ(run({"compare", "timed.db", "more.json", "--policy", "policy.yaml"}).exit_code, 0);
}

TEST_F(CompareTest, ThePolicySaysWhatMustBeThereAndWhatMayBeLeftOut) {
  const auto compared = [&](const char* store, const char* policy) {
    write_text((folder_ / "policy.yaml").string(), policy);
    return run({"compare", "base.db", store, "--policy", "policy.yaml"});
  };
  run({"run", "gate.yaml", "--store", "one.db", "--set", "upscale.model=lanczos", "--keep-outputs", "none"});
  EXPECT_EQ(compared("one.db", "require: {cells: [upscale.model = lanczos]}\n").exit_code, 0);
  const ProgramResult none = compared("one.db", "require: {cells: [upscale.model = realesrgan*]}\n");
  EXPECT_EQ(none.exit_code, 3);
  EXPECT_THAT(none.out, HasSubstr("cell upscale.model = realesrgan\\*: required, and there is none"));

  run({"run", "gate.yaml", "--store", "raced.db", "--adaptive", "--keep-outputs", "none"});
  const ProgramResult refused = compared("raced.db", "allow: {failed: ['*']}\n");
  EXPECT_EQ(refused.exit_code, 1) << refused.out << refused.err;
  EXPECT_THAT(refused.out, HasSubstr("trials were left out by an adaptive sweep"));
  EXPECT_THAT(refused.out, HasSubstr("without --adaptive"));
  EXPECT_EQ(compared("raced.db", "allow: {not_run: true}\n").exit_code, 0);
  const ProgramResult wrong = compared("raced.db", "allow: {not_run: true, missing: all}\n");
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("policy.yaml:1:24: unknown key of allow 'missing'"));
  // What the message says to do.
  run({"run", "gate.yaml", "--store", "raced.db", "--keep-outputs", "none"});
  EXPECT_EQ(compared("raced.db", "").exit_code, 0);
}

TEST_F(CompareTest, WritesWhatCiServicesShow) {
  run({"run", "gate.yaml", "--store", "new.db", "--set", "images.lr.kernel=nearest"});
  const ProgramResult result = run({"compare", "base.db", "new.db", "--annotate", "--code-quality",
                                    "quality.json", "--badge", "badge.svg", "--markdown", "summary.md"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.out, HasSubstr("\n::error title=upbench%3A psnr-y regressed::"));
  EXPECT_THAT(result.out, HasSubstr("changed inputs: 12 of 12 pictures"));
  EXPECT_EQ(nlohmann::json::parse(read_text((folder_ / "quality.json").string()))[0]["location"]["path"],
            "base.db");
  EXPECT_THAT(read_text((folder_ / "badge.svg").string()), HasSubstr(">regression</text>"));
  EXPECT_THAT(read_text((folder_ / "summary.md").string()), HasSubstr("Why, as far as it can be told"));
}

TEST_F(CompareTest, CalibratesOnRepeatsOfARun) {
  run({"run", "gate.yaml", "--store", "again.db"});
  const ProgramResult result = run({"compare", "--calibrate", "base.db", "again.db", "--json"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto calibration = nlohmann::json::parse(result.out);
  EXPECT_EQ(calibration["comparisons"], 200);
  EXPECT_EQ(calibration["false_alarms"], 0) << "the same version gives the same pixels";
  EXPECT_EQ(calibration["rows"].size(), 4u);
  EXPECT_EQ(run({"compare", "base.db"}).exit_code, 2);
}

}  // namespace
}  // namespace upbench::test
