#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "harness/plan/kinds.h"
#include "harness/stages/diffusion_stage.h"
#include "models/diffusion/model_latents.h"
#include "tests/harness/diffusion_stages.h"

namespace upbench::test {
namespace {

// The tiny model: 2 pixels to a latent.
class RefineTileStages : public DiffusionStages {
 protected:
  RefineTileStages()
      : DiffusionStages(refine_kind(),
                        {{"checkpoint", "tiny"}, {"guidance", 1.0}, {"steps", 4}, {"denoise", 0.5}}) {}

  Frame refined(const nlohmann::json& asked, std::uint64_t seed = 0) {
    return frame_of({.rgb = picture_, .target = {}, .boundaries = {{"upscale", true, 5, 0}}}, asked, seed,
                    latents_);
  }

  const at::Tensor picture_ = quantized((at::manual_seed(1), at::rand({3, 48, 64})));
};

nlohmann::json tile(const nlohmann::json& more) {
  nlohmann::json settings = {{"tile.size", 32}, {"tile.blur", 2}, {"tile.padding", 8}};
  settings.update(more);
  return settings;
}

std::vector<std::string> passes(const nlohmann::json& used) {
  std::vector<std::string> names;
  for (const auto& one : used.at("tiles")) names.push_back(one.at("pass"));
  return names;
}

TEST_F(RefineTileStages, EveryModeGivesAPictureOfItsSizeAndSaysItsTiles) {
  for (const auto& [mode, crop] : {std::pair{"linear", "a1111"},
                                   {"linear", "comfy"},
                                   {"linear", "comfy-minimal"},
                                   {"chess", "a1111"},
                                   {"multidiffusion", "a1111"},
                                   {"mixture", "a1111"}}) {
    const Frame frame = refined(tile({{"tile.mode", mode}, {"tile.crop", crop}, {"tile.overlap", 8}}));
    EXPECT_EQ(frame.rgb.sizes(), picture_.sizes()) << mode;
    EXPECT_TRUE(frame.rgb.isfinite().all().item<bool>());
    EXPECT_FALSE(at::equal(frame.rgb, picture_));
    EXPECT_GE(used_.at("tiles").size(), 4u);
    EXPECT_GT(frame.boundaries.size(), 1u);
    EXPECT_EQ(frame.boundaries[0].stage, "upscale") << "those of the input are kept";
    EXPECT_EQ(frame.boundaries[1].stage, "refine");
    EXPECT_EQ(used_.at("evaluations"), 3 * used_.at("tiles").size()) << "int(0.5 x 4) + 1 steps each";
  }
}

// 64 x 48 in tiles of 32: 2 x 2; each is processed at 64 (32 + 8, rounded up to 64) by A1111's rule.
TEST_F(RefineTileStages, TilesAreRecordedWithTheirScale) {
  refined(tile(nlohmann::json::object()));
  ASSERT_EQ(used_.at("tiles").size(), 4u);
  const nlohmann::json& first = used_["tiles"][0];
  EXPECT_EQ(first.at("pass"), "redraw");
  EXPECT_EQ(first.at("processed"), nlohmann::json({64, 64}));
  const double across = first.at("crop")[2], scale = first.at("tile_scale")[0];
  EXPECT_DOUBLE_EQ(scale, 64 / across);
  refined(tile({{"tile.crop", "comfy"}}));
  for (const auto& one : used_["tiles"]) EXPECT_EQ(one.at("tile_scale"), nlohmann::json({1.0, 1.0}));
}

TEST_F(RefineTileStages, SeamPassesFollowTheTiles) {
  refined(tile({{"tile.seam-fix", "band"}, {"tile.seam-width", 8}, {"tile.seam-padding", 4}}));
  EXPECT_EQ(passes(used_),
            (std::vector<std::string>{"redraw", "redraw", "redraw", "redraw", "band", "band"}));
  EXPECT_EQ(used_["evaluations"], 4 * 3 + 2 * 2) << "int(0.35 x 4) + 1 = 2 steps of seams";
  refined(tile({{"tile.mode", "none"}, {"tile.seam-fix", "half-tile-intersections"}}));
  EXPECT_EQ(passes(used_),
            (std::vector<std::string>{"half-tile", "half-tile", "half-tile", "half-tile", "intersection"}));
}

TEST_F(RefineTileStages, BoundariesHaveTheirTransition) {
  const Frame redrawn = refined(tile(nlohmann::json::object()));
  ASSERT_EQ(redrawn.boundaries.size(), 3u);
  EXPECT_EQ(redrawn.boundaries[1].position, 32);
  EXPECT_EQ(redrawn.boundaries[1].half_width, 5) << "2.5 x 2";
  // ceil((64 - 8) / 24) = 3 columns at 0, 16, 32; ceil((48 - 8) / 24) = 2 rows at 0, 16
  const Frame merged = refined(tile({{"tile.mode", "mixture"}, {"tile.overlap", 8}}));
  ASSERT_EQ(merged.boundaries.size(), 4u);
  EXPECT_EQ(merged.boundaries[1].position, 24);
  EXPECT_EQ(merged.boundaries[1].half_width, 8);
  EXPECT_FALSE(merged.boundaries[3].vertical);
}

TEST_F(RefineTileStages, ATileOverThePictureIsNoTile) {
  const at::Tensor plain = refined(nlohmann::json::object()).rgb;
  for (const char* mode : {"multidiffusion", "mixture"}) {
    const Frame frame =
        refined(tile({{"tile.mode", mode}, {"tile.size", 64}, {"tile.overlap", 8}, {"tile.jitter", true}}));
    EXPECT_TRUE(at::equal(frame.rgb, plain)) << mode;
    EXPECT_EQ(frame.boundaries.size(), 1u);
    EXPECT_FALSE(used_.contains("tiles"));
  }
}

// One redrawn tile without padding: the untiled picture as it is saved, truncated.
TEST_F(RefineTileStages, OneRedrawnTileIsTheUntiledPicture) {
  const at::Tensor plain = refined(nlohmann::json::object()).rgb;
  const at::Tensor made =
      refined({{"tile.size", 64}, {"tile.height", 48}, {"tile.padding", 0}, {"tile.crop", "comfy"}}).rgb;
  EXPECT_TRUE(at::equal(made, (plain.clamp(0, 1) * 255).floor() / 255));
}

TEST_F(RefineTileStages, AllTilesHaveTheSameNoise) {
  const nlohmann::json settings = tile({{"tile.crop", "comfy"}});
  const at::Tensor first = refined(settings, 1).rgb;
  EXPECT_TRUE(at::equal(refined(settings, 1).rgb, first));
  EXPECT_FALSE(at::equal(refined(settings, 2).rgb, first));
}

TEST_F(RefineTileStages, JitterMovesTilesBySeed) {
  const nlohmann::json still = tile({{"tile.mode", "multidiffusion"}, {"tile.overlap", 8}});
  nlohmann::json jittered = still;
  jittered["tile.jitter"] = true;
  const at::Tensor first = refined(jittered, 1).rgb;
  EXPECT_TRUE(at::equal(refined(jittered, 1).rgb, first));
  EXPECT_FALSE(at::equal(refined(still, 1).rgb, first));
}

TEST_F(RefineTileStages, GuidanceAsksTwiceForEveryTile) {
  nlohmann::json settings = tile({{"tile.mode", "mixture"}, {"tile.overlap", 8}, {"guidance", 4.0}});
  refined(settings);
  EXPECT_EQ(used_["evaluations"], 6 * 2 * 3) << "2 x 3 tiles";
}

TEST_F(RefineTileStages, InvertedNoiseBringsThePictureBack) {
  const nlohmann::json settings = tile({{"tile.mode", "multidiffusion"},
                                        {"tile.overlap", 8},
                                        {"tile.inversion-steps", 6},
                                        {"tile.renoise", 0.0},
                                        {"steps", 8}});
  const at::Tensor kept = refined({{"denoise", 0.0}, {"as", "comfy"}}).rgb;
  const auto distance = [&](const at::Tensor& made) { return (made - kept).square().mean().item<double>(); };
  nlohmann::json fresh = settings;
  fresh["tile.inversion-steps"] = 0;
  const double inverted = distance(refined(settings).rgb);
  EXPECT_EQ(used_["evaluations"], 6 * (6 + 5)) << "6 of inversion, int(0.5 x 8) + 1 steps";
  EXPECT_LT(inverted, distance(refined(fresh).rgb));
}

TEST_F(RefineTileStages, WithoutAStepTilesPassThroughTheAutoencoder) {
  const Frame frame = refined(tile({{"denoise", 0.0}, {"as", "comfy"}, {"tile.crop", "comfy"}}));
  EXPECT_FALSE(used_.contains("evaluations"));
  EXPECT_EQ(used_.at("tiles").size(), 4u);
  EXPECT_EQ(frame.rgb.sizes(), picture_.sizes());
}

TEST_F(RefineTileStages, AControlNetSeesEveryTile) {
  write_safetensors(folder_ / "control.safetensors", tiny_control_net(4));
  for (const char* mode : {"linear", "multidiffusion", "mixture"}) {
    nlohmann::json settings = tile({{"tile.mode", mode}, {"tile.overlap", 8}});
    const at::Tensor plain = refined(settings).rgb;
    settings["control-net"] = "control";
    const at::Tensor controlled = refined(settings).rgb;
    EXPECT_FALSE(at::equal(controlled, plain)) << mode;
    settings["control-weight"] = 0.0;
    EXPECT_TRUE(at::equal(refined(settings).rgb, plain)) << mode;
  }
}

// The same network with five more channels, mask and masked latents: without weights for these it is the
// plain model, with weights it is another.
TEST_F(RefineTileStages, AnInpaintingModelSeesItsMaskInEveryMode) {
  const std::string first = "model.diffusion_model.input_blocks.0.0.weight";
  NamedTensors tensors = read_checkpoint(folder_ / "tiny.safetensors").tensors;
  const at::Tensor plain_weight = tensors.at(first);
  const auto write = [&](const char* file, double weight) {
    at::manual_seed(4);
    const at::Tensor more = at::randn({plain_weight.size(0), 5, 3, 3}) * weight;
    tensors[first] = at::cat({plain_weight, more.to(plain_weight.scalar_type())}, 1);
    write_safetensors(folder_ / file, tensors);
  };
  write("blind.safetensors", 0);
  write("inpainting.safetensors", 0.3);
  for (const nlohmann::json& mode :
       std::vector<nlohmann::json>{{{"tile.mode", "linear"}},
                                   {{"tile.mode", "chess"}, {"tile.crop", "comfy"}},
                                   {{"tile.mode", "none"}, {"tile.seam-fix", "band"}},
                                   {{"tile.mode", "mixture"}, {"tile.overlap", 8}}}) {
    const auto made = [&](const char* checkpoint) {
      nlohmann::json settings = tile(mode);
      settings["checkpoint"] = checkpoint;
      return refined(settings).rgb;
    };
    const at::Tensor plain = made("tiny");
    EXPECT_LT((made("blind") - plain).abs().max().item<double>(), 1e-4) << mode << " sums in another order";
    EXPECT_GT((made("inpainting") - plain).abs().max().item<double>(), 1e-2) << mode;
  }
}

TEST_F(RefineTileStages, MaskedChannelsAreTheMaskAndThePictureWithGreyUnderIt) {
  const auto model = diffusion_.get({{"diffusion", {{"checkpoint", "tiny"}}}}, "cpu", Precision::fp32);
  const at::Tensor picture = picture_.unsqueeze(0);
  at::Tensor mask = at::zeros({1, 1, 24, 32});
  mask.slice(3, 0, 16).fill_(1);
  const at::Tensor made = masked_channels(*model, {}, picture, mask);
  at::Tensor seen = picture.clone();
  seen.slice(3, 0, 32).fill_(0.5);
  EXPECT_TRUE(at::equal(made.narrow(1, 0, 1), mask));
  EXPECT_TRUE(at::equal(made.narrow(1, 1, 4), encode_picture(*model, {}, seen).result));
}

TEST_F(RefineTileStages, TiledAutoencodersWorkWithMergedPredictions) {
  const Frame frame = refined(
      tile({{"tile.mode", "mixture"}, {"tile.overlap", 8}, {"vae-tiles", "exact"}, {"vae-tile", 32}}));
  const Frame whole = refined(tile({{"tile.mode", "mixture"}, {"tile.overlap", 8}}));
  EXPECT_LT((frame.rgb - whole.rgb).abs().max().item<double>(), 1e-3) << "exact tiles, after 3 steps";
}

}  // namespace
}  // namespace upbench::test
