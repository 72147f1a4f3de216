#include "models/diffusion/tiled_autoencoder.h"

#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/networks/tiny_autoencoder.h"
#include "tests/models/diffusion/networks/autoencoder_weights.h"
#include "tests/models/diffusion/peers/peer.h"

namespace upbench::test {
namespace {

using Coder = std::shared_ptr<const PictureCoder>;

// Of one latent channel. Its latents are the means of 2 x 2 pixels, its pictures the latents enlarged: the
// same for a tile as for the whole picture.
class LocalCoder : public PictureCoder {
 public:
  Posterior encode(const at::Tensor& picture) const override {
    return {.mean = at::avg_pool2d(picture.narrow(1, 0, 1), {2, 2}), .logvar = {}};
  }
  at::Tensor decode(const at::Tensor& latents) const override {
    return at::upsample_nearest2d(latents, {2 * latents.size(2), 2 * latents.size(3)}).repeat({1, 3, 1, 1});
  }
  int channels() const override { return 1; }
  int factor() const override { return 2; }
};

// Decodes a tile to the number that its first latent is, so that the result tells which tile made what.
class CornerCoder : public LocalCoder {
 public:
  at::Tensor decode(const at::Tensor& latents) const override {
    return LocalCoder::decode(latents.narrow(2, 0, 1).narrow(3, 0, 1).expand_as(latents));
  }
};

Coder random_coder(const AutoencoderShape& shape, at::ScalarType dtype = at::kFloat,
                   const AutoencoderNorm& norm = {}) {
  const NamedTensors weights = cast(random_autoencoder(shape, 11), dtype);
  return make_autoencoder(autoencoder_facts(weights, norm), weights);
}

// Smooth, with edges and a part that is brighter: statistics differ from tile to tile.
at::Tensor uneven_picture(std::int64_t height, std::int64_t width) {
  at::manual_seed(3);
  at::Tensor picture = at::rand({1, 3, height, width}) * 0.6 - 0.5;
  picture.narrow(2, 0, height / 2).add_(0.7);
  picture.narrow(3, 0, width / 3).mul_(0.3);
  return picture;
}

TEST(TiledAutoencoder, NoneIsTheCoderItself) {
  const Coder coder = std::make_shared<LocalCoder>();
  EXPECT_EQ(with_tiles(coder, {}), coder);
}

TEST(TiledAutoencoder, DiffusersTilesAsDiffusersDoes) {
  UPBENCH_NEEDS_PEERS("diffusers");
  const c10::InferenceMode guard;
  const NamedTensors expected = below(run_peer("autoencoder_peer"), "tiled/");
  const NamedTensors weights = below(expected, "weights/");
  const Coder coder = with_tiles(make_autoencoder(autoencoder_facts(weights), weights),
                                 {.mode = CoderTileMode::diffusers, .size = 32});
  const Posterior posterior = coder->encode(expected.at("picture"));
  // Two ways to sum the same float32 numbers.
  EXPECT_LT(relative_error(posterior.mean, expected.at("mean")), 1e-4);
  EXPECT_LT(relative_error(posterior.logvar, expected.at("logvar")), 1e-4);
  EXPECT_LT(relative_error(coder->decode(expected.at("latents")), expected.at("decoded")), 1e-4);
}

TEST(TiledAutoencoder, DiffusersBlendsAQuarterWithTheTileBefore) {
  // Latents 0..9 in tiles of 8 from 0 and from 6; 16 pixels a tile, of which 4 are blended.
  const at::Tensor decoded =
      with_tiles(std::make_shared<CornerCoder>(), {.mode = CoderTileMode::diffusers, .size = 16})
          ->decode(at::arange(10, at::kFloat).reshape({1, 1, 1, 10}));
  const at::Tensor expected =
      at::tensor({0., 0.,  0., 0.,  0., 0., 0., 0., 0., 0., 0., 0.,  // of the first tile
                  0., 1.5, 3., 4.5, 6., 6., 6., 6.},
                 at::kFloat);
  EXPECT_TRUE(at::equal(decoded[0][0][0], expected)) << decoded[0][0][0];
}

TEST(TiledAutoencoder, ComfyFeathersAndTakesTheMeanOfThreePasses) {
  // One row of 12 latents, overlap 2. Columns of a tile: 8 -> tiles at 0 and 6; 16 -> one; 4 -> at 0, 2, 4,
  // 6, 8.
  const Coder coder =
      with_tiles(std::make_shared<CornerCoder>(), {.mode = CoderTileMode::comfy, .size = 16, .overlap = 4});
  const at::Tensor decoded = coder->decode(at::arange(12, at::kFloat).reshape({1, 1, 1, 12}))[0][0][0];
  ASSERT_EQ(decoded.size(0), 24);
  // Pixel 0: all tiles begin at latent 0. Pixel 13, the second of the four shared by tiles of 8 at 0 and 6:
  // weights 2/4 (rising) for 6, 3/4 (falling) for 0. The wide tile gives 0. Of tiles of 4, that at 4 (from
  // pixel 8 to 16) falls by 3/4, that at 6 rises by 2/4.
  EXPECT_FLOAT_EQ(decoded[0].item<float>(), 0);
  EXPECT_FLOAT_EQ(decoded[13].item<float>(), (6 * 0.5f / 1.25f + 0 + (4 * 0.75f + 6 * 0.5f) / 1.25f) / 3);
}

TEST(TiledAutoencoder, TilesOfALocalCoderAreTheWholePicture) {
  const Coder coder = std::make_shared<LocalCoder>();
  at::manual_seed(1);
  for (const CoderTileMode mode : {CoderTileMode::diffusers, CoderTileMode::comfy}) {
    const Coder tiled = with_tiles(coder, {.mode = mode, .size = 16, .overlap = 4});
    for (const auto& [height, width] : {std::pair{22, 50}, {16, 16}, {6, 90}, {34, 18}}) {
      const at::Tensor picture = at::rand({2, 3, height, width}),
                       latents = at::rand({2, 1, height / 2, width / 2});
      // Weighed means of equal numbers: rounding alone.
      EXPECT_LT(relative_error(tiled->encode(picture).mean, coder->encode(picture).mean), 1e-6);
      EXPECT_LT(relative_error(tiled->decode(latents), coder->decode(latents)), 1e-6);
    }
  }
}

class ExactTiles : public testing::TestWithParam<AutoencoderShape> {};

TEST_P(ExactTiles, EqualTheWholePicture) {
  const c10::InferenceMode guard;
  const Coder coder = random_coder(GetParam());
  const std::int64_t factor = coder->factor();
  for (const auto& [height, width, tile] : {std::tuple{8, 12, 4}, {6, 13, 6}, {5, 3, 8}, {7, 7, 1}}) {
    const Coder tiled =
        with_tiles(coder, {.mode = CoderTileMode::exact, .size = tile * factor, .maps_on_host = tile == 6});
    const at::Tensor picture = uneven_picture(height * factor, width * factor);
    const Posterior whole = coder->encode(picture), parts = tiled->encode(picture);
    // The order of sums; the header states this tolerance.
    EXPECT_LT(relative_error(parts.mean, whole.mean), 1e-5) << tile;
    EXPECT_LT(relative_error(parts.logvar, whole.logvar), 1e-5) << tile;
    EXPECT_LT(relative_error(tiled->decode(whole.mean), coder->decode(whole.mean)), 1e-5) << tile;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ExactTiles,
    testing::Values(AutoencoderShape{.channels = {32}}, AutoencoderShape{.channels = {32, 64}},
                    AutoencoderShape{
                        .channels = {32, 64, 64}, .blocks = 2, .latents = 16, .latent_convs = false}),
    [](const auto& test) { return std::to_string(test.param.channels.size()) + "_levels"; });

TEST(TiledAutoencoder, ExactTilesInHalfPrecisionDifferByItsRounding) {
  const c10::InferenceMode guard;
  const Coder coder = random_coder(kSmall, at::kBFloat16);
  const at::Tensor picture = uneven_picture(24, 32);
  const Coder tiled = with_tiles(coder, {.mode = CoderTileMode::exact, .size = 8});
  // bfloat16 has 8 bits: 20 layers each round to 2^-9.
  EXPECT_LT(relative_error(tiled->encode(picture).mean, coder->encode(picture).mean), 0.05);
}

TEST(TiledAutoencoder, FastIsTheWholePictureWhereThatFitsATile) {
  const c10::InferenceMode guard;
  const Coder coder = random_coder(kSmall);
  const Coder tiled = with_tiles(coder, {.mode = CoderTileMode::fast, .size = 32});
  const at::Tensor picture = uneven_picture(32, 20);
  EXPECT_TRUE(at::equal(tiled->encode(picture).mean, coder->encode(picture).mean));
}

// Smooth, as shrinking keeps it; its statistics differ from tile to tile.
at::Tensor smooth_map(std::int64_t channels, std::int64_t height, std::int64_t width) {
  at::manual_seed(8);
  return at::upsample_bilinear2d(at::randn({1, channels, 4, 4}), {height, width}, false);
}

TEST(TiledAutoencoder, FastIsNearerToTheWholePictureThanTilesApart) {
  const c10::InferenceMode guard;
  // Groups of many channels, as real ones have: what one channel alone is over a shrunk map is mostly its
  // edge.
  const Coder coder = random_coder(kSmall, at::kFloat, {.groups = 2});
  const auto tiled = [&](CoderTileMode mode) { return with_tiles(coder, {.mode = mode, .size = 64}); };
  const auto error = [](const at::Tensor& tiles, const at::Tensor& whole) {
    return (tiles - whole).square().mean().item<double>();
  };
  const at::Tensor picture = smooth_map(3, 128, 96), latents = smooth_map(4, 64, 48);
  const at::Tensor encoded = coder->encode(picture).mean, decoded = coder->decode(latents);
  const Coder fast = tiled(CoderTileMode::fast), apart = tiled(CoderTileMode::diffusers);
  EXPECT_LT(error(fast->encode(picture).mean, encoded), 0.5 * error(apart->encode(picture).mean, encoded));
  EXPECT_LT(error(fast->decode(latents), decoded), 0.5 * error(apart->decode(latents), decoded));
}

TEST(TiledAutoencoder, RefusesTilesThatDoNotFitTheCoder) {
  const Coder coder = random_coder({.channels = {32, 32}});
  const auto refused = [&](const CoderTiles& tiles, const char* why) {
    EXPECT_THAT([&] { with_tiles(coder, tiles); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(why)));
  };
  refused({.mode = CoderTileMode::exact, .size = 33},
          "size 33 pixels in mode exact, expected a multiple of 2");
  refused({.mode = CoderTileMode::diffusers, .size = 12}, "expected a multiple of 8");
  refused({.mode = CoderTileMode::comfy, .size = 16, .overlap = 3}, "overlap 3 pixels in mode comfy");
  refused({.mode = CoderTileMode::fast, .size = 0}, "expected a size of 1 or more");
  refused({.mode = CoderTileMode::comfy, .size = 16, .overlap = -2}, "no negative overlap");
  EXPECT_THAT(
      [] { with_tiles(std::make_shared<LocalCoder>(), {.mode = CoderTileMode::exact, .size = 8}); },
      testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("mode exact is for AutoencoderKL")));
}

TEST(TiledAutoencoder, RefusesPicturesAsTheCoderDoes) {
  for (const CoderTileMode mode :
       {CoderTileMode::diffusers, CoderTileMode::comfy, CoderTileMode::fast, CoderTileMode::exact}) {
    const Coder tiled = with_tiles(random_coder(kSmall), {.mode = mode, .size = 16});
    EXPECT_THROW(tiled->encode(at::zeros({1, 3, 33, 32})), std::invalid_argument);
    EXPECT_THROW(tiled->decode(at::zeros({1, 3, 33, 32})), std::invalid_argument);
  }
}

TEST(TiledAutoencoder, ModesHaveTheirNames) {
  for (const CoderTileMode mode : {CoderTileMode::none, CoderTileMode::diffusers, CoderTileMode::comfy,
                                   CoderTileMode::fast, CoderTileMode::exact})
    EXPECT_EQ(coder_tile_mode(to_string(mode)), mode);
  EXPECT_THAT([] { coder_tile_mode("tiled"); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("none, diffusers, comfy, fast, exact")));
}

}  // namespace
}  // namespace upbench::test
