#include "models/blend.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/rrdb.h"
#include "models/networks/srvgg.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

LoadedNetwork network(const Layout& layout, std::uint64_t seed) {
  return load_network(
      {.format = "", .dialect = "plain", .tensors = test::random_tensors(layout, seed), .metadata = {}});
}

const Layout kSmall = srvgg_layout(4, 1, 2);

TEST(Blend, WeightsAreAveraged) {
  const LoadedNetwork a = network(kSmall, 1), b = network(kSmall, 2);
  const LoadedNetwork mixed = blend("m", {{"a", a, 0.25}, {"b", b, 0.75}});
  for (const auto& [name, tensor] : mixed.weights) {
    const at::Tensor expected =
        a.weights.at(name).to(at::kDouble) * 0.25 + b.weights.at(name).to(at::kDouble) * 0.75;
    EXPECT_TRUE(at::equal(tensor, expected.to(at::kFloat))) << name;
  }
  EXPECT_EQ(mixed.dialect, "0.25 x a (plain) + 0.75 x b (plain)");
}

TEST(Blend, AllOfOnePartIsThatPart) {
  const LoadedNetwork a = network(kSmall, 1), b = network(kSmall, 2);
  const LoadedNetwork mixed = blend("m", {{"a", a, 1.0}, {"b", b, 0.0}});
  for (const auto& [name, tensor] : mixed.weights) EXPECT_TRUE(at::equal(tensor, a.weights.at(name))) << name;
}

TEST(Blend, SpellingsOfOneArchitectureMix) {
  const RrdbShape shape{.features = 4, .growth = 2, .blocks = 1};
  const LoadedNetwork mixed =
      blend("m", {{"a", network(rrdb_layout(shape, RrdbSpelling::old_esrgan), 1), 0.5},
                  {"b", network(rrdb_layout(shape, RrdbSpelling::basicsr), 2), 0.5}});
  EXPECT_EQ(mixed.weights.count("body.0.rdb1.conv1.weight"), 1u);
}

TEST(Blend, WeightsArePartOfTheHash) {
  const LoadedNetwork a = network(kSmall, 1), b = network(kSmall, 2);
  EXPECT_NE(blend("m", {{"a", a, 0.5}, {"b", b, 0.5}}).hash,
            blend("m", {{"a", a, 0.25}, {"b", b, 0.75}}).hash);
}

TEST(Blend, PartsThatDoNotFitAreRefused) {
  const LoadedNetwork a = network(kSmall, 1);
  const auto refuses = [&](const LoadedNetwork& other, double weight, const char* message) {
    EXPECT_THAT([&] { blend("m", {{"a", a, 0.5}, {"b", other, weight}}); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr(message)));
  };
  refuses(network(kSmall, 2), 0.6, "its weights sum to 1.1, expected 1");
  refuses(network(srvgg_layout(5, 1, 2), 2), 0.5, "differ in shape, first at body.0.bias");
  refuses(network(srvgg_layout(4, 2, 2), 2), 0.5, "differ in shape");
  refuses(network(rrdb_layout({.features = 4, .growth = 2, .blocks = 1}, RrdbSpelling::basicsr), 2), 0.5,
          "'b' is RRDBNet, but 'a' is SRVGGNetCompact");
}

}  // namespace
}  // namespace upbench
