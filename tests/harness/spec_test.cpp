#include "harness/spec.h"

#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kHead =
    "name: t\nimages: {path: photos, lr: {scale: 4}}\nmetrics: [psnr-y]\n";  // 3 lines

Spec parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_spec(text, "s.yaml", "", overrides);
}
Spec with_pipeline(const std::string& rest, const std::vector<std::string>& overrides = {}) {
  return parse(kHead + rest, overrides);
}

std::string error_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const SpecError& error) {
    return error.what();
  }
  return "accepted";
}

const Axis& axis(const Spec& spec, const std::string& path) {
  for (const StageSpec& stage : spec.pipeline)
    for (const Axis& one : stage.parameters)
      if (one.path == path) return one;
  throw std::logic_error("no axis " + path);
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

// One fault a row: the text after kHead's three lines (so line 4 is its first), and how the message must
// begin.
struct Fault {
  const char* what;
  std::string text;
  std::string message;
};

class SpecFault : public testing::TestWithParam<Fault> {};

TEST_P(SpecFault, IsRefusedWithItsPlace) {
  EXPECT_THAT(error_of(kHead + GetParam().text), StartsWith("s.yaml:" + GetParam().message));
}

const Fault kFaults[] = {
    {"Alias", "pipeline: *p", "4:11: the referenced anchor is not defined"},
    {"Anchor", "pipeline: &p [{upscale: {model: a}}]", "4:11: anchor '&p'"},
    {"MergeKey", "<<: {name: b}", "4:1: a merge key '<<'"},
    {"Tag", "pipeline: !!python/object:os.system [x]", "4:11: tag "},
    {"DuplicateKey", "name: b", "4:1: key 'name' a second time (first in line 1)"},
    {"UnknownKey", "pipline: []",
     "4:1: unknown key 'pipline' (did you mean 'pipeline'?), expected one of name, extends"},
    {"ListAsKey", "[a, b]: c", "4:1: a key that is no text"},
    {"SecondDocument", "pipeline: [{upscale: {model: a}}]\n---\nname: b", "5:1: a second document"},
    {"BrokenYaml", "pipeline: [{upscale: {model: a}",
     "4:12: a key that is no text, expected a name (or a bracket is left open)"},
    {"TabIndentation", "pipeline:\n\t- upscale: {model: a}", "5:1: a tab in the indentation"},
    {"ControlCharacter", "pipeline: \x01", "4:11: control character 0x01"},
    {"NotUtf8", "pipeline: \xC3(", "4:11: byte 0xC3 is not UTF-8"},
    {"OverlongUtf8", "pipeline: \xC0\xAF", "4:11: byte 0xC0 is not UTF-8"},
    {"Missing", "", "1:1: pipeline is missing, expected it in the spec"},
    {"Nothing", "pipeline: ~", "4:1: pipeline has no value"},
    {"WrongType", "pipeline: 5", "4:11: pipeline is '5', expected a list of stages"},
    {"EmptyPipeline", "pipeline: []", "4:11: pipeline is empty"},
    {"UnknownStage", "pipeline: [{upscael: {model: a}}]",
     "4:13: unknown stage 'upscael' (did you mean 'upscale'?), expected one of upscale, resize"},
    {"TwoKeysInAStage", "pipeline: [{upscale: {model: a}, resize: {scale: 1}}]",
     "4:12: a stage of the pipeline has 2 keys"},
    {"NoParameters", "pipeline: [{upscale: lanczos}]", "4:22: upscale is 'lanczos', expected a map"},
    {"MissingModel", "pipeline: [{upscale: {tile: 64}}]", "4:22: upscale.model is missing"},
    {"UnknownParameter", "pipeline: [{upscale: {model: a, tiel: 4}}]",
     "4:33: unknown key of upscale 'tiel' (did you mean 'tile'?)"},
    {"BadId", "pipeline: [{upscale: {model: a, id: 'a.b'}}]", "4:37: id is 'a.b'"},
    {"SameId", "pipeline: [{upscale: {model: a}}, {resize: {scale: 2, id: upscale}}]",
     "4:35: stage id 'upscale' a second time"},
    {"TileTooSmall", "pipeline: [{upscale: {model: a, tile: 8}}]",
     "4:39: upscale.tile is '8', expected a whole number from 16 to 65536"},
    {"TileIsNo", "pipeline: [{upscale: {model: a, tile: no}}]",
     "4:39: upscale.tile is 'no', expected none, a whole number"},
    {"FitIsNo", "pipeline: [{upscale: {model: a, fit: no}}]", "4:38: unknown upscale.fit 'no'"},
    {"Octal", "pipeline: [{upscale: {model: a, tile: 0100}}]",
     "4:39: upscale.tile is '0100', expected a whole number from 16 to 65536 without leading zeros"},
    {"Hexadecimal", "pipeline: [{upscale: {model: a, context: 0x10}}]",
     "4:42: upscale.context is '0x10', expected a whole number"},
    {"Fraction", "pipeline: [{upscale: {model: a, context: 1.5}}]",
     "4:42: upscale.context is '1.5', expected a whole number"},
    {"QuotedNumber", "pipeline: [{upscale: {model: a, context: '16'}}]",
     "4:42: upscale.context is the text '16', expected a whole number"},
    {"TooLarge", "pipeline: [{resize: {scale: 17}}]",
     "4:29: resize.scale is '17', expected a number from 0.01 to 16"},
    {"NotANumber", "pipeline: [{resize: {scale: .nan}}]", "4:29: resize.scale is '.nan', expected a number"},
    {"Infinity", "pipeline: [{resize: {scale: .inf}}]", "4:29: resize.scale is '.inf', expected a number"},
    {"Overflow", "pipeline: [{resize: {scale: 1e400}}]", "4:29: resize.scale is '1e400', expected a number"},
    {"TwoSizes", "pipeline: [{resize: {scale: 2, long_edge: 5}}]",
     "4:21: resize has 2 of scale, megapixels, long_edge, size, expected exactly one"},
    {"NoSize", "pipeline: [{resize: {kernel: area}}]", "4:21: resize has 0 of scale"},
    {"BadSize", "pipeline: [{resize: {size: 640}}]", "4:28: resize.size is '640', expected WIDTHxHEIGHT"},
    {"EmptyAxis", "pipeline: [{upscale: {model: []}}]", "4:30: upscale.model is an empty list"},
    {"NestedList", "pipeline: [{upscale: {model: [[a]]}}]",
     "4:31: upscale.model is a list, expected a model"},
    {"RepeatedValue", "pipeline: [{upscale: {model: [a, b, a]}}]", "4:30: upscale.model has a twice"},
    {"RepeatedNumber", "pipeline: [{resize: {scale: [0.5, 0.50]}}]", "4:29: resize.scale has 0.50 twice"},
    {"ChainOfOne", "pipeline: [{upscale: {model: {chain: [a]}}}]", "4:38: upscale.model.chain has 1 models"},
    {"BlendSum", "pipeline: [{upscale: {model: {blend: {a: 0.5, b: 0.4}}}}]",
     "4:38: the weights of upscale.model.blend sum to 0.9"},
    {"HomeModel", "pipeline: [{upscale: {model: ~/w.pth}}]",
     "4:30: upscale.model is '~/w.pth', expected the path written out"},
    {"StepZero", "pipeline: [{resize: {scale: {from: 1, to: 2, step: 0}}}]",
     "4:52: resize.scale.step is '0', expected more than 0"},
    {"Downward", "pipeline: [{resize: {scale: {from: 2, to: 1, step: 1}}}]",
     "4:43: resize.scale.to is below from"},
    {"EndlessRange", "pipeline: [{resize: {scale: {from: 0, to: 1, step: 1e-9}}}]",
     "4:29: resize.scale has 1000000001 values, expected at most 100000"},
    {"HugeDigits", "pipeline: [{resize: {scale: {from: 0.12345678901234567, to: 1, step: 1}}}]",
     "4:36: resize.scale.from is '0.12345678901234567', expected a number of at most 15 digits"},
    {"RangeKey", "pipeline: [{resize: {scale: {from: 0, to: 1, stop: 1}}}]",
     "4:46: unknown key of resize.scale 'stop' (did you mean 'step'?)"},
    {"RangeOfModels", "pipeline: [{upscale: {model: {from: 0, to: 1, step: 1}}}]",
     "4:30: upscale.model is a range"},
    {"ZipLengths", "pipeline: [{upscale: {model: {zip: [a, b]}, tile: {zip: [64, 96, 128]}}}]",
     "4:51: upscale.tile has 3 values in its zip, expected 2 as in upscale.model"},
    {"NegativeSeed", "seeds: -1\npipeline: [{upscale: {model: a}}]",
     "4:8: seeds is '-1', expected a whole number from 0 to 18446744073709551615"},
    {"SeedTooLarge", "seeds: [18446744073709551616]\npipeline: [{upscale: {model: a}}]",
     "4:9: seeds is '18446744073709551616'"},
    {"EmptySeeds", "seeds: []\npipeline: [{upscale: {model: a}}]", "4:8: seeds is an empty list"},
    {"SeedTwice", "seeds: [1, 1]\npipeline: [{upscale: {model: a}}]", "4:8: seeds has a number twice"},
    {"UnknownPath", "pipeline: [{upscale: {model: a}}]\nexclude: [{upscale.modle: a}]",
     "5:12: unknown parameter 'upscale.modle' (did you mean 'upscale.model'?)"},
    {"BoundOnText", "pipeline: [{upscale: {model: a}}]\nexclude: [{upscale.fit: {below: 1}}]",
     "5:25: exclude.upscale.fit is a bound"},
    {"EmptyRule", "pipeline: [{upscale: {model: a}}]\nexclude: [{}]", "5:11: a rule of exclude is empty"},
    {"TimingYes", "pipeline: [{upscale: {model: a}}]\ntiming: yes", "5:9: timing is 'yes', expected a map"},
    {"ZeroRepeats", "pipeline: [{upscale: {model: a}}]\ntiming: {repeats: 0}",
     "5:19: timing.repeats is '0', expected a whole number from 1 to 10000"},
    {"MissingBase", "extends: nowhere",
     "4:10: extends is 'nowhere', expected a spec file at nowhere or nowhere.yaml"},
};
INSTANTIATE_TEST_SUITE_P(Rows, SpecFault, testing::ValuesIn(kFaults),
                         [](const auto& row) { return row.param.what; });

TEST(Spec, HeadFaultsAreRefusedWithTheirPlace) {
  const std::string rest = "\nmetrics: none\npipeline: [{upscale: {model: a}}]";
  EXPECT_THAT(error_of(""), StartsWith("s.yaml:1:1: an empty spec"));
  EXPECT_THAT(error_of("[1]"), StartsWith("s.yaml:1:1: the spec is a list, expected a map"));
  EXPECT_THAT(error_of("name: a/b\nimages: {lr: a}" + rest),
              StartsWith("s.yaml:1:7: name is 'a/b', expected letters"));
  EXPECT_THAT(error_of("name: ..\nimages: {lr: a}" + rest), StartsWith("s.yaml:1:7: name is '..'"));
  EXPECT_THAT(error_of("name: a\nimages: {}" + rest), StartsWith("s.yaml:2:9: images names 0 sources"));
  EXPECT_THAT(error_of("name: a\nimages: {path: a, hr: b}" + rest),
              StartsWith("s.yaml:2:9: images names 2 sources"));
  EXPECT_THAT(error_of("name: a\nimages: {path: a}" + rest), StartsWith("s.yaml:2:9: images.lr is missing"));
  EXPECT_THAT(error_of("name: a\nimages: {path: ~/a, lr: {scale: 2}}" + rest),
              StartsWith("s.yaml:2:16: images.path is '~/a', expected the path written out"));
  EXPECT_THAT(error_of("name: a\nimages: {path: a, lr: {scale: 0}}" + rest),
              StartsWith("s.yaml:2:31: images.lr.scale is '0', expected a whole number from 1 to 16"));
  EXPECT_THAT(error_of("name: a\nimages: {path: a, lr: {scale: 2}, scale: 2}" + rest),
              StartsWith("s.yaml:2:42: images.scale beside"));
  EXPECT_THAT(error_of("name: a\nimages: {hr: a, lr: b, match: x4}" + rest),
              StartsWith("s.yaml:2:31: images.match is 'x4', expected {name}"));
  EXPECT_THAT(error_of("name: a\nimages: {lr: a}\nmetrics: []\npipeline: [{upscale: {model: a}}]"),
              StartsWith("s.yaml:3:10: metrics is an empty list"));
}

TEST(Spec, EnvironmentVariablesInPathsAreLiteral) {
  EXPECT_EQ(
      parse("name: a\nimages: {lr: $HOME/x}\nmetrics: none\npipeline: [{upscale: {model: a}}]").images.lr,
      "$HOME/x");
}

TEST(Spec, OtherEncodingsAreNamed) {
  EXPECT_THAT(error_of(std::string("\xFF\xFEn\0", 4)), HasSubstr("UTF-16 or UTF-32 text, expected UTF-8"));
  EXPECT_THAT(error_of(std::string("n\0a\0", 4)), HasSubstr("UTF-16 or UTF-32 text, expected UTF-8"));
}

TEST(Spec, WrongOverridesAreRefused) {
  const std::string text = std::string(kHead) + "pipeline: [{upscale: {model: a}}]";
  const auto error = [&](const std::string& override) { return error_of(text, {override}); };
  EXPECT_THAT(error("imges.limit=2"),
              StartsWith("--set imges.limit=2:1:1: unknown path 'imges' (did you mean 'images'?)"));
  EXPECT_THAT(error("images.limt=2"),
              StartsWith("--set images.limt=2:1:1: unknown key of images 'limt' (did you mean 'limit'?)"));
  EXPECT_THAT(error("images.limit=x"),
              StartsWith("--set images.limit=x:1:14: images.limit is 'x', expected a whole number"));
  EXPECT_THAT(error("upscale.tiles=4"),
              StartsWith("--set upscale.tiles=4:1:1: unknown key of upscale 'tiles' (did you mean 'tile'?)"));
  EXPECT_THAT(error("pipeline.3.upscale.tile=64"), HasSubstr("no item '3' in this list, expected 0 to 0"));
  EXPECT_THAT(error("name.x=1"), HasSubstr("no key 'x' here: the value is 't', expected a map"));
  EXPECT_THAT(error("images.limit"), HasSubstr("no PATH=VALUE"));
  EXPECT_THAT(error("images.limit="), HasSubstr("no value after '='"));
  EXPECT_THAT(error("upscale.model=[a"), HasSubstr("--set upscale.model=[a:1:15: "));
}

// Each is at most 1 MB, and would take the memory or the stack of a careless reader.
TEST(Spec, BombsAreRefused) {
  const auto repeated = [](const std::string& piece, std::size_t bytes) {
    std::string text;
    while (text.size() + piece.size() <= bytes) text += piece;
    return text;
  };
  constexpr std::size_t kAll = 990'000;
  for (const char* piece : {"[", "{a: ", "- ", "? ", "[{", "{? ", "- ? ", "a: [", "'", "\"", "!", "&a ", "*a",
                            "|\n", ">\n ", "%", "---\n", ":", "}"})
    EXPECT_THAT(error_of(repeated(piece, kAll)), HasSubstr("s.yaml:")) << piece;
  EXPECT_THAT(error_of("a: " + std::string(65, '[') + std::string(65, ']')),
              HasSubstr("nested deeper than 64 levels"));
  EXPECT_THAT(error_of(std::string(1'000'001, 'a')), HasSubstr("1.0 MB of text, expected at most 1 MB"));
  std::string many;
  for (int i = 0; many.size() < kAll; ++i) many += fmt::format("k{}: 1\n", i);
  EXPECT_THAT(error_of(many), HasSubstr("unknown key 'k0'"));
}

}  // namespace
}  // namespace upbench
