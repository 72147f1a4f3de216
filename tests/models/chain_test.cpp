#include "models/chain.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/interpolator.h"
#include "models/network_upscaler.h"
#include "models/networks/pan.h"
#include "models/networks/rrdb.h"
#include "models/networks/srvgg.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

UpscalerPtr network(const std::string& name, const Layout& layout, std::uint64_t seed = 1) {
  return make_network_upscaler(
      name,
      load_network(
          {.format = "", .dialect = "plain", .tensors = test::random_tensors(layout, seed), .metadata = {}}));
}

const Layout kUnshuffle =
    rrdb_layout({.features = 4, .growth = 2, .blocks = 1, .unshuffle = 4}, RrdbSpelling::basicsr);

TEST(Chain, AppliesItsPartsInOrderAndClampsBetweenThem) {
  const UpscalerPtr first = network("a", srvgg_layout(4, 1, 2), 1),
                    second = network("b", srvgg_layout(4, 1, 3), 2);
  const UpscalerPtr chain = make_chain("ab", {first, second});
  const at::Tensor batch = at::rand({1, 3, 5, 6}), middle = first->forward(batch, 2);
  ASSERT_LT(middle.min().item<float>(), 0);  // else nothing is there to clamp
  EXPECT_EQ(chain->info().scale, 6);
  EXPECT_TRUE(at::equal(chain->forward(batch, 6), second->forward(middle.clamp(0, 1), 3)));
}

TEST(Chain, FactsAreThoseOfTheWhole) {
  const UpscalerPtr twice = network("a", srvgg_layout(4, 1, 2)), cleaner = network("b", kUnshuffle);
  const UpscalerInfo chain = make_chain("c", {twice, cleaner})->info();
  EXPECT_EQ(chain.scale, 2);
  EXPECT_EQ(chain.size_multiple, 2);  // the second needs multiples of 4 of a picture that is twice as large
  EXPECT_EQ(chain.receptive_radius,
            twice->info().receptive_radius + (cleaner->info().receptive_radius + 1) / 2);
  EXPECT_EQ(chain.macs_per_pixel, twice->info().macs_per_pixel + 4 * cleaner->info().macs_per_pixel);
  EXPECT_EQ(chain.parameters, twice->info().parameters + cleaner->info().parameters);
  EXPECT_EQ(make_chain("d", {cleaner, twice})->info().size_multiple, 4);
}

TEST(Chain, OrderAndPartsDecideItsHash) {
  const UpscalerPtr a = network("a", srvgg_layout(4, 1, 2), 1), b = network("b", srvgg_layout(4, 1, 2), 2);
  EXPECT_NE(make_chain("x", {a, b})->info().tensor_hash, make_chain("x", {b, a})->info().tensor_hash);
  EXPECT_EQ(make_chain("x", {a, b})->info().tensor_hash, make_chain("y", {a, b})->info().tensor_hash);
}

TEST(Chain, PartsWithoutAScaleAreRefused) {
  EXPECT_THAT([] { make_chain("x", {network("a", srvgg_layout(4, 1, 2)), make_null_upscaler()}); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("'nearest' takes any scale, expected networks of one scale")));
  EXPECT_THAT(
      [] {
        make_chain("x", {network("a", srvgg_layout(4, 1, 2)), network("pan", pan_layout({.stages = 1}))});
      },
      testing::ThrowsMessage<std::invalid_argument>(
          testing::HasSubstr("'pan' has the scales 2, 3, expected networks of one scale")));
  EXPECT_THAT([] { make_chain("x", {network("a", srvgg_layout(4, 1, 2))}); },
              testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("has 1 parts")));
}

}  // namespace
}  // namespace upbench
