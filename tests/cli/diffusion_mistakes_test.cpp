#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/text/clip_vocabulary.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What users of a diffusion stage get wrong, and what comes of it.
class DiffusionMistakes : public ::testing::Test {
 protected:
  void SetUp() override { write_ldm_checkpoint(folder_ / "tiny.safetensors", 1); }
  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  void write_spec(const std::string& stage, int size, int scale) {
    std::ofstream(folder_ / "s.yaml")
        << "name: s\nimages: {procedural: {count: 1, size: " << size << ", seed: 1}, lr: {scale: " << scale
        << ", kernel: matlab-bicubic}}\npipeline:\n  - upscale: {model: lanczos}\n  - " << stage
        << "\nmetrics: [psnr-y]\ntiming: none\n";
  }
  ProgramResult run_spec(const std::string& stage, int size = 16, int scale = 2) {
    write_spec(stage, size, scale);
    return run({"run", "s.yaml", "--device", "cpu"});
  }
  std::vector<std::map<std::string, std::string>> rows() {
    const ProgramResult report = run({"report", "s.db", "--csv", "-"});
    EXPECT_EQ(report.exit_code, 0) << report.err;
    return parse_csv(report.out);
  }
  // Whether the record of some output has these bytes (SQLite keeps texts as they are).
  bool is_recorded(const std::string& text) {
    return read_text((folder_ / "s.db").string()).find(text) != std::string::npos;
  }
  // The checkpoint with every weight of the decoder's first layer times `factor`, as `file`.
  void write_loud(const std::string& file, double factor) {
    NamedTensors tensors = read_checkpoint(folder_ / "tiny.safetensors").tensors;
    at::Tensor& weight = tensors.at("first_stage_model.decoder.conv_in.weight");
    weight = (weight.to(at::kFloat) * factor).to(at::kHalf);
    write_safetensors(folder_ / file, tensors);
  }

  TemporaryFolder folder_;
};

struct Mistake {
  const char* what;
  const char* stage;
  std::vector<const char*> said;
};

TEST_F(DiffusionMistakes, AreRefusedBeforeAnyWork) {
  const Mistake mistakes[] = {
      {"denoise below 0",
       "refine: {checkpoint: tiny.safetensors, denoise: -0.1}",
       {"s.yaml:5", "denoise", "-0.1"}},
      {"a strength above 1",
       "refine: {checkpoint: tiny.safetensors, denoise: 1.01}",
       {"denoise 1.01", "expected 0 to 1"}},
      {"no number", "refine: {checkpoint: tiny.safetensors, denoise: much}", {"s.yaml:5", "denoise", "much"}},
      {"no steps",
       "refine: {checkpoint: tiny.safetensors, denoise: 0.3, steps: 0}",
       {"s.yaml:5", "steps", "expected"}},
      {"strength that makes no step in diffusers",
       "refine: {checkpoint: tiny.safetensors, denoise: 0.04, steps: 20, as: diffusers}",
       {"0.04", "20"}},
      {"a sampler nobody knows",
       "refine: {checkpoint: tiny.safetensors, denoise: 0.3, sampler: dpmpp-4m}",
       {"s.yaml:5", "dpmpp-4m", "dpmpp-3m-sde"}},
      {"a file that is not there",
       "refine: {checkpoint: tinny.safetensors, denoise: 0.3}",
       {"no checkpoint 'tinny.safetensors'"}},
  };
  for (const Mistake& mistake : mistakes) {
    const ProgramResult made = run_spec(mistake.stage);
    EXPECT_EQ(made.exit_code, 2) << mistake.what << ": " << made.err << made.out;
    for (const char* text : mistake.said) EXPECT_THAT(made.err, HasSubstr(text)) << mistake.what;
  }
}

// Parts of another family: said with the way round, before any work.
TEST_F(DiffusionMistakes, PartsOfAnotherFamilyAreRefused) {
  NamedTensors lora;
  const std::string key = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k";
  lora[key + ".lora_down.weight"] = at::ones({2, 2048});
  lora[key + ".lora_up.weight"] = at::ones({64, 2});
  write_safetensors(folder_ / "xl-lora.safetensors", lora);
  write_safetensors(folder_ / "xl-control.safetensors", tiny_control_net(3, 2048));
  write_diffusers_folder(folder_ / "other", 2);  // whose latents have another scale
  write_ldm_checkpoint(folder_ / "first.safetensors", 5);
  const Mistake mistakes[] = {
      {"LoRA",
       "refine: {checkpoint: tiny.safetensors, denoise: 0.3, lora: \"xl-lora.safetensors:0.8\"}",
       {"xl-lora.safetensors", "looks made for SDXL", "take a LoRA and a checkpoint of one family"}},
      {"ControlNet",
       "refine: {checkpoint: tiny.safetensors, denoise: 0.3, control-net: xl-control.safetensors}",
       {"the ControlNet does not fit", "2048", "32"}},
      {"latents",
       "hires: {checkpoint: first.safetensors, upscaler: none, scale: 1, guidance: 1}\n  - hires: "
       "{checkpoint: other, "
       "upscaler: latent, scale: 1, guidance: 1}",
       {"hires.upscaler latent", "mean another picture", "a pixel upscaler, such as lanczos"}},
  };
  for (const Mistake& mistake : mistakes) {
    const ProgramResult made = run_spec(mistake.stage);
    EXPECT_NE(made.exit_code, 0) << mistake.what;
    for (const char* text : mistake.said) EXPECT_THAT(made.err + made.out, HasSubstr(text)) << mistake.what;
  }
}

// A size that does not fit is left out with its reason; the other pictures are made.
TEST_F(DiffusionMistakes, SizesThatDoNotFitAreLeftOutOrMirrored) {
  const std::string tiny = "refine: {checkpoint: tiny.safetensors, denoise: 0.3, guidance: 1, steps: 2";
  const ProgramResult refused = run_spec(tiny + ", edges: refuse}", 21, 3);
  EXPECT_THAT(refused.out + refused.err, HasSubstr("is no multiple of 2 (edges: mirror would extend it)"));
  const ProgramResult mirrored = run_spec(tiny + ", edges: mirror}", 21, 3);
  EXPECT_EQ(mirrored.exit_code, 0) << mirrored.err;
}

// An autoencoder that overflows in half precision: computed again in float32, recorded, the same picture.
TEST_F(DiffusionMistakes, AHalfPrecisionOverflowIsNoBlackPicture) {
  write_loud("loud.safetensors", 2e4);
  const std::string stage = "refine: {checkpoint: loud.safetensors, denoise: 0, precision: ";
  ASSERT_EQ(run_spec(stage + "fp32}").exit_code, 0);
  const double expected = std::stod(rows().at(0).at("psnr-y"));
  EXPECT_FALSE(is_recorded("decoded_again_in"));
  std::filesystem::remove(folder_ / "s.db");
  const ProgramResult made = run_spec(stage + "fp16}");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const auto half = rows();
  EXPECT_EQ(half.at(0).at("status"), "ok");
  EXPECT_TRUE(is_recorded("\"decoded_again_in\":\"fp32\""));
  EXPECT_NEAR(std::stod(half.at(0).at("psnr-y")), expected, 0.2) << "the encoder's half precision remains";
}

// Weights that make NaN even in float32 fail their trials by name; nothing is scored.
TEST_F(DiffusionMistakes, NaNOfTheWeightsFailsTheTrial) {
  write_loud("nan.safetensors", std::numeric_limits<double>::quiet_NaN());
  const ProgramResult made = run_spec("refine: {checkpoint: nan.safetensors, denoise: 0}");
  EXPECT_EQ(made.exit_code, 3) << made.err;
  const auto row = rows().at(0);
  EXPECT_EQ(row.at("status"), "failed");
  EXPECT_THAT(row.at("reason"), AllOf(HasSubstr("NaN"), HasSubstr("finite")));
  EXPECT_EQ(row.at("psnr-y"), "");
}

// Longer than 75 tokens: A1111 takes chunks, diffusers cuts; the record says how many were lost.
TEST_F(DiffusionMistakes, LongPromptsFollowTheNamedTool) {
  std::filesystem::create_directories(folder_ / "tokenizer");
  write_small_vocabulary(folder_ / "tokenizer");
  std::string prompt = "low";
  for (int i = 1; i < 100; ++i) prompt += " low";
  const std::string stage =
      "refine: {checkpoint: tiny.safetensors, denoise: 0.3, steps: 2, guidance: 1, prompt: " + prompt +
      ", prompt-dialect: ";
  const ProgramResult chunks = run_spec(stage + "a1111}");
  ASSERT_EQ(chunks.exit_code, 0) << chunks.err;
  EXPECT_FALSE(is_recorded("prompt_tokens_lost"));
  std::filesystem::remove(folder_ / "s.db");
  const ProgramResult cut = run_spec(stage + "plain}");
  ASSERT_EQ(cut.exit_code, 0) << cut.err;
  EXPECT_TRUE(is_recorded("\"prompt_tokens_lost\":25"));
}

}  // namespace
}  // namespace upbench::test
