#include "models/diffusion/networks/unet.h"

#include <filesystem>
#include <stdexcept>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/networks/unet_layouts.h"
#include "tests/models/diffusion/peers/peer.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using test::below;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Single precision through a hundred layers, summed in another order.
constexpr double kTolerance = 1e-4;

at::Tensor optional(const NamedTensors& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? at::Tensor() : found->second;
}

UNetInput input_of(const NamedTensors& tensors) {
  return {.latents = tensors.at("latents"),
          .timesteps = tensors.at("timesteps"),
          .context = tensors.at("context"),
          .vector = optional(tensors, "vector"),
          .labels = optional(tensors, "labels")};
}

// A small network of kind SD 1 and an input for it.
struct Small {
  NamedTensors weights;
  UNetFacts facts;
  UNetInput input;
};

UNetFacts small_shape() {
  return {.in_channels = 4,
          .out_channels = 4,
          .channels = {32, 64},
          .blocks_per_level = 1,
          .transformer_depth = {1, 0},
          .middle_depth = 1,
          .context_width = 16,
          .heads = {8, 8},
          .context_only = {false, false}};
}

Small small() {
  const UNetFacts facts = unet_facts(test::meta_tensors(small_shape()));
  at::manual_seed(3);
  return {.weights = test::random_weights(facts.layout, 2),
          .facts = facts,
          .input = {.latents = at::randn({2, 4, 6, 6}),
                    .timesteps = at::tensor({3.5F, 700.0F}),
                    .context = at::randn({2, 5, 16})}};
}

TEST(UNet, GivesTheGoldenPrediction) {
  UPBENCH_NEEDS_ASSETS();
  const c10::InferenceMode no_gradients;
  const std::filesystem::path folder = test::assets() / "goldens/diffusion";
  const NamedTensors io = read_checkpoint(folder / "io.safetensors").tensors;
  NamedTensors weights = read_checkpoint(folder / "unet.safetensors").tensors;
  for (auto& [name, tensor] : weights) tensor = tensor.to(at::kFloat);
  const at::Tensor predicted =
      bind_unet(unet_facts(weights), weights)({.latents = io.at("unet.sample"),
                                               .timesteps = io.at("unet.timestep"),
                                               .context = io.at("text.last_hidden_state")});
  EXPECT_LE(test::relative_error(predicted, io.at("unet.noise_pred")), kTolerance);
}

TEST(UNet, EqualsDiffusersOnEveryConfiguration) {
  UPBENCH_NEEDS_PEERS("diffusers, safetensors");
  const c10::InferenceMode no_gradients;
  const NamedTensors& peer = test::run_peer("unet_peer");
  for (const std::string name : {"sd1", "sd2", "sdxl", "refiner", "upscaler", "inpainting", "odd-sizes",
                                 "long-context", "one-level"}) {
    SCOPED_TRACE(name);
    const NamedTensors tensors = below(peer, name + "/"), weights = below(tensors, "weights/");
    // Its heads are narrower than any published model's of linear projections.
    const std::vector<std::int64_t> heads =
        name == "long-context" ? std::vector<std::int64_t>{2, 4, 4} : std::vector<std::int64_t>{};
    const UNetFunction unet = bind_unet(unet_facts(weights, heads), weights);
    const double error = test::relative_error(unet(input_of(tensors)), tensors.at("output"));
    fmt::print("{}: {:.1e}\n", name, error);
    EXPECT_LE(error, kTolerance);
  }
}

TEST(UNet, TellsThePublishedModelsByTheirShapes) {
  for (const UNetFacts& expected : {test::stable_diffusion_1(), test::stable_diffusion_2(), test::sdxl_base(),
                                    test::sdxl_refiner(), test::x4_upscaler()}) {
    SCOPED_TRACE(fmt::format("{} channels, context {}", expected.channels[0], expected.context_width));
    const UNetFacts facts = unet_facts(test::meta_tensors(expected));
    EXPECT_EQ(facts.in_channels, expected.in_channels);
    EXPECT_EQ(facts.out_channels, expected.out_channels);
    EXPECT_EQ(facts.channels, expected.channels);
    EXPECT_EQ(facts.blocks_per_level, expected.blocks_per_level);
    EXPECT_EQ(facts.transformer_depth, expected.transformer_depth);
    EXPECT_EQ(facts.middle_depth, expected.middle_depth);
    EXPECT_EQ(facts.context_width, expected.context_width);
    EXPECT_EQ(facts.linear_projections, expected.linear_projections);
    EXPECT_EQ(facts.class_labels, expected.class_labels);
    EXPECT_EQ(facts.vector_width, expected.vector_width);
    EXPECT_EQ(facts.heads, expected.heads);
    EXPECT_EQ(facts.context_only, expected.context_only);
  }
}

// Published numbers of parameters; work as counted by dispatching the authors' code.
TEST(UNet, HasThePublishedParametersAndWork) {
  const NamedTensors sd1 = test::meta_tensors(test::stable_diffusion_1()),
                     sdxl = test::meta_tensors(test::sdxl_base());
  EXPECT_NEAR(test::parameters(sd1) / 1e6, 859.5, 0.05);
  EXPECT_NEAR(test::parameters(sdxl) / 1e6, 2567.5, 0.05);
  const UNetFacts facts = unet_facts(sd1);
  EXPECT_NEAR(facts.macs / 1e9, 401.6, 0.05);
  EXPECT_NEAR(unet_macs(facts, 80, 80) / 1e9, 680.5, 0.05);
  EXPECT_NEAR(unet_macs(facts, 128, 128) / 1e9, 2337, 0.5);
  EXPECT_NEAR(unet_macs(unet_facts(sdxl), 128, 128) / 1e9, 3380.6, 0.05);
}

TEST(UNet, TakesTheHeadsThatAreGiven) {
  const NamedTensors tensors = test::meta_tensors(test::stable_diffusion_2());
  EXPECT_THAT(unet_facts(tensors).heads, ElementsAre(5, 10, 20, 20));
  EXPECT_THAT(unet_facts(tensors, {8}).heads, ElementsAre(8, 8, 8, 8));
  EXPECT_THAT(unet_facts(tensors, {4, 8, 16, 16}).heads, ElementsAre(4, 8, 16, 16));
  EXPECT_THAT([&] { unet_facts(tensors, {7}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("320 channels cannot be shared by 7 heads")));
  EXPECT_THAT([&] { unet_facts(tensors, {8, 8}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("expected one or 4")));
}

TEST(UNet, NamesTensorsThatAreMissingUnexpectedOrMisshapen) {
  const NamedTensors whole = test::meta_tensors(small_shape());
  const auto refusal = [&](const auto& change, const std::string& said) {
    NamedTensors tensors = whole;
    change(tensors);
    EXPECT_THAT([&] { unet_facts(tensors); }, ThrowsMessage<std::invalid_argument>(HasSubstr(said)));
  };
  for (const auto& [name, tensor] : whole) {
    SCOPED_TRACE(name);
    NamedTensors tensors = whole;
    tensors.erase(name);
    // Without some of them less can be told than that one is missing.
    EXPECT_THROW(unet_facts(tensors), std::invalid_argument);
  }
  const std::string key = "up_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight";
  refusal([&](NamedTensors& tensors) { tensors.erase(key); }, "1 missing: " + key);
  refusal([&](NamedTensors& tensors) { tensors[key] = at::empty({32, 17}); },
          "1 of another shape or type: " + key + " [32, 17] expected [32, 16]");
  refusal([&](NamedTensors& tensors) { tensors[key] = at::empty({32, 16}, at::kLong); },
          key + " of Long expected a floating-point type");
  refusal([&](NamedTensors& tensors) { tensors["up_blocks.1.alpha"] = at::empty({1}); },
          "1 unexpected: up_blocks.1.alpha");
  refusal([&](NamedTensors& tensors) { tensors.clear(); }, "input channels (conv_in.weight) is 0");
  refusal([&](NamedTensors& tensors) { tensors["down_blocks.9999999.x"] = at::empty({1}); },
          "number of levels");
}

TEST(UNet, RefusesInputsOfOtherShapes) {
  const c10::InferenceMode no_gradients;
  const Small net = small();
  const UNetFunction unet = bind_unet(net.facts, net.weights);
  const auto refusal = [&](const auto& change, const std::string& said) {
    UNetInput input = net.input;
    change(input);
    EXPECT_THAT([&] { unet(input); }, ThrowsMessage<std::invalid_argument>(HasSubstr(said)));
  };
  refusal([](UNetInput& input) { input.latents = at::zeros({2, 9, 6, 6}); },
          "latents is [2, 9, 6, 6], expected [2, 4, 6, 6]");
  refusal([](UNetInput& input) { input.latents = at::zeros({2, 4, 0, 6}); }, "latents are empty");
  refusal([](UNetInput& input) { input.timesteps = at::zeros({1}); }, "timesteps is [1], expected [2]");
  refusal([](UNetInput& input) { input.context = at::zeros({2, 5, 768}); },
          "context is [2, 5, 768], expected [2, 5, 16]");
  refusal([](UNetInput& input) { input.context = at::Tensor(); }, "context is absent");
  refusal([](UNetInput& input) { input.vector = at::zeros({2, 8}); }, "takes none");
  refusal([](UNetInput& input) { input.labels = at::zeros({2}, at::kLong); }, "takes none");
  refusal([](UNetInput& input) { input.control = {at::zeros({1})}; },
          "1 residuals of a ControlNet, expected 5 of skips");
}

TEST(UNet, RefusesLabelsThatItsTableDoesNotHave) {
  const c10::InferenceMode no_gradients;
  UNetFacts shape = small_shape();
  shape.class_labels = 3;
  const UNetFacts facts = unet_facts(test::meta_tensors(shape));
  const UNetFunction unet = bind_unet(facts, test::random_weights(facts.layout, 2));
  UNetInput input = small().input;
  input.labels = at::tensor({0, 2}, at::kLong);
  EXPECT_NO_THROW(unet(input));
  for (const std::int64_t label : {-1, 3}) {
    input.labels = at::tensor({std::int64_t{0}, label}, at::kLong);
    EXPECT_THAT([&] { unet(input); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("labels are not all in 0..2")));
  }
  input.labels = at::Tensor();
  EXPECT_THAT([&] { unet(input); }, ThrowsMessage<std::invalid_argument>(HasSubstr("labels is absent")));
}

TEST(UNet, TreatsPicturesOfABatchApart) {
  const c10::InferenceMode no_gradients;
  const Small net = small();
  const UNetFunction unet = bind_unet(net.facts, net.weights);
  const at::Tensor both = unet(net.input);
  const at::Tensor second = unet({.latents = net.input.latents.narrow(0, 1, 1),
                                  .timesteps = net.input.timesteps.narrow(0, 1, 1),
                                  .context = net.input.context.narrow(0, 1, 1)});
  EXPECT_LE(test::relative_error(both.narrow(0, 1, 1), second), kTolerance);
  EXPECT_GT(test::relative_error(both.narrow(0, 0, 1), second), 0.1);
}

TEST(UNet, RunsInHalfPrecision) {
  const c10::InferenceMode no_gradients;
  const Small net = small();
  const at::Tensor exact = bind_unet(net.facts, net.weights)(net.input);
  for (const auto& [type, tolerance] : {std::pair{at::kHalf, 0.02}, {at::kBFloat16, 0.15}}) {
    NamedTensors weights;
    for (const auto& [name, tensor] : net.weights) weights.emplace(name, tensor.to(type));
    const at::Tensor half = bind_unet(net.facts, weights)(net.input);
    EXPECT_EQ(half.scalar_type(), type);
    // 11 and 8 bits of mantissa through some thirty layers.
    EXPECT_LE(test::relative_error(half, exact), tolerance);
  }
}

}  // namespace
}  // namespace upbench
