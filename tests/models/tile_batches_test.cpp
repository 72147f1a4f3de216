#include "models/tiling/tile_batches.h"

#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/upscale.h"
#include "tests/models/fake_upscalers.h"

// Several tiles in one call of the network: the same pixels, less memory when it runs out, and what is said
// of it.
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
using testing::ThrowsMessage;

// 70 x 53 pixels in tiles of 16 with 3 more around: 5 x 4 tiles.
constexpr TileSettings kTiles{.tile = 16, .context = 3};

TEST(TileBatches, BatchesOfTilesGiveThePixelsOfSingleOnes) {
  const Image image = random_image(70, 53);
  const FakeUpscaler network = conv_stack(3);
  const auto upscaled = [&](const TileSettings& tile, int batch) {
    return upscale(network, image, {.tile = tile, .batch = batch}).image;
  };
  for (const int batch : {2, 3, 4, 64}) {
    // Pasted tiles and equal ones come one by one in the same order: what the convolution rounds otherwise is
    // all.
    EXPECT_LT(largest_difference(upscaled(kTiles, batch), upscaled(kTiles, 1)), 1e-6) << batch;
    for (const TileMode mode : test::kAllTileModes) {
      const TileSettings tile{.tile = 16, .overlap = 5, .context = 3, .mode = mode};
      EXPECT_LT(largest_difference(upscaled(tile, batch), upscaled(tile, 1)), 1e-5)
          << batch << to_string(mode);
    }
  }
}

TEST(TileBatches, ShapesOfTilesFormTheirOwnBatchesOfOneSize) {
  const FakeUpscaler network = nearest();
  const UpscaleResult result =
      upscale(network, random_image(70, 53), {.scale = 2, .tile = kTiles, .batch = 4});
  EXPECT_EQ(result.batch, 3) << "six inner tiles: two batches of three";
  EXPECT_FALSE(result.batch_halved);
  const auto shape = [](std::int64_t n, std::int64_t h, std::int64_t w) {
    return std::vector<std::int64_t>{n, 3, h, w};
  };
  // rows of 19, 22, 22, 22, 9 pixels; columns of 19, 22, 22, 8; shapes in the order in which they first
  // appear
  EXPECT_THAT(
      network.batches(),
      ElementsAre(shape(1, 19, 19), shape(2, 19, 22), shape(1, 19, 8), shape(3, 22, 19), shape(3, 22, 22),
                  shape(3, 22, 22), shape(3, 22, 8), shape(1, 9, 19), shape(2, 9, 22), shape(1, 9, 8)));
}

TEST(TileBatches, ABatchThatIsNotFullRepeatsATile) {
  const FakeUpscaler network = nearest();
  const Image image = random_image(16, 80);
  // five equal tiles, at most four at once: three and two
  const TileSettings tile{.tile = 16, .mode = TileMode::uniform};
  const UpscaleResult result = upscale(network, image, {.scale = 1, .tile = tile, .batch = 4});
  EXPECT_TRUE(at::equal(result.image, image));
  const std::vector<std::int64_t> shape{3, 3, 16, 16};
  EXPECT_THAT(network.batches(), ElementsAre(shape, shape));
}

// Fails like a device whose memory holds `most` tiles.
FakeUpscaler short_of_memory(int most, int& failures) {
  return {info_of("short", 2), [most, &failures](const at::Tensor& batch, int scale) {
            if (batch.size(0) > most) {
              ++failures;
              throw c10::OutOfMemoryError({"f", "g", 1}, "CUDA out of memory. Tried to allocate 2 GiB");
            }
            return repeated(batch, scale);
          }};
}

TEST(TileBatches, MemoryThatRunsOutHalvesTheBatchAndChangesNoPixel) {
  const Image image = random_image(16, 16 * 20);
  const TileSettings tile{.tile = 16, .mode = TileMode::uniform};
  for (const auto& [most, left] : {std::pair{3, 3}, {1, 1}, {6, 5}}) {
    int failures = 0;
    const FakeUpscaler network = short_of_memory(most, failures);
    const UpscaleResult result = upscale(network, image, {.tile = tile, .batch = 10});
    EXPECT_TRUE(at::equal(result.image, repeated(image.unsqueeze(0), 2)[0])) << most;
    EXPECT_TRUE(result.batch_halved);
    EXPECT_EQ(result.batch, left) << most << ": 10, 5, 3, 2, 1";
    EXPECT_GT(failures, 0);
    for (const auto& shape : network.batches()) EXPECT_EQ(shape[3], 16) << "never the tile";
  }
}

TEST(TileBatches, MemoryTooShortForOneTileIsTriedTwiceAndSaysSo) {
  int failures = 0;
  const FakeUpscaler network = short_of_memory(0, failures);
  EXPECT_THAT([&] { upscale(network, random_image(20, 20), {.tile = {.tile = 10}}); },
              ThrowsMessage<std::runtime_error>(testing::StartsWith(
                  "out of memory: short: tile 1 of 4 (row 0, column 0): CUDA out of memory")));
  EXPECT_EQ(failures, 2);
}

TEST(TileBatches, TellsWhetherATileIsAnotherInItsBatch) {
  const Image image = random_image(16, 64);
  const UpscaleOptions options{
      .tile = {.tile = 16, .mode = TileMode::uniform}, .batch = 4, .check_batch = true};
  const FakeUpscaler sound(info_of("sound", 2), repeated);
  EXPECT_EQ(upscale(sound, image, options).batch_difference, 0);
  const FakeUpscaler drifts(info_of("drifts", 2), [](const at::Tensor& batch, int scale) {
    return repeated(batch, scale).add(batch.size(0) > 1 ? 0.25 : 0);
  });
  EXPECT_NEAR(upscale(drifts, image, options).batch_difference, 0.25, 1e-6);  // float32
  EXPECT_EQ(upscale(drifts, image, {.tile = options.tile, .batch = 4}).batch_difference, -1) << "not asked";
}

TEST(TileBatches, NamesTheTileOfABatchThatIsNotFinite) {
  const FakeUpscaler network(info_of("broken", 2), [](const at::Tensor& batch, int scale) {
    at::Tensor result = repeated(batch, scale);
    if (batch.size(0) > 1) result[2][0][5][5] = std::numeric_limits<float>::quiet_NaN();
    return result;
  });
  const TileSettings tile{.tile = 16, .mode = TileMode::uniform};
  EXPECT_THAT([&] { upscale(network, random_image(16, 64), {.tile = tile, .batch = 4}); },
              ThrowsMessage<std::runtime_error>("broken: tile 3 of 4 (row 0, column 2) is not finite"));
}

TEST(TileBatches, AFunctionInThePlaceOfTheUpscalersMayReuseItsMemory) {
  const Image image = random_image(16, 64);
  for (const TileSettings& tile : {TileSettings{}, TileSettings{.tile = 16, .mode = TileMode::uniform}}) {
    at::Tensor memory;
    const BatchFunction forward = [&](const at::Tensor& batch) {
      if (!memory.defined() || memory.size(3) != 2 * batch.size(3))
        memory = at::empty_like(repeated(batch, 2));
      return memory.copy_(repeated(batch, 2));
    };
    const Image made = upscale(nearest(), image, {.scale = 2, .tile = tile, .forward = forward}).image;
    memory.fill_(-1);
    EXPECT_TRUE(at::equal(made, repeated(image.unsqueeze(0), 2)[0]));
  }
}

TEST(TileBatches, AreAsManyAsLaunchingCostsAndMemoryHolds) {
  constexpr double kPlenty = 1e12,
                   kPerPixel = 8704;  // RRDB x4: 64 channels, twice, at 1 + 16 times the pixels
  EXPECT_EQ(tiles_at_once(64 * 64, kPerPixel, kPlenty), 15);
  EXPECT_EQ(tiles_at_once(128 * 128, kPerPixel, kPlenty), 4);
  EXPECT_EQ(tiles_at_once(256 * 256, kPerPixel, kPlenty), 1);
  EXPECT_EQ(tiles_at_once(64 * 64, kPerPixel, 2 * 5.5 * 64 * 64 * kPerPixel), 5);
  EXPECT_EQ(tiles_at_once(64 * 64, kPerPixel, 0), 1);
  EXPECT_EQ(tiles_at_once(16 * 16, kPerPixel, kPlenty), 64);
}

}  // namespace
}  // namespace upbench
