#include "models/networks/registry.h"

#include <ATen/ATen.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/imdn.h"
#include "models/networks/rfdn.h"
#include "models/networks/rrdb.h"
#include "models/networks/srvgg.h"
#include "tests/models/networks/random_network.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

NamedTensors small_rrdb() {
  return test::random_tensors(rrdb_layout({.features = 4, .growth = 2, .blocks = 1}, RrdbSpelling::basicsr),
                              1);
}

std::string refusal(const NamedTensors& tensors) {
  try {
    recognise(tensors);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "recognised";
}

TEST(Registry, AMissingTensorIsNamed) {
  NamedTensors tensors = small_rrdb();
  tensors.erase("conv_hr.bias");
  EXPECT_EQ(refusal(tensors),
            "looks like RRDBNet (body.0.rdb1.conv1.weight: dense blocks of 4 features, growth 2; 1 of them "
            "in threes; 2 upsamplers), but is not; 1 missing: "
            "conv_hr.bias");
}

TEST(Registry, AnUnusedTensorIsAnError) {
  NamedTensors tensors = small_rrdb();
  for (int i = 0; i < 7; ++i) tensors["extra." + std::to_string(i)] = at::zeros({1});
  EXPECT_THAT(
      refusal(tensors),
      testing::HasSubstr("but is not; 7 unexpected: extra.0, extra.1, extra.2, extra.3, extra.4, ..."));
}

TEST(Registry, AWrongShapeIsNamedWithTheExpectedOne) {
  NamedTensors tensors = small_rrdb();
  tensors["conv_hr.weight"] = at::zeros({4, 4, 1, 1});
  EXPECT_THAT(
      refusal(tensors),
      testing::HasSubstr("1 of another shape or type: conv_hr.weight [4, 4, 1, 1] expected [4, 4, 3, 3]"));
}

TEST(Registry, IntegersAreNoWeights) {
  NamedTensors tensors = small_rrdb();
  tensors["conv_hr.bias"] = at::zeros({4}, at::kInt);
  EXPECT_THAT(refusal(tensors), testing::HasSubstr("conv_hr.bias of Int expected a floating-point type"));
}

// Networks whose first convolution is called so: RRDBNet, whose shapes those are too, then PAN of 40
// features, which has the fewest tensors beside it.
TEST(Registry, AnUnknownNetworkNamesTheThreeNearestArchitecturesAndTheKeysThatDecided) {
  NamedTensors tensors{{"conv_first.weight", at::zeros({64, 3, 3, 3})},
                       {"conv_first.bias", at::zeros({64})},
                       {"attention", at::zeros({1})}};
  const std::string text = refusal(tensors);
  EXPECT_THAT(text, testing::StartsWith("unknown architecture; nearest: RRDBNet (2 of its 702 names; 700 "
                                        "missing: HRconv.bias, HRconv.weight, "));
  EXPECT_THAT(text, testing::ContainsRegex("; 1 unexpected: attention\\), PAN \\(2 of its 1.. names; 1.. "
                                           "missing: "));
  EXPECT_THAT(text,
              testing::HasSubstr("; 2 of another shape or type: conv_first.bias [64] expected [40], "
                                 "conv_first.weight [64, 3, 3, 3] expected [40, 3, 3, 3]), CRAFT (2 of "));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("HiT-SRF"))) << "the fourth";
}

TEST(Registry, OfTheSpellingsOfOneArchitectureTheNearestIsNamed) {
  NamedTensors tensors{{"HRconv.weight", at::zeros({64, 64, 3, 3})},
                       {"conv_hr.weight", at::zeros({64, 64, 3, 3})},
                       {"conv_hr.bias", at::zeros({64})}};
  const std::string text = refusal(tensors);
  EXPECT_THAT(text, testing::StartsWith("unknown architecture; nearest: RRDBNet (2 of its 702 names; 700 "
                                        "missing: body.0.rdb1.conv1.bias, "));
  EXPECT_THAT(text, testing::EndsWith("; 1 unexpected: HRconv.weight)")) << "the only one with such a name";
}

// Blocks of RFDN beside blocks of IMDN: both networks take the file, neither has these tensors.
TEST(Registry, AFileThatSeveralNetworksTakeNamesThemAll) {
  NamedTensors tensors = test::hollow_tensors(imdn_layout({}));
  for (const auto& [name, tensor] : test::hollow_tensors(rfdn_layout({}))) tensors.emplace(name, tensor);
  tensors["extra"] = at::zeros({1});
  const std::string text = refusal(tensors);
  EXPECT_THAT(
      text, testing::ContainsRegex("^looks like (IMDN|RFDN) \\(.*, but is not; .*; also like (IMDN|RFDN) "));
}

TEST(Registry, NothingInCommonListsTheKnownArchitectures) {
  EXPECT_EQ(refusal({{"a", at::zeros({1})}, {"b", at::zeros({1})}}),
            fmt::format("unknown architecture: no tensor is named as in {}; its 2 tensors begin with a, b",
                        fmt::join(architecture_names(), " or ")));
}

// Every checkpoint among the assets either is a network that is known here, or is refused with a reason.
TEST(Registry, EveryRealCheckpointIsTakenOrRefusedForAReason) {
  UPBENCH_NEEDS_ASSETS();
  int taken = 0, refused = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::assets() / "weights")) {
    if (!entry.is_regular_file()) continue;
    try {
      load_network(read_checkpoint(entry.path()));
      ++taken;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(),
                  testing::AnyOf(testing::HasSubstr("unknown architecture"), testing::HasSubstr("looks like"),
                                 testing::HasSubstr("is no checkpoint"), testing::HasSubstr("is a"),
                                 testing::HasSubstr("not allowed")))
          << entry.path();
      ++refused;
    }
  }
  EXPECT_GE(taken, 5);
  EXPECT_GE(refused, 20);
}

}  // namespace
}  // namespace upbench
