#include "models/diffusion/model_files.h"

#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/model.h"
#include "tests/models/diffusion/networks/unet_layouts.h"
#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class Action>
std::string refusal_of(const Action& action) {
  try {
    action();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

class ReadDiffusion : public ::testing::Test {
 protected:
  void SetUp() override {
    write_ldm_checkpoint(folder_ / "ldm.safetensors", 1);
    write_diffusers_folder(folder_ / "folder", 1);
  }
  DiffusionTensors read(const DiffusionFiles& files) { return read_diffusion(files); }

  TemporaryFolder folder_;
};

void expect_equal(const NamedTensors& a, const NamedTensors& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    const auto other = b.find(name);
    ASSERT_NE(other, b.end()) << name;
    EXPECT_TRUE(at::allclose(tensor.to(at::kFloat), other->second.to(at::kFloat), 0, tolerance)) << name;
  }
}

TEST_F(ReadDiffusion, OneFileOfLdmHoldsThePartsOfTheFolder) {
  const DiffusionTensors ldm = read({.checkpoint = folder_ / "ldm.safetensors"}),
                         parts = read({.checkpoint = folder_ / "folder"});
  const double half = 5e-3;  // rounding of weights up to 4 to half precision
  expect_equal(ldm.parts.unet, parts.parts.unet, half);
  expect_equal(ldm.parts.autoencoder, parts.parts.autoencoder, half);
  ASSERT_EQ(ldm.parts.text.size(), 1u);
  expect_equal(ldm.parts.text[0], parts.parts.text[0], half);
  EXPECT_THAT(ldm.parts.left_out, ElementsAre("alphas_cumprod", "model_ema.decay"));
}

TEST_F(ReadDiffusion, HalfPrecisionStaysHalf) {
  const DiffusionTensors ldm = read({.checkpoint = folder_ / "ldm.safetensors"});
  for (const auto& [name, tensor] : ldm.parts.unet) EXPECT_EQ(tensor.scalar_type(), at::kHalf) << name;
}

TEST_F(ReadDiffusion, ConfigurationsOfAFolderAreFollowed) {
  const DiffusionTensors model = read({.checkpoint = folder_ / "folder"});
  const DiffusionFacts facts = diffusion_facts(model.parts, model.config);
  EXPECT_EQ(facts.prediction, Prediction::v);
  EXPECT_EQ(facts.latent_scale, 0.5);
  EXPECT_EQ(facts.text[0].heads, 4);
  EXPECT_EQ(facts.text[0].end_token, 515) << "2 stands for the vocabulary's last";
  // sigma of the last timestep by its own betas; abar is the product of 1 - beta
  double abar = 1;
  for (int t = 0; t < 1000; ++t)
    abar *= 1 - std::pow(std::sqrt(0.001) + t / 999.0 * (std::sqrt(0.01) - std::sqrt(0.001)), 2);
  EXPECT_NEAR(facts.noise.greatest(), std::sqrt((1 - abar) / abar), 1e-9);
}

TEST_F(ReadDiffusion, HeadersSayTheSameAsFiles) {
  const DiffusionTensors header = read_diffusion({.checkpoint = folder_ / "ldm.safetensors"}, true);
  const DiffusionFacts facts = diffusion_facts(header.parts, header.config);
  EXPECT_EQ(describe(facts), "other: UNet, autoencoder, 1 text encoder");
  EXPECT_THAT(missing_parts(facts), IsEmpty());
  EXPECT_TRUE(header.parts.unet.begin()->second.is_meta());
}

TEST_F(ReadDiffusion, AnAutoencoderOfItsOwnReplacesTheCheckpoints) {
  write_diffusers_folder(folder_ / "other", 7);
  const DiffusionTensors model =
      read({.checkpoint = folder_ / "ldm.safetensors", .vae = folder_ / "other" / "vae"});
  expect_equal(model.parts.autoencoder, tiny_diffusion(7).autoencoder, 0);
  EXPECT_EQ(model.config.latent_scale, 0.5) << "its configuration comes with it";
}

TEST_F(ReadDiffusion, TheHashTellsEveryPart) {
  const auto hash = [&](const DiffusionFiles& files) { return parts_hash(read(files).parts); };
  write_diffusers_folder(folder_ / "other", 7);
  const std::filesystem::path folder = folder_ / "folder", other = folder_ / "other";
  const Digest plain = hash({.checkpoint = folder});
  EXPECT_EQ(plain, hash({.checkpoint = folder, .vae = folder / "vae"}));
  EXPECT_NE(plain, hash({.checkpoint = folder, .vae = other / "vae"}));
  EXPECT_NE(plain, hash({.checkpoint = folder, .unet = other / "unet"}));
  EXPECT_NE(plain, hash({.checkpoint = folder, .text_encoders = {other / "text_encoder"}}));
}

TEST_F(ReadDiffusion, SeveralPiecesAreOnePart) {
  const std::filesystem::path unet = folder_ / "folder" / "unet";
  NamedTensors first = tiny_diffusion(1).unet, second;
  while (second.size() < 100) second.insert(first.extract(first.begin()));
  std::filesystem::remove(unet / "diffusion_pytorch_model.safetensors");
  write_safetensors(unet / "a.safetensors", first);
  write_safetensors(unet / "b.safetensors", second);
  std::ofstream(unet / "diffusion_pytorch_model.safetensors.index.json")
      << R"({"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}})";
  expect_equal(read({.checkpoint = folder_ / "folder"}).parts.unet, tiny_diffusion(1).unet, 0);
}

TEST_F(ReadDiffusion, AnIndexCannotNameFilesElsewhere) {
  const std::filesystem::path unet = folder_ / "folder" / "unet";
  std::filesystem::remove(unet / "diffusion_pytorch_model.safetensors");
  std::ofstream(unet / "diffusion_pytorch_model.safetensors.index.json")
      << R"({"weight_map": {"x": "../../../secret.safetensors"}})";
  EXPECT_THAT(refusal_of([&] { read({.checkpoint = folder_ / "folder"}); }),
              HasSubstr("expected a file beside it"));
}

TEST_F(ReadDiffusion, WhatIsNoDiffusionModelIsRefused) {
  write_safetensors(folder_ / "x.safetensors", {{"body.0.weight", at::zeros({3, 3, 3, 3})}});
  EXPECT_THAT(refusal_of([&] { read({.checkpoint = folder_ / "x.safetensors"}); }),
              HasSubstr("x.safetensors: no part of a diffusion model"));
  EXPECT_THAT(refusal_of([&] { read({.checkpoint = folder_.path()}); }), HasSubstr("no model_index.json"));
  EXPECT_THAT(
      refusal_of([&] { read({.checkpoint = folder_ / "folder", .vae = folder_ / "folder" / "unet"}); }),
      HasSubstr("no autoencoder in it"));
  std::filesystem::remove(folder_ / "folder" / "vae" / "diffusion_pytorch_model.safetensors");
  EXPECT_THAT(refusal_of([&] { read({.checkpoint = folder_ / "folder"}); }), HasSubstr("vae: no weights"));
}

TEST_F(ReadDiffusion, AMisshapenTensorIsNamedWithItsPart) {
  DiffusionTensors model = read({.checkpoint = folder_ / "folder"});
  model.parts.unet.at("conv_out.bias") = at::zeros({7});
  EXPECT_THAT(refusal_of([&] { diffusion_facts(model.parts, model.config); }),
              AllOf(HasSubstr("UNet: "), HasSubstr("conv_out.bias")));
}

TEST(DiffusionFamily, FollowsFromThePublishedShapes) {
  const auto family = [](const UNetFacts& facts) {
    ModelParts parts;
    parts.unet = meta_tensors(facts);
    return to_string(diffusion_facts(parts).family);
  };
  EXPECT_EQ(family(stable_diffusion_1()), "sd1");
  EXPECT_EQ(family(stable_diffusion_2()), "sd2");
  EXPECT_EQ(family(sdxl_base()), "sdxl");
  EXPECT_EQ(family(sdxl_refiner()), "sdxl-refiner");
  EXPECT_EQ(family(x4_upscaler()), "sd-x4-upscaler");
}

TEST(DiffusionFamily, LatentsDoNotGoFromOneToAnother) {
  const auto facts = [](const UNetFacts& unet) {
    ModelParts parts;
    parts.unet = meta_tensors(unet);
    return diffusion_facts(parts);
  };
  const DiffusionFacts one = facts(stable_diffusion_1()), xl = facts(sdxl_base());
  EXPECT_THAT(latent_mismatch(one, xl), AllOf(HasSubstr("sd1"), HasSubstr("go through pixels")));
  EXPECT_EQ(latent_mismatch(one, facts(stable_diffusion_2())), "");
}

}  // namespace
}  // namespace upbench::test
