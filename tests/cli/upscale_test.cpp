#include <cstring>
#include <filesystem>
#include <map>
#include <regex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "datasets/digest.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

using Texts = std::map<std::string, std::string>;

// tEXt chunks (PNG specification, 11.3.3.2): keyword, NUL, text.
Texts texts_of(const std::string& png) {
  Texts texts;
  for (std::size_t at = 8; at + 12 <= png.size();) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(png[at + i]);
    const std::string data = png.substr(at + 8, length);
    if (png.compare(at + 4, 4, "tEXt") == 0)
      texts[data.substr(0, data.find('\0'))] = data.substr(data.find('\0') + 1);
    at += 12 + length;
  }
  return texts;
}

// As A1111's "PNG info" takes a last line apart.
Texts fields_of(const std::string& line) {
  static const std::regex field(R"re(\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$))re");
  Texts fields;
  for (auto match = std::sregex_iterator(line.begin(), line.end(), field); match != std::sregex_iterator();
       ++match)
    fields[(*match)[1]] = (*match)[2];
  return fields;
}

class UpscaleCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    Raster raster{.width = 24, .height = 20};
    for (int i = 0; i < 24 * 20 * 3; ++i) raster.samples.push_back(static_cast<std::uint8_t>(i * 37 % 251));
    write_file_atomically(at("a, b.png"), encode_png(raster));
  }

  std::string at(const std::string& name) { return (folder_ / name).string(); }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  void upscale(std::vector<std::string> more) {
    std::vector<std::string> arguments{"upscale", "a, b.png", "--model", "compact-x2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = run(arguments);
    ASSERT_EQ(result.exit_code, 0) << result.err;
  }

  TemporaryFolder folder_;
};

TEST_F(UpscaleCommand, PngSaysHowItWasMadeToPeopleAndPrograms) {
  upscale({"--tile", "16", "--context", "4", "-o", "out"});
  const Texts texts = texts_of(read_text(at("out/a, b.png")));
  ASSERT_TRUE(texts.contains("parameters") && texts.contains("upbench"));

  const std::vector<std::uint8_t> input = read_bytes(at("a, b.png"));
  const std::string hash = Hasher().add(input.data(), input.size()).finish().hex();
  const auto json = nlohmann::json::parse(texts.at("upbench"));
  EXPECT_EQ(json["input"]["name"], "a, b.png");
  EXPECT_EQ(json["input"]["sha256"], hash);
  EXPECT_EQ(json["scale"], 2);
  EXPECT_EQ(json["settings"]["tile"], 16);
  EXPECT_EQ(json["used"]["passes"][0]["tiles_x"], 2) << "24 pixels in tiles of 16";
  EXPECT_THAT(json["upbench"].get<std::string>(), MatchesRegex("[0-9]+\\.[0-9]+.*"));
  const std::string tensors = json["used"]["tensor_hash"];
  EXPECT_THAT(tensors, MatchesRegex("[0-9a-f]{64}"));

  Texts fields = fields_of(texts.at("parameters"));
  EXPECT_THAT(fields["Program"], HasSubstr("upbench "));
  fields.erase("Program");
  EXPECT_EQ(fields, (Texts{{"Postprocess upscaler", "compact-x2"},
                           {"Postprocess upscale by", "2"},
                           {"Tensor hash", tensors},
                           {"Tile", "16"},
                           {"Tile mode", "core-context"},
                           {"Tile context", "4"},
                           {"Padding", "authors"},
                           {"Precision", "fp32"},
                           {"Fit", "none"},
                           {"Input", "\"a, b.png\""},
                           {"Input SHA-256", hash}}));
}

TEST_F(UpscaleCommand, ModelsWithoutWeightsHaveNoHashAndWholePicturesNoTileMode) {
  const ProgramResult result =
      run({"upscale", "a, b.png", "--model", "lanczos", "--scale", "3", "-o", "out"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Texts fields = fields_of(texts_of(read_text(at("out/a, b.png"))).at("parameters"));
  EXPECT_EQ(fields.at("Postprocess upscale by"), "3");
  EXPECT_EQ(fields.at("Tile"), "none");
  EXPECT_FALSE(fields.contains("Tensor hash") || fields.contains("Tile mode"));
}

TEST_F(UpscaleCommand, SixteenBitsAreMoreThanEightWritten) {
  upscale({"-o", "eight"});
  upscale({"-o", "sixteen", "--format", "png16", "--verify"});
  const Raster eight = decode_file(at("eight/a, b.png")), sixteen = decode_file(at("sixteen/a, b.png"));
  ASSERT_EQ(eight.bit_depth, 8);
  ASSERT_EQ(sixteen.bit_depth, 16);
  ASSERT_EQ(sixteen.samples.size(), 2 * eight.samples.size());
  int finer = 0;
  for (std::size_t i = 0; i < eight.samples.size(); ++i) {
    std::uint16_t sample = 0;
    std::memcpy(&sample, sixteen.samples.data() + 2 * i, sizeof sample);
    finer += sample % 257 != 0;  // not an 8-bit value written as 16
    // Both round the same value: half a step of 8 bit, half a step of 16 bit.
    EXPECT_NEAR(sample / 257.0, eight.samples[i], 0.5 + 0.5 / 257);
  }
  EXPECT_GT(finer, static_cast<int>(eight.samples.size()) / 2);
  EXPECT_TRUE(texts_of(read_text(at("sixteen/a, b.png"))).contains("parameters"));
}

TEST_F(UpscaleCommand, WebpHoldsThePixelsOfThePng) {
  upscale({"-o", "out"});
  upscale({"-o", "out", "--format", "webp", "--verify"});
  const Raster webp = decode_file(at("out/a, b.webp"));
  EXPECT_EQ(webp.width, 48);
  EXPECT_EQ(webp.samples, decode_file(at("out/a, b.png")).samples);
}

// A PNG of the result holds them, too; a WebP cannot.
TEST_F(UpscaleCommand, WhatDecodingDidIsNotedWhateverTheFormat) {
  Raster clear{
      .width = 24, .height = 20, .channels = 4, .samples = std::vector<std::uint8_t>(24 * 20 * 4, 90)};
  write_file_atomically(at("clear.png"), encode_png(clear));
  write_file_atomically(at("wrong.jpg"), encode_png(clear));
  for (const char* format : {"png", "png16", "webp"}) {
    const ProgramResult result = run({"upscale", "a, b.png", "clear.png", "wrong.jpg", "--model", "nearest",
                                      "--scale", "2", "--format", format, "-o", format});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("upbench: note: clear.png: alpha ignored\n"),
                                  HasSubstr("upbench: note: wrong.jpg: named .jpg but holds png\n"),
                                  Not(HasSubstr("note: a, b.png"))));
    EXPECT_THAT(result.out, Not(HasSubstr("note"))) << "results alone";
  }
  EXPECT_THAT(texts_of(read_text(at("png/clear.png"))).at("upbench"), HasSubstr("alpha ignored"));
}

TEST_F(UpscaleCommand, VerifyingChangesNothingOfTheFile) {
  upscale({"-o", "plain"});
  upscale({"-o", "checked", "--verify"});
  EXPECT_EQ(read_text(at("checked/a, b.png")), read_text(at("plain/a, b.png")));
}

TEST_F(UpscaleCommand, RawLiesBesideEveryFormat) {
  for (const char* format : {"png", "png16", "webp"}) {
    upscale({"-o", format, "--format", format, "--raw"});
    // 48 x 40 pixels, three float32 each, and a header.
    EXPECT_GT(std::filesystem::file_size(at(std::string(format) + "/a, b.safetensors")), 48u * 40 * 3 * 4);
  }
}

TEST_F(UpscaleCommand, NoResultTakesThePlaceOfAnInput) {
  const std::string before = read_text(at("a, b.png"));
  const ProgramResult result = run({"upscale", "a, b.png", "--model", "nearest", "--scale", "2"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("would be written over a, b.png"), HasSubstr("-o")));
  EXPECT_EQ(read_text(at("a, b.png")), before);
}

TEST_F(UpscaleCommand, WhatWebpCannotHoldFailsItsPictureOnly) {
  Raster wide{.width = 8192, .height = 1, .samples = std::vector<std::uint8_t>(8192 * 3, 9)};
  write_file_atomically(at("wide.png"), encode_png(wide));
  const ProgramResult result = run({"upscale", "wide.png", "a, b.png", "--model", "nearest", "--scale", "2",
                                    "--format", "webp", "-o", "out"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("wide"), HasSubstr("16384 x 2 is too large for WebP")));
  EXPECT_TRUE(std::filesystem::exists(at("out/a, b.webp")));
  EXPECT_FALSE(std::filesystem::exists(at("out/wide.webp")));
}

TEST_F(UpscaleCommand, EveryReaderOfPicturesTakesTheirLimitAndNamesIt) {
  std::filesystem::create_directory(at("large"));
  const Raster large{
      .width = 1001, .height = 1000, .channels = 1, .samples = std::vector<std::uint8_t>(1001 * 1000, 7)};
  write_file_atomically(at("large/p.png"), encode_png(large));
  write_text(at("large.yaml"),
             "name: large\nimages: {path: large, lr: {scale: 4}, max_megapixels: 1}\n"
             "pipeline: [{upscale: {model: nearest}}]\nmetrics: [mse]\ntiming: none\n");
  const auto says_what_to_do = AllOf(HasSubstr("1.0 megapixels, more than the limit of 1.0"),
                                     HasSubstr("images.max_megapixels"), HasSubstr("--max-megapixels"));
  const std::vector<std::vector<std::string>> commands{
      {"upscale", "large/p.png", "--model", "nearest", "--scale", "1", "-o", "out", "--max-megapixels"},
      {"score", "large", "large", "--metrics", "mse", "--max-megapixels"},
      {"dataset", "check", "large", "--max-megapixels"}};
  for (std::vector<std::string> command : commands) {
    command.push_back("1");
    const ProgramResult refused = run(command);
    EXPECT_NE(refused.exit_code, 0) << command[0];
    EXPECT_THAT(refused.out + refused.err, says_what_to_do);
    command.back() = "2";
    EXPECT_EQ(run(command).exit_code, 0) << command[0];
  }
  EXPECT_EQ(run({"run", "large.yaml"}).exit_code, 3);
  EXPECT_THAT(run({"report", "large.db", "--csv", "-"}).out, says_what_to_do);
  EXPECT_EQ(run({"run", "large.yaml", "--set", "images.max_megapixels=2"}).exit_code, 0);
}

}  // namespace
}  // namespace upbench::test
