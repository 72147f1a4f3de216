#include "datasets/codec/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Parameters, TextIsPromptNegativePromptAndOneLineOfFields) {
  EXPECT_EQ(parameters_text({.prompt = "a cat,\non a mat",
                             .negative_prompt = "blurry",
                             .fields = {{"Steps", "20"}, {"Sampler", "Euler a"}, {"Size", "512x512"}}}),
            "a cat,\non a mat\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, Size: 512x512");
  EXPECT_EQ(parameters_text({.fields = {{"Upscaler", "lanczos"}}}), "Upscaler: lanczos");
  EXPECT_EQ(parameters_text({}), "");
}

TEST(Parameters, ValuesThatWouldSplitTheLineAreQuoted) {
  EXPECT_EQ(parameters_text(
                {.fields = {{"A", "x, y"}, {"B", "k: v"}, {"C", "two\nlines"}, {"D", "say \"hi\", ok"}}}),
            "A: \"x, y\", B: \"k: v\", C: \"two\\nlines\", D: \"say \\\"hi\\\", ok\"");
  EXPECT_EQ(parameters_text({.fields = {{"A", "\xff,"}}}), "A: \"\xef\xbf\xbd,\"")
      << "invalid UTF-8 is replaced";
}

TEST(Parameters, ChunksAreTheTextAndTheJson) {
  EXPECT_THAT(parameter_chunks({.prompt = "p", .json = "{}"}),
              ElementsAre(Pair("parameters", "p"), Pair("upbench", "{}")));
  EXPECT_THAT(parameter_chunks({}), IsEmpty());
  const FileBytes file = encode_png(
      random_raster(2, 2), {.level = 6, .text = parameter_chunks({.prompt = "a cat", .json = "{\"a\":1}"})});
  const std::string bytes(file.begin(), file.end());
  EXPECT_THAT(bytes, HasSubstr(std::string("tEXtparameters\0a cat", 20)));
  EXPECT_THAT(bytes, HasSubstr(std::string("tEXtupbench\0{\"a\":1}", 19)));
}

}  // namespace
}  // namespace upbench::test
