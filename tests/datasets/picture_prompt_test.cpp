#include "datasets/picture_prompt.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

FileBytes png_saying(const std::string& keyword, const std::string& text) {
  return encode_png(random_raster(2, 2), {.text = {{keyword, text}}});
}

// As A1111 writes it.
constexpr const char* kParameters =
    "a cat, (red:1.2)\nsecond line \nNegative prompt: dog\nSteps: 20, Sampler: Euler, Seed: 1, Size: 512x512";

// Of the nodes that ComfyUI's default workflow has, with this text.
std::string workflow(const std::string& text, const std::string& positive = "[\"6\", 0]") {
  return R"({"3": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": )" + positive +
         R"(, "negative": ["7", 0]}},
 "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ")" +
         text + R"(", "clip": ["4", 1]}},
 "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "dog", "clip": ["4", 1]}}})";
}

TEST(PromptOfPng, A1111sEndsWhereItsNegativePromptOrItsStepsBegin) {
  EXPECT_EQ(prompt_of_png(png_saying("parameters", kParameters)), "a cat, (red:1.2)\nsecond line");
  EXPECT_EQ(prompt_of_png(png_saying("parameters", "caf\xC3\xA9\nSteps: 20, Sampler: Euler")), "caf\xC3\xA9");
  EXPECT_EQ(prompt_of_png(png_saying("parameters", "Steps: 20, Sampler: Euler")), "") << "an empty prompt";
  EXPECT_EQ(prompt_of_png(png_saying("parameters", "with Steps: in a line\nSteps: 20")),
            "with Steps: in a line");
}

TEST(PromptOfPng, ComfysIsTheTextBeforeTheSampler) {
  EXPECT_EQ(prompt_of_png(png_saying("prompt", workflow("a cat\\nand more"))), "a cat\nand more");
  EXPECT_EQ(prompt_of_png(png_saying("prompt", workflow("a cat", "[\"7\", 0]"))), "dog");
}

TEST(PromptOfPng, WithoutOneThereIsNone) {
  EXPECT_EQ(prompt_of_png(png_saying("Comment", "a cat")), std::nullopt);
}

TEST(PromptOfPng, WhereNoneCanBeToldTheReasonIsSaid) {
  const auto reason = [](const std::string& keyword, const std::string& text) {
    return refusal([&] { prompt_of_png(png_saying(keyword, text)); });
  };
  EXPECT_THAT(reason("parameters", "a cat"), HasSubstr("where the prompt ends cannot be told"));
  EXPECT_THAT(reason("prompt", "a cat"), HasSubstr("no workflow of ComfyUI"));
  EXPECT_THAT(reason("prompt", "{}"), HasSubstr("no KSampler"));
  EXPECT_THAT(reason("prompt", workflow("a", "[\"9\", 0]")), HasSubstr("no CLIPTextEncode node"));
  EXPECT_THAT(reason("prompt", workflow("a", "\"6\"")), HasSubstr("no CLIPTextEncode node"));
  EXPECT_THAT(reason("prompt", R"({"1": 2, "3": {"class_type": "KSampler", "inputs": []}})"),
              HasSubstr("no CLIPTextEncode node"));
  std::string two = workflow("a");
  two.insert(1, R"("9": {"class_type": "KSampler", "inputs": {"positive": ["7", 0]}},)");
  EXPECT_THAT(reason("prompt", two), HasSubstr("KSamplers with different prompts"));
}

TEST(PromptOfPng, DeepWorkflowsAreNoProblem) {
  const std::string deep(100'000, '[');
  EXPECT_THAT(refusal([&] { prompt_of_png(png_saying("prompt", deep)); }),
              HasSubstr("no workflow of ComfyUI"));
}

class FoundPrompts : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  PicturePrompt sidecar() { return find_prompt(item_, PromptSource::sidecar); }
  PicturePrompt metadata() { return find_prompt(item_, PromptSource::png_metadata); }

  TemporaryFolder folder_;
  ImageItem item_{.name = "p", .lr = folder_ / "p.png", .hr = {}};
};

TEST_F(FoundPrompts, TheSidecarIsTheTextOfThePicturesName) {
  write("p.txt", "\xEF\xBB\xBF a cat \r\n\n");
  EXPECT_EQ(sidecar(), (PicturePrompt{.text = "a cat", .problem = {}}));
  write("p.txt", "");
  EXPECT_EQ(sidecar(), PicturePrompt{}) << "an empty file is an empty prompt";
}

TEST_F(FoundPrompts, BesideTheReferenceItIsLookedForToo) {
  item_.hr = folder_ / "q.png";
  write("q.txt", "of the reference");
  EXPECT_EQ(sidecar().text, "of the reference");
  write("p.txt", "of the input");
  EXPECT_EQ(sidecar().text, "of the input");
}

TEST_F(FoundPrompts, AnItemThatIsAPromptHasItself) {
  item_ = {.name = "prompt-001", .prompt = "a cat"};
  EXPECT_EQ(sidecar().text, "a cat");
  EXPECT_THAT(metadata().problem, HasSubstr("the picture is no file"));
}

TEST_F(FoundPrompts, WhatIsWrongIsThePicturesProblem) {
  EXPECT_THAT(sidecar().problem,
              AllOf(HasSubstr("prompt: sidecar"), HasSubstr("no such file"), HasSubstr("p.txt")));
  write("p.txt", "caf\xE9");
  EXPECT_THAT(sidecar().problem, AllOf(HasSubstr("p.txt"), HasSubstr("no UTF-8")));
  write("p.txt", std::string(1'000'001, 'a'));
  EXPECT_THAT(sidecar().problem, AllOf(HasSubstr("p.txt"), HasSubstr("1000001 bytes")));
  EXPECT_THAT(metadata().problem, HasSubstr("p.png")) << "it is not there";
  write_bytes(folder_ / "p.png", png_saying("a", "b"));
  EXPECT_THAT(metadata().problem, HasSubstr("no PNG with a prompt"));
  write_bytes(folder_ / "p.png", jpeg_file(random_raster(8, 8)));
  EXPECT_THAT(metadata().problem, HasSubstr("no PNG with a prompt"));
}

TEST_F(FoundPrompts, ThePngSaysWhatItWasMadeFrom) {
  write_bytes(folder_ / "p.png", png_saying("parameters", kParameters));
  EXPECT_EQ(metadata(), (PicturePrompt{.text = "a cat, (red:1.2)\nsecond line", .problem = {}}));
}

TEST(PromptedInput, IsTheInputItselfWhereNoPromptIsUsed) {
  const Digest input = sha256("picture");
  const PicturePrompts cat = {{PromptSource::sidecar, {.text = "cat", .problem = {}}}};
  const PicturePrompts dog = {{PromptSource::sidecar, {.text = "dog", .problem = {}}}};
  EXPECT_EQ(prompted_input(input, {}, cat), input);
  EXPECT_NE(prompted_input(input, {PromptSource::sidecar}, cat), input);
  EXPECT_NE(prompted_input(input, {PromptSource::sidecar}, cat),
            prompted_input(input, {PromptSource::sidecar}, dog));
  EXPECT_NE(prompted_input(input, {PromptSource::sidecar}, cat),
            prompted_input(sha256("another"), {PromptSource::sidecar}, cat));
}

}  // namespace
}  // namespace upbench::test
