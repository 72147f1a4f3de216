#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/harness/spec_text.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using test::axis, test::error_of, test::kSpecHead, test::parse;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// One fault a row: the text after kSpecHead's three lines (so line 4 is its first), and how the message must
// begin.
struct Fault {
  const char* what;
  std::string text;
  std::string message;
};

class SpecFault : public testing::TestWithParam<Fault> {};

TEST_P(SpecFault, IsRefusedWithItsPlace) {
  EXPECT_THAT(error_of(kSpecHead + GetParam().text), StartsWith("s.yaml:" + GetParam().message));
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
  for (const char* limit : {"0", "1.5", "none"})
    EXPECT_THAT(error_of(std::string("name: a\nimages: {lr: a, max_megapixels: ") + limit + "}" + rest),
                AllOf(StartsWith("s.yaml:2:33: images.max_megapixels is "),
                      HasSubstr("expected a whole number from 1 to 1000000")));
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
  const std::string text = std::string(kSpecHead) + "pipeline: [{upscale: {model: a}}]";
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
