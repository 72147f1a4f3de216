#include "harness/spec.h"

#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/spec_text.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

using test::axis, test::error_of, test::kSpecHead, test::parse;

Spec with_pipeline(const std::string& rest, const std::vector<std::string>& overrides = {}) {
  return parse(kSpecHead + rest, overrides);
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

TEST(Spec, ReadsEveryPartOfAFullOne) {
  const Spec spec = parse(R"(
name: denoise-curve.v2
images: {path: photos/, lr: {scale: 2, kernel: lanczos}, limit: 20}
pipeline:
  - resize: {megapixels: [0.35, 1]}
  - upscale: {id: up, model: [lanczos, w/RRDB.safetensors, {chain: [a_x2, b_x2]}, {blend: {a: .5, b: .5}}], tile: [none, 128], context: 16, fit: a1111}
metrics: [psnr-y, "ssim-y@b0"]
seeds: [0, 18446744073709551615]
exclude: [{up.model: lanczos, up.tile: [128]}, {resize.megapixels: {below: 0.5}}]
timing: {images: 2, repeats: 5, budget: 1.5}
)");
  EXPECT_EQ(spec.name, "denoise-curve.v2");
  EXPECT_EQ(spec.images.path, "photos/");
  EXPECT_EQ(spec.images.make_lr->scale, 2);
  EXPECT_EQ(spec.images.make_lr->kernel, "lanczos");
  EXPECT_EQ(spec.images.limit, 20);
  ASSERT_EQ(spec.pipeline.size(), 2u);
  EXPECT_EQ(spec.pipeline[0].id, "resize");
  EXPECT_EQ(spec.pipeline[1].id, "up");
  EXPECT_EQ(spec.pipeline[1].kind, "upscale");
  EXPECT_THAT(axis(spec, "up.model").labels,
              ElementsAre("lanczos", "w/RRDB.safetensors", "a_x2+b_x2", ".5a+.5b"));
  EXPECT_EQ(axis(spec, "up.model").values[2].dump(), R"({"chain":["a_x2","b_x2"]})");
  EXPECT_EQ(axis(spec, "up.model").values[3].dump(), R"({"blend":{"a":0.5,"b":0.5}})");
  EXPECT_EQ(axis(spec, "up.model").locations[1], "s.yaml:6:40");
  EXPECT_THAT(axis(spec, "up.tile").values, ElementsAre("none", 128));
  EXPECT_TRUE(axis(spec, "up.tile").swept);
  EXPECT_FALSE(axis(spec, "up.context").swept);
  EXPECT_EQ(axis(spec, "up.context").values[0], 16);
  EXPECT_EQ(axis(spec, "up.precision").values[0], "fp32");
  EXPECT_TRUE(axis(spec, "resize.scale").values[0].is_null());
  EXPECT_THAT(spec.metrics, ElementsAre("psnr-y", "ssim-y@b0"));
  EXPECT_THAT(spec.seeds, ElementsAre(0u, 18446744073709551615u));
  ASSERT_EQ(spec.exclude.size(), 2u);
  EXPECT_EQ(spec.exclude[0].conditions[1].test, Exclusion::Condition::Test::one_of);
  EXPECT_EQ(spec.exclude[1].text, "{resize.megapixels: {below: 0.5}}");
  EXPECT_EQ(spec.timing.images, 2);
  EXPECT_EQ(spec.timing.budget_s, 1.5);
}

TEST(Spec, JsonIsYaml) {
  const Spec spec = parse(
      R"({"name": "j", "images": {"lr": "x", "scale": 2}, "pipeline": [{"upscale": {"model": "lanczos"}}],
    "metrics": "none", "timing": "none"})");
  EXPECT_EQ(spec.images.lr, "x");
  EXPECT_EQ(spec.scale, 2);
  EXPECT_TRUE(spec.metrics.empty());
  EXPECT_EQ(spec.timing.images, 0);
}

TEST(Spec, ReadsPairsAndProceduralPictures) {
  EXPECT_EQ(parse("name: t\nimages: {hr: A, lr: B, match: '{name}x4'}\npipeline: [{upscale: {model: "
                  "m}}]\nmetrics: psnr-y\n")
                .images.match,
            "{name}x4");
  const Spec spec = parse(
      "name: t\nimages: {procedural: {classes: [text], count: 3, size: 64, seed: 9}, lr: {scale: "
      "2}}\npipeline: [{upscale: {model: m}}]\n"
      "metrics: psnr-y\n");
  EXPECT_THAT(spec.images.procedural->classes, ElementsAre("text"));
  EXPECT_EQ(spec.images.procedural->count, 3);
  EXPECT_EQ(spec.images.procedural->seed, 9u);
}

TEST(Spec, ByteOrderMarkAndCarriageReturnsAreAccepted) {
  EXPECT_EQ(parse("\xEF\xBB\xBFname: t\r\nimages: {lr: a}\r\nmetrics: none\r\npipeline:\r\n  - upscale: "
                  "{model: b}\r\n")
                .name,
            "t");
}

TEST(Spec, RangesAreExactDecimals) {
  const auto values = [](const std::string& range) {
    return axis(with_pipeline("pipeline: [{resize: {scale: " + range + "}}]"), "resize.scale");
  };
  const Axis tenths = values("{from: 0.1, to: 0.8, step: 0.1}");
  EXPECT_THAT(tenths.labels, ElementsAre("0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8"));
  EXPECT_THAT(tenths.values, ElementsAre(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8));
  EXPECT_TRUE(tenths.swept);
  EXPECT_THAT(values("{from: 0.5, to: 1.6, step: 0.25}").labels,
              ElementsAre("0.5", "0.75", "1", "1.25", "1.5"));
  EXPECT_THAT(values("[2, {from: 1e-1, to: 0.30, step: 0.1}]").values, ElementsAre(2, 0.1, 0.2, 0.3));
  EXPECT_THAT(axis(with_pipeline("pipeline: [{upscale: {model: m, tile: {from: 64, to: 128, step: 32}}}]"),
                   "upscale.tile")
                  .values,
              ElementsAre(64, 96, 128));
  EXPECT_THAT(with_pipeline("pipeline: [{upscale: {model: m}}]\nseeds: {from: 3, to: 5, step: 1}").seeds,
              ElementsAre(3u, 4u, 5u));
}

TEST(Spec, ZipTiesAxesByGroup) {
  const Spec spec = with_pipeline(
      "pipeline:\n"
      "  - resize: {scale: {zip: [0.5, 1]}}\n"
      "  - upscale: {model: {zip: [a, b]}, tile: {zip: [64, 64, 128], group: g}, context: {zip: [4, 8, 8], "
      "group: g}}\n");
  EXPECT_EQ(axis(spec, "resize.scale").zip, axis(spec, "upscale.model").zip);
  EXPECT_EQ(axis(spec, "upscale.tile").zip, axis(spec, "upscale.context").zip);
  EXPECT_NE(axis(spec, "upscale.tile").zip, axis(spec, "upscale.model").zip);
  EXPECT_TRUE(axis(spec, "upscale.tile").swept);
}

TEST(Spec, StagesGetNumberedIds) {
  const Spec spec = with_pipeline(
      "pipeline: [{upscale: {model: a}}, {upscale: {model: b}}, {upscale: {model: c, id: last}}]");
  EXPECT_EQ(spec.pipeline[0].id, "upscale");
  EXPECT_EQ(spec.pipeline[1].id, "upscale-2");
  EXPECT_EQ(spec.pipeline[2].id, "last");
}

TEST(Spec, OverridesAddressKeysIndicesAndStageIds) {
  const std::string pipeline = "pipeline: [{upscale: {model: a}}, {upscale: {model: b}}]";
  const Spec spec = with_pipeline(
      pipeline, {"upscale.tile=[none,64]", "pipeline.1.upscale.model={chain: [c, d]}", "images.limit=2",
                 "images.lr.kernel=area", "timing.repeats=9", "seeds=[1, 2]"});
  EXPECT_THAT(axis(spec, "upscale.tile").values, ElementsAre("none", 64));
  EXPECT_EQ(axis(spec, "upscale-2.model").labels[0], "c+d");
  EXPECT_EQ(spec.images.limit, 2);
  EXPECT_EQ(spec.images.make_lr->kernel, "area");
  EXPECT_EQ(spec.timing.repeats, 9);
  EXPECT_THAT(spec.seeds, ElementsAre(1u, 2u));
}

TEST(Spec, ExtendsMergesMapsAndReplacesTheSourceOfPictures) {
  test::TemporaryFolder folder;
  std::filesystem::create_directory(folder / "presets");
  write_file(folder / "presets/base.yaml",
             "name: base\nimages: {path: photos, lr: {scale: 4, kernel: area}, limit: 7}\npipeline: "
             "[{upscale: {model: [a, b]}}]\nmetrics: [psnr-y]\n");
  write_file(folder / "top.yaml", "extends: presets/base\nname: top\nimages: {lr: {scale: 2}}\n");
  write_file(folder / "own.yaml", "extends: presets/base\nname: own\nimages: {procedural: {count: 2}}\n");
  const Spec top = read_spec(folder / "top.yaml");
  EXPECT_EQ(top.name, "top");
  EXPECT_EQ(top.images.make_lr->scale, 2);
  EXPECT_EQ(top.images.make_lr->kernel, "area");
  EXPECT_EQ(top.images.path, folder / "presets/photos");  // beside the file that says it
  EXPECT_EQ(top.images.limit, 7);
  EXPECT_EQ(axis(top, "upscale.model").values.size(), 2u);
  const Spec own = read_spec(folder / "own.yaml");
  EXPECT_TRUE(own.images.path.empty());
  EXPECT_EQ(own.images.procedural->count, 2);
}

TEST(Spec, ExtendsInACircleIsRefused) {
  test::TemporaryFolder folder;
  write_file(folder / "a.yaml", "extends: b\nname: a\n");
  write_file(folder / "b.yaml", "extends: a.yaml\nname: b\n");
  try {
    read_spec(folder / "a.yaml");
    FAIL() << "accepted";
  } catch (const SpecError& error) {
    EXPECT_THAT(error.what(), HasSubstr("b.yaml:1:10: extends comes back to"));
  }
}

TEST(Spec, FilesThatAreNoSpecAreRefused) {
  test::TemporaryFolder folder;
  const auto error = [](const std::filesystem::path& file) -> std::string {
    try {
      read_spec(file);
    } catch (const SpecError& refused) {
      return refused.what();
    }
    return "accepted";
  };
  EXPECT_THAT(error(folder / "none.yaml"),
              HasSubstr("none.yaml: No such file or directory, expected a spec file"));
  EXPECT_THAT(error(folder.path()), HasSubstr("no regular file"));
  EXPECT_THAT(error("/dev/zero"), HasSubstr("no regular file"));
  write_file(folder / "big.yaml", std::string(1'000'001, '#'));
  EXPECT_THAT(error(folder / "big.yaml"), HasSubstr("more than 1 MB"));
}

TEST(Spec, CanonicalFormKnowsDefaultsAndForgetsTheFolder) {
  const std::string text =
      "name: t\nimages: {path: photos, lr: {scale: 4}}\nmetrics: [psnr-y]\npipeline: [{upscale: {model: a}}]";
  const Spec here = parse_spec(text, "s.yaml", "/one"), there = parse_spec(text, "s.yaml", "/two");
  EXPECT_NE(here.images.path, there.images.path);
  EXPECT_EQ(here.canonical(), there.canonical());
  EXPECT_EQ(here.canonical(), parse_spec(text + "\nseeds: 0 # the default", "s.yaml", "/one").canonical());
  EXPECT_NE(here.canonical(), parse_spec(text + "\nseeds: 1", "s.yaml", "/one").canonical());
  EXPECT_EQ(here.canonical()["images"]["path"], "photos");
}

TEST(Spec, LimitOfPicturesIsCanonicalOnlyWhereItIsGiven) {
  const std::string rest = "\nmetrics: [psnr-y]\npipeline: [{upscale: {model: a}}]";
  const Spec given = parse("name: t\nimages: {lr: a, max_megapixels: 200}" + rest),
             silent = parse("name: t\nimages: {lr: a}" + rest);
  EXPECT_EQ(given.images.max_megapixels, 200);
  EXPECT_EQ(given.canonical()["images"]["max_megapixels"], 200);
  EXPECT_FALSE(silent.canonical()["images"].contains("max_megapixels"));
}

}  // namespace
}  // namespace upbench
