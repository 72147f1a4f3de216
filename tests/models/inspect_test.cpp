#include "models/inspect.h"

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/networks/srvgg.h"
#include "tests/models/networks/random_network.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

TEST(Inspect, SaysWhatAFileIsAndWhy) {
  test::TemporaryFolder folder;
  NamedTensors tensors = test::random_tensors(srvgg_layout(4, 1, 2), 1);
  tensors["body.0.bias"] = at::full({4}, std::nan(""), at::kHalf);
  write_safetensors(folder / "net.safetensors", tensors, {{"made", "by a test"}});
  const nlohmann::json facts = inspect_checkpoint(folder / "net.safetensors");
  EXPECT_EQ(facts["format"], "safetensors");
  EXPECT_EQ(facts["architecture"], "SRVGGNetCompact");
  EXPECT_EQ(facts["recognised_by"],
            "body.N.weight alternates 3x3 convolutions and PReLU slopes; body.4 gives 12 channels = 3 x 2^2");
  EXPECT_EQ(facts["scale"], 2);
  EXPECT_EQ(facts["hyper_parameters"],
            (nlohmann::json{{"features", "4"}, {"convolutions", "1"}, {"activation", "prelu"}}));
  EXPECT_EQ(facts["tensors"], tensors.size());
  EXPECT_EQ(facts["dtypes"], (nlohmann::json{{"F16", 1}, {"F32", 7}}));
  EXPECT_EQ(facts["non_finite_values"], 4);
  EXPECT_EQ(facts["metadata"]["made"], "by a test");
  EXPECT_EQ(facts["tensor_hash"], tensor_hash(tensors).hex());
  EXPECT_EQ(facts["bytes"], std::filesystem::file_size(folder / "net.safetensors"));
}

TEST(Inspect, AnUnknownArchitectureIsDescribedAllTheSame) {
  test::TemporaryFolder folder;
  write_safetensors(folder / "other.safetensors", {{"a", at::zeros({2, 3})}});
  const nlohmann::json facts = inspect_checkpoint(folder / "other.safetensors");
  EXPECT_TRUE(facts["architecture"].is_null());
  EXPECT_EQ(facts["parameters"], 6);
  EXPECT_TRUE(facts["problem"].get<std::string>().starts_with("unknown architecture"));
}

TEST(Inspect, TheHeaderListsTheTensors) {
  test::TemporaryFolder folder;
  write_safetensors(folder / "net.safetensors", test::random_tensors(srvgg_layout(4, 1, 2), 1));
  const nlohmann::json facts =
      inspect_checkpoint(folder / "net.safetensors", {.param_key = "", .header_only = true});
  EXPECT_EQ(facts["tensors"], 8);
  EXPECT_EQ(facts["parameters"], inspect_checkpoint(folder / "net.safetensors")["parameters"]);
  EXPECT_EQ(facts["listing"]["body.0.weight"], "F32 [4, 3, 3, 3]");
  EXPECT_FALSE(facts.contains("tensor_hash"));
  EXPECT_FALSE(facts.contains("non_finite_values"));
}

TEST(Inspect, WarnsOfValuesThatAreNotFinite) {
  test::TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {{"a", at::full({2}, std::nan(""))}, {"b", at::zeros({3})}});
  EXPECT_THAT(inspect_checkpoint(folder / "a.safetensors")["warning"].get<std::string>(),
              testing::StartsWith("2 of 5 values are NaN or infinite"));
}

TEST(Inspect, RefusesWhatIsNoCheckpoint) {
  EXPECT_THROW(inspect_checkpoint("/nowhere/at-all.pth"), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
