#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/plan/kinds.h"
#include "tests/harness/diffusion_stages.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"

namespace upbench::test {
namespace {

using ::testing::HasSubstr;

class RefineStages : public DiffusionStages {
 protected:
  RefineStages()
      : DiffusionStages(refine_kind(), {{"checkpoint", "tiny"}, {"guidance", 1.0}, {"steps", 4}}) {}

  at::Tensor run(const nlohmann::json& asked, std::uint64_t seed = 0) {
    return run_on(picture_, asked, seed, latents_);
  }

  const at::Tensor picture_ = (at::manual_seed(1), at::rand({3, 16, 12}));
};

const nlohmann::json kNoStep = {{"denoise", 0.0}, {"as", "comfy"}};

TEST_F(RefineStages, WithoutAStepThePictureOnlyPassesThroughTheAutoencoder) {
  const auto model = diffusion_.get(
      refine_model({{"checkpoint", "tiny"}, {"vae", nullptr}, {"control-net", nullptr}, {"lora", nullptr}}),
      "cpu", Precision::fp32);
  const at::Tensor latents = encode_picture(*model, {}, picture_.unsqueeze(0)).result;
  EXPECT_TRUE(at::equal(run(kNoStep), decode_latents(*model, {}, latents).result.squeeze(0)));
  EXPECT_FALSE(used_.contains("evaluations"));
}

TEST_F(RefineStages, TheSeedAloneTellsTheNoise) {
  const nlohmann::json half = {{"denoise", 0.5}};
  const at::Tensor first = run(half, 1);
  EXPECT_TRUE(at::equal(run(half, 1), first));
  EXPECT_FALSE(at::equal(run(half, 2), first));
  EXPECT_FALSE(at::equal(run({{"denoise", 0.5}, {"noise", "torch-cpu"}}, 1), first));
  EXPECT_EQ(used_["evaluations"], 3) << "int(0.5 x 4) + 1 steps";
}

TEST_F(RefineStages, GuidanceDoublesTheEvaluations) {
  run({{"denoise", 0.5}, {"guidance", 4.0}});
  EXPECT_EQ(used_["evaluations"], 6);
}

TEST_F(RefineStages, APictureIsEncodedOnceForAllStrengths) {
  for (const double denoise : {0.25, 0.5, 0.75}) run({{"denoise", denoise}});
  EXPECT_EQ(latents_.made(), 1u);
  run({{"denoise", 0.5}, {"posterior", "sample"}});
  EXPECT_EQ(latents_.made(), 2u);
}

TEST_F(RefineStages, StrongerMeansFartherFromThePicture) {
  const at::Tensor kept = run(kNoStep);
  const auto distance = [&](double sigma) {
    return (run({{"denoise", sigma}, {"as", "sigma"}}) - kept).square().mean().item<double>();
  };
  const double weak = distance(0.05), strong = distance(5);
  EXPECT_LT(weak, strong);
}

// Mirrored over the lower and the right edge, refined, cut: what is inside of the whole picture stays.
TEST_F(RefineStages, OddSidesAreMirroredAndCutAgain) {
  const at::Tensor odd = picture_.slice(1, 0, 15).slice(2, 0, 11);
  const at::Tensor whole = at::pad(odd.unsqueeze(0), {0, 1, 0, 1}, "reflect").squeeze(0);
  const nlohmann::json drawn = {{"denoise", 0.5}, {"posterior", "sample"}};
  const at::Tensor made = run_on(odd, drawn, 3, latents_);
  ASSERT_EQ(made.sizes(), odd.sizes());
  LatentCache other{1 << 20};
  const at::Tensor expected = run_on(whole, drawn, 3, other);
  EXPECT_TRUE(at::equal(made, expected.slice(1, 0, 15).slice(2, 0, 11)));
}

TEST_F(RefineStages, PromptsNeedAVocabularyAndSteer) {
  std::filesystem::create_directories(folder_ / "tokenizer");
  write_small_vocabulary(folder_ / "tokenizer");
  const nlohmann::json guided = {{"denoise", 0.5}, {"guidance", 5.0}};
  nlohmann::json low = guided, negative = guided;
  low["prompt"] = "low";
  negative["negative"] = "low";
  const at::Tensor plain = run(guided), prompted = run(low);
  EXPECT_FALSE(at::equal(prompted, plain));
  EXPECT_EQ(used_["prompt_tokens"], 1);
  EXPECT_FALSE(at::equal(run(negative), prompted));
}

TEST_F(RefineStages, ThePicturesOwnPromptIsAsGoodAsAText) {
  std::filesystem::create_directories(folder_ / "tokenizer");
  write_small_vocabulary(folder_ / "tokenizer");
  const nlohmann::json by_text = {{"denoise", 0.5}, {"prompt", "low"}};
  const nlohmann::json by_file = {{"denoise", 0.5}, {"prompt", "sidecar"}};
  prompts_ = {{PromptSource::sidecar, {.text = "low", .problem = {}}}};
  const at::Tensor expected = run(by_text);
  EXPECT_FALSE(used_.contains("prompt_sha256"));
  EXPECT_TRUE(at::equal(run(by_file), expected));
  EXPECT_EQ(used_["prompt_from"], "sidecar");
  EXPECT_EQ(used_["prompt_sha256"], sha256("low").hex());
  EXPECT_EQ(used_["prompt_tokens"], 1);
}

TEST_F(RefineStages, AMissingPromptFailsWithItsReason) {
  std::filesystem::create_directories(folder_ / "tokenizer");
  write_small_vocabulary(folder_ / "tokenizer");
  prompts_ = {{PromptSource::sidecar, {.text = {}, .problem = "no such file: p.txt"}}};
  EXPECT_THAT([&] { run({{"denoise", 0.5}, {"prompt", "sidecar"}}); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("refine: no such file: p.txt")));
}

TEST_F(RefineStages, ALoraChangesThePicture) {
  const NamedTensors unet = tiny_diffusion(1).unet;
  const std::string layer = "mid_block.attentions.0.transformer_blocks.0.attn1.to_q";
  const std::string key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
  ASSERT_TRUE(unet.contains(layer + ".weight"));
  write_safetensors(folder_ / "style.safetensors",
                    {{key + ".lora_up.weight", at::ones({64, 2})},
                     {key + ".lora_down.weight", at::ones({2, 64})},
                     {"lora_te_text_model_encoder_layers_9_mlp_fc1.lora_up.weight", at::ones({64, 2})},
                     {"lora_te_text_model_encoder_layers_9_mlp_fc1.lora_down.weight", at::ones({2, 32})}});
  const at::Tensor plain = run({{"denoise", 0.5}});
  EXPECT_FALSE(at::equal(run({{"denoise", 0.5}, {"lora", "style:0.8"}}), plain));
  EXPECT_EQ(used_["lora_unused"].size(), 1u);
  EXPECT_TRUE(at::equal(run({{"denoise", 0.5}, {"lora", "style:0"}}), plain));
}

TEST_F(RefineStages, LicencesOfAllFilesAreRecorded) {
  run({{"denoise", 0.5}});
  EXPECT_FALSE(used_.contains("licence")) << "its file states none";
  const std::string key = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
  const NamedTensors lora = {{key + ".lora_up.weight", at::ones({64, 2})},
                             {key + ".lora_down.weight", at::ones({2, 64})}};
  write_safetensors(folder_ / "first.safetensors", lora, {{"modelspec.license", "CreativeML Open RAIL-M"}});
  write_safetensors(folder_ / "second.safetensors", lora, {{"license", "MIT"}});
  run({{"denoise", 0.5}, {"lora", "first:0.5+second:0.5"}});
  EXPECT_EQ(used_["licence"], "CreativeML Open RAIL-M; MIT");
}

TEST_F(RefineStages, ColoursComeBackToTheInputs) {
  const auto tone = [](const at::Tensor& picture) { return picture.mean(at::IntArrayRef{1, 2}); };
  const double plain =
      (tone(run({{"denoise", 0.5}}).clamp(0, 1)) - tone(picture_)).abs().max().item<double>();
  const double fixed =
      (tone(run({{"denoise", 0.5}, {"colour-fix", "wavelet"}})) - tone(picture_)).abs().max().item<double>();
  EXPECT_LT(fixed, plain);
}

TEST_F(RefineStages, WeightsThatChangedAreRefused) {
  const nlohmann::json model =
      refine_model({{"checkpoint", "tiny"}, {"vae", nullptr}, {"control-net", nullptr}, {"lora", nullptr}});
  planned_[model.dump()].tensor_hash = sha256("others");
  EXPECT_THAT([&] { run({{"denoise", 0.5}}); }, ::testing::ThrowsMessage<std::runtime_error>(
                                                    HasSubstr("weights changed since the run was planned")));
}

TEST_F(RefineStages, ACheckpointThatIsNotThereIsRefusedWithNearMisses) {
  EXPECT_THAT(
      [&] {
        diffusion_model_facts({{"diffusion", {{"checkpoint", "tinny"}}}},
                              {.spec_dir = folder_.path(), .model_dirs = {folder_.path()}});
      },
      ::testing::ThrowsMessage<std::invalid_argument>(
          ::testing::AllOf(HasSubstr("no checkpoint 'tinny'"), HasSubstr("tiny"))));
}

}  // namespace
}  // namespace upbench::test
