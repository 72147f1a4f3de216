#include "models/upscale.h"

#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "models/catalog.h"
#include "models/tiling/tile_checks.h"
#include "models/tiling/tile_merge.h"
#include "tests/models/fake_upscalers.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using test::conv_stack;
using test::FakeUpscaler;
using test::info_of;
using test::largest_difference;
using test::nearest;
using test::random_image;
using test::repeated;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr auto& kAllModes = test::kAllTileModes;

TEST(Upscale, WithoutTilesIsTheNetworkOnTheWholePicture) {
  const FakeUpscaler network = conv_stack(3);
  const Image image = random_image(13, 17);
  const UpscaleResult result = upscale(network, image, {});
  EXPECT_TRUE(at::equal(result.image, network.forward(image.unsqueeze(0), 2)[0]));
  EXPECT_EQ(result.tiles_y * result.tiles_x, 1);
  EXPECT_TRUE(result.boundaries.empty());
}

TEST(Upscale, WithATileThatCoversThePictureIsBitIdenticalToNoTiles) {
  const FakeUpscaler network = conv_stack(3);
  const Image image = random_image(40, 31);
  const Image whole = upscale(network, image, {}).image;
  for (const TileMode mode : kAllModes) {
    const TileSettings tile{.tile = 40, .overlap = 8, .context = 4, .mode = mode};
    EXPECT_TRUE(at::equal(upscale(network, image, {.tile = tile}).image, whole)) << to_string(mode);
  }
}

TEST(Upscale, IsExactInTilesForAPointwiseUpscalerInEveryMode) {
  const Image image = random_image(61, 83);
  for (const TileMode mode : kAllModes) {
    for (const int overlap : {0, 5, 12}) {
      const TileSettings tile{.tile = 16, .overlap = overlap, .context = 3, .mode = mode};
      const UpscaleResult result = upscale(nearest(), image, {.scale = 3, .tile = tile});
      EXPECT_GT(result.tiles_y * result.tiles_x, 9);
      // float32: up to 2 x 16 tiles meet in a pixel, each product rounded to 2^-24
      EXPECT_LT(largest_difference(result.image, repeated(image.unsqueeze(0), 3)[0]), 1e-6)
          << to_string(mode) << ", overlap " << overlap;
    }
  }
}

// The sizes at which A1111's default tiles darken the left and top edge.
TEST(Upscale, LeavesNoDarkEdgeOnSidesJustBelowTheTile) {
  for (const TileMode mode : kAllModes) {
    for (int side = 185; side <= 191; ++side) {
      const Image image = random_image(side, side);
      const TileSettings tile{.tile = 192, .overlap = 8, .context = 8, .mode = mode};
      const Image output = upscale(nearest(), image, {.scale = 1, .tile = tile}).image;
      EXPECT_TRUE(at::equal(output, image)) << to_string(mode) << ", side " << side;
    }
  }
}

TEST(Upscale, IsTheSameInTilesWhenTheContextReachesTheReceptiveRadius) {
  const FakeUpscaler network = conv_stack(6);
  const Image image = random_image(70, 53);
  const Image whole = upscale(network, image, {}).image;
  const auto tiled = [&](int context) {
    return upscale(network, image, {.tile = {.tile = 16, .context = context}}).image;
  };
  // Convolution kernels may add in another order for another tile size.
  EXPECT_LT(largest_difference(tiled(6), whole), 1e-5);
  EXPECT_LT(largest_difference(tiled(20), whole), 1e-5);
  EXPECT_GT(largest_difference(tiled(4), whole), 1e-4);
}

TEST(Upscale, BlendsTilesByTheirWeights) {
  int calls = 0;
  // Paints its n-th tile with the value n.
  const FakeUpscaler counter(info_of("counter", 1), [&calls](const at::Tensor& batch, int) {
    return at::full_like(batch, calls++);
  });
  const TileSettings tile{.tile = 5, .overlap = 2, .mode = TileMode::stride_feather};
  const UpscaleResult result = upscale(counter, at::zeros({3, 1, 8}), {.tile = tile});
  EXPECT_EQ(result.tiles_x, 2);
  EXPECT_EQ(result.boundaries, std::vector<Boundary>{(Boundary{true, 4, 1})});
  const at::Tensor expected = at::tensor({0.0f, 0.0f, 0.0f, 1 / 3.0f, 2 / 3.0f, 1.0f, 1.0f, 1.0f});
  EXPECT_TRUE(at::allclose(result.image, expected.expand({3, 1, 8}), 0, 1e-6))
      << result.image;  // float32 weights
}

// Two tiles of 5 pixels that share 2: the first is -1 everywhere, the second 3. Clamped first they are 0 and
// 1, so the shared pixels are 1/3 and 2/3; blended as they are, 1/3 and 5/3.
TEST(Upscale, ClampsTilesBeforeItBlendsThem) {
  const auto made = [](TileMode mode, int overlap) {
    int calls = 0;
    const FakeUpscaler network(info_of("beyond", 1), [&calls](const at::Tensor& batch, int) {
      return at::full_like(batch, calls++ == 0 ? -1 : 3);
    });
    return upscale(network, at::zeros({3, 1, 8}), {.tile = {.tile = 5, .overlap = overlap, .mode = mode}});
  };
  const UpscaleResult blended = made(TileMode::stride_feather, 2);
  const at::Tensor expected = at::tensor({0.0f, 0.0f, 0.0f, 1 / 3.0f, 2 / 3.0f, 1.0f, 1.0f, 1.0f});
  EXPECT_TRUE(at::allclose(blended.image, expected.expand({3, 1, 8}), 0, 1e-6)) << blended.image;
  EXPECT_DOUBLE_EQ(blended.outside_share, 1.0) << "of the values as the network made them";

  const UpscaleResult pasted = made(TileMode::core_context, 0);
  EXPECT_EQ(pasted.image.min().item<float>(), -1) << "pasted tiles are as they are";
  EXPECT_EQ(pasted.image.max().item<float>(), 3);
  EXPECT_DOUBLE_EQ(pasted.outside_share, 1.0);
}

TEST(Upscale, AveragesClampedTilesAsUniformDoes) {
  int calls = 0;
  const FakeUpscaler network(info_of("beyond", 1), [&calls](const at::Tensor& batch, int) {
    return at::full_like(batch, calls++ == 0 ? 0.25 : 1.75);
  });
  const UpscaleResult result =
      upscale(network, at::zeros({3, 1, 8}), {.tile = {.tile = 6, .overlap = 4, .mode = TileMode::uniform}});
  const float average = (0.25F + 1.0F) / 2;
  const at::Tensor expected =
      at::tensor({0.25F, 0.25F, average, average, average, average, 1.0F, 1.0F}).expand({3, 1, 8});
  EXPECT_TRUE(at::allclose(result.image, expected, 0, 1e-6)) << result.image;  // float32 weights
  EXPECT_DOUBLE_EQ(result.outside_share, 0.5) << "both tiles count six columns, one is outside";
}

// Memory may run out between two tiles of a batch, which then comes again as a whole.
TEST(TileMerge, AddsATileThatComesAgainOnce) {
  for (const TileMode mode : kAllModes) {
    const TilePlan plan = plan_tiles(9, 14, 2, {.tile = 8, .overlap = 4, .mode = mode});
    TileMerge once(plan, {}), twice(plan, {});
    const std::size_t columns = plan.cols.size();
    for (std::size_t tile = 0; tile < plan.rows.size() * columns; ++tile) {
      const Image values =
          random_image(2 * plan.rows[tile / columns].read.size(), 2 * plan.cols[tile % columns].read.size());
      once.add({&tile, 1}, values.unsqueeze(0));
      for (int i = 0; i < 2; ++i) twice.add({&tile, 1}, values.unsqueeze(0));
    }
    EXPECT_TRUE(at::equal(twice.merged(), once.merged())) << to_string(mode);
  }
}

TEST(TileChecks, FindTheFirstTileAndCountEveryValue) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  at::Tensor batch = at::full({3, 3, 2, 2}, 0.5);
  batch[0][0][0][0] = 1.5;
  batch[2][2][1][1] = -0.5;
  TileChecks checks(4);
  const std::vector<std::size_t> tiles{3, 1, 0};
  checks.note_finite(tiles, batch);
  for (std::size_t i = 0; i < tiles.size(); ++i)
    checks.note_outside(tiles[i], batch[static_cast<std::int64_t>(i)]);
  EXPECT_EQ(checks.answer().not_finite, std::nullopt);
  EXPECT_DOUBLE_EQ(checks.answer().outside_share, 2.0 / 36);

  batch[1][1][0][1] = nan;
  batch[0][1][0][1] = -std::numeric_limits<float>::infinity();
  checks.note_finite(tiles, batch);
  EXPECT_EQ(checks.answer().not_finite, 1u) << "the first in the plan, not in the batch";
}

TEST(TileChecks, CountPartsOfPicturesInAnyLayout) {
  const Image wide = random_image(37, 41).mul(3).sub(1);
  const Image part = wide.narrow(1, 3, 20).narrow(2, 7, 25);
  const double share = part.lt(0).logical_or(part.gt(1)).to(at::kDouble).mean().item<double>();
  for (const Image& values : {part, part.transpose(1, 2), part.contiguous()}) {
    TileChecks checks(1);
    checks.note_outside(0, values);
    EXPECT_DOUBLE_EQ(checks.answer().outside_share, share);
  }
}

TEST(Upscale, PadsEachTileToTheMultipleAndCrops) {
  const Image image = random_image(13, 7);
  const FakeUpscaler network = nearest(4);
  EXPECT_TRUE(at::equal(upscale(network, image, {.scale = 2}).image, repeated(image.unsqueeze(0), 2)[0]));
  EXPECT_EQ(network.batches().back(), (std::vector<std::int64_t>{1, 3, 16, 8}));

  const FakeUpscaler tiled = nearest(4);
  const Image output = upscale(tiled, image, {.scale = 2, .tile = {.tile = 5, .context = 1}}).image;
  EXPECT_TRUE(at::equal(output, repeated(image.unsqueeze(0), 2)[0]));
  // rows 0-6, 4-11, 9-13; columns 0-6, 4-7
  const auto shape = [](std::int64_t h, std::int64_t w) { return std::vector<std::int64_t>{1, 3, h, w}; };
  EXPECT_THAT(tiled.batches(),
              ElementsAre(shape(8, 8), shape(8, 4), shape(8, 8), shape(8, 4), shape(4, 8), shape(4, 4)));
}

// The network returns the padding itself, in the place of the picture.
Image padding_of(const Image& image, int size_multiple, int minimum_size) {
  UpscalerInfo info = info_of("shows padding", 1);
  info.size_multiple = size_multiple;
  info.minimum_size = minimum_size;
  const FakeUpscaler network(info, [](const at::Tensor& batch, int) { return batch.flip({3}); });
  return upscale(network, image, {}).image;
}

TEST(Upscale, PadsByReflectionAndRepeatsWhereThatIsImpossible) {
  const auto row = [](std::vector<float> values) {
    return at::tensor(values).view({1, 1, -1}).expand({3, 1, static_cast<std::int64_t>(values.size())});
  };
  // 1 2 3 4 5 | 4 3 2, read from the right
  EXPECT_TRUE(at::equal(padding_of(row({1, 2, 3, 4, 5}), 8, 1), row({2, 3, 4, 5, 4})));
  // 1 2 3 | 3 3 3 3 3
  EXPECT_TRUE(at::equal(padding_of(row({1, 2, 3}), 1, 8), row({3, 3, 3})));
  EXPECT_TRUE(at::equal(padding_of(row({1}), 4, 6), row({1})));
}

TEST(Upscale, HandlesAPictureOfOnePixel) {
  const Image image = random_image(1, 1);
  const UpscaleResult result =
      upscale(nearest(8, 16), image, {.scale = 4, .tile = {.tile = 64, .context = 10}});
  EXPECT_TRUE(at::equal(result.image, image.expand({3, 4, 4})));
}

TEST(Upscale, ReportsTheShareOfValuesOutsideTheRange) {
  const Image image = at::tensor({-0.1f, 0.0f, 0.5f, 1.0f, 1.1f, 0.2f}).view({3, 1, 2});
  EXPECT_DOUBLE_EQ(upscale(nearest(), image, {.scale = 2}).outside_share, 2.0 / 6);
  EXPECT_FLOAT_EQ(upscale(nearest(), image, {.scale = 2}).image.max().item<float>(), 1.1f);

  const Image wide = random_image(37, 41).mul(3).sub(1);
  const at::Tensor outside = wide.lt(0).logical_or(wide.gt(1));
  EXPECT_DOUBLE_EQ(upscale(nearest(), wide, {.scale = 1}).outside_share,
                   outside.to(at::kDouble).mean().item<double>());
}

TEST(Upscale, ReturnsItsOwnContiguousMemory) {
  const FakeUpscaler identity(info_of("identity", 1), [](const at::Tensor& batch, int) { return batch; });
  const Image image = random_image(5, 6);
  EXPECT_FALSE(upscale(identity, image, {}).image.is_alias_of(image));
  EXPECT_TRUE(upscale(nearest(4), image, {.scale = 2}).image.is_contiguous());
}

TEST(Upscale, RecordsNoGradients) {
  const at::Tensor weight = at::full({3, 3, 1, 1}, 0.1).set_requires_grad(true);
  const FakeUpscaler network(info_of("linear", 1),
                             [weight](const at::Tensor& batch, int) { return at::conv2d(batch, weight); });
  EXPECT_FALSE(upscale(network, random_image(4, 4), {}).image.requires_grad());
}

void expect_failure(const FakeUpscaler& network, const TileSettings& tile, const std::string& text) {
  EXPECT_THAT([&] { upscale(network, random_image(20, 20), {.tile = tile}); },
              ThrowsMessage<std::runtime_error>(text));
}

TEST(Upscale, NamesTheTileThatIsNotFinite) {
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    int calls = 0;
    const FakeUpscaler network(info_of("broken", 2), [&calls, value](const at::Tensor& batch, int scale) {
      at::Tensor result = repeated(batch, scale);
      if (++calls == 2 || calls == 3) result[0][1][3][2] = value;
      return result;
    });
    expect_failure(network, {.tile = 8, .context = 2}, "broken: tile 2 of 9 (row 0, column 1) is not finite");
  }
  const FakeUpscaler always(info_of("broken", 1),
                            [](const at::Tensor& batch, int) { return batch / 0.0 * 0.0; });
  expect_failure(always, {}, "broken: the output is not finite");
}

TEST(Upscale, RefusesAnOutputOfAnotherSizeOrType) {
  const FakeUpscaler small(info_of("small", 4),
                           [](const at::Tensor& batch, int) { return repeated(batch, 2); });
  expect_failure(small, {},
                 "small: the output: expected [1, 3, 80, 80] of Float, got [1, 3, 40, 40] of Float");
  expect_failure(
      small, {.tile = 10},
      "small: tile 1 of 4 (row 0, column 0): expected [1, 3, 40, 40] of Float, got [1, 3, 20, 20] of Float");
  const FakeUpscaler half(info_of("half", 1),
                          [](const at::Tensor& batch, int) { return batch.to(at::kHalf); });
  expect_failure(half, {}, "half: the output: expected [1, 3, 20, 20] of Float, got [1, 3, 20, 20] of Half");
  const FakeUpscaler nothing(info_of("nothing", 1), [](const at::Tensor&, int) { return at::Tensor(); });
  expect_failure(nothing, {}, "nothing: the output: expected [1, 3, 20, 20] of Float, got no tensor");
}

TEST(Upscale, EndsWithTheFirstExceptionOfATile) {
  int calls = 0;
  const FakeUpscaler network(info_of("out of memory", 1), [&calls](const at::Tensor& batch, int) {
    if (++calls == 2) throw std::runtime_error("no memory left");
    return batch;
  });
  expect_failure(network, {.tile = 10}, "no memory left");
  EXPECT_EQ(calls, 2);
}

// Row 92: denormals, -0.0 and values far outside [0, 1] are data like any other.
TEST(Upscale, TakesDenormalsNegativeZeroAndHighDynamicRange) {
  const float denormal = std::numeric_limits<float>::denorm_min();
  const Image odd = at::tensor({denormal, -0.0f, 65000.0f, -3.0f, 1e30f, 0.5f}).view({3, 1, 2});
  const UpscaleResult result = upscale(nearest(), odd, {.scale = 1});
  EXPECT_TRUE(at::equal(result.image, odd));
  EXPECT_TRUE(std::signbit(result.image[0][0][1].item<float>()));
  EXPECT_EQ(result.image[0][0][0].item<float>(), denormal);
  EXPECT_DOUBLE_EQ(result.outside_share, 3.0 / 6);
  const UpscaleResult filtered = upscale(conv_stack(2), odd.clamp(-1e3, 1e3), {});
  EXPECT_TRUE(at::isfinite(filtered.image).all().item<bool>());
}

// Row 93: tiles below what the network takes are padded, one by one.
TEST(Upscale, PadsTilesSmallerThanTheNetworksMinimum) {
  const Image image = random_image(20, 20);
  const FakeUpscaler network = nearest(8, 32);
  const UpscaleResult result = upscale(network, image, {.scale = 2, .tile = {.tile = 6, .context = 1}});
  EXPECT_TRUE(at::equal(result.image, repeated(image.unsqueeze(0), 2)[0]));
  for (const auto& shape : network.batches()) EXPECT_EQ(shape, (std::vector<std::int64_t>{1, 3, 32, 32}));
}

void expect_refused(const FakeUpscaler& network, const Image& image, const UpscaleOptions& options,
                    const std::string& text) {
  EXPECT_THAT([&] { upscale(network, image, options); },
              ThrowsMessage<std::invalid_argument>(HasSubstr(text)));
}

TEST(Upscale, RefusesARequestThatCannotWork) {
  const Image image = random_image(8, 8);
  expect_refused(nearest(), image, {}, "nearest: scale 0: expected a scale from 1");
  expect_refused(nearest(), image, {.scale = -2}, "nearest: scale -2: expected a scale from 1");
  expect_refused(conv_stack(1), image, {.scale = 4}, "conv stack: scale 4: the network's scale is 2");
  expect_refused(nearest(), image.unsqueeze(0), {.scale = 2},
                 "upscale: expected an RGB image [3, H, W] of float32");
  expect_refused(nearest(), image, {.scale = 2, .tile = {.tile = 4, .overlap = 4, .mode = TileMode::uniform}},
                 "tile 4, overlap 4: the overlap must be smaller than the tile");
}

// 18 convolutions of 3x3: an output pixel depends on 18 input pixels to each side.
TEST(Upscale, IsTheSameInTilesForRealEsrganAnimeVideoWithItsReceptiveRadiusAsContext) {
  UPBENCH_NEEDS_ASSETS();
  const UpscalerPtr network =
      load_upscaler_file(test::assets() / "weights/upscalers/srvgg/realesr-animevideov3.pth");
  ASSERT_EQ(network->info().receptive_radius, 18);
  const Image image = to_image(decode_file(test::assets() / "images/Set5/LR_bicubic/X4/butterflyx4.png"));
  const Image whole = upscale(*network, image, {}).image;
  const auto tiled = [&](int context) {
    return upscale(*network, image, {.tile = {.tile = 32, .context = context}}).image;
  };
  EXPECT_LT(largest_difference(tiled(18), whole), 1e-5);  // kernels may add in another order for another size
  EXPECT_GT(largest_difference(tiled(4), whole), 1e-3);
}

}  // namespace
}  // namespace upbench
