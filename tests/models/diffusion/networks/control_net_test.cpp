#include "models/diffusion/networks/control_net.h"

#include <stdexcept>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/networks/unet_names.h"
#include "tests/models/diffusion/networks/unet_layouts.h"
#include "tests/models/diffusion/peers/peer.h"

namespace upbench {
namespace {

using test::below;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Single precision through some fifty layers, summed in another order.
constexpr double kTolerance = 1e-4;

struct Case {
  NamedTensors tensors, weights, unet;
  ControlNetFacts facts;
  UNetInput input;
};

Case peer_case(const std::string& name) {
  Case made{.tensors = below(test::run_peer("unet_peer"), name + "/")};
  made.weights = below(made.tensors, "weights/");
  made.unet = below(made.tensors, "unet/");
  made.facts = control_net_facts(made.weights);
  made.input = {.latents = made.tensors.at("latents"),
                .timesteps = made.tensors.at("timesteps"),
                .context = made.tensors.at("context")};
  return made;
}

void expect_peer_residuals(const Case& made) {
  const std::vector<at::Tensor> residuals =
      bind_control_net(made.facts, made.weights)(made.input, made.tensors.at("hint"));
  const NamedTensors expected = below(made.tensors, "residual.");
  ASSERT_EQ(residuals.size(), expected.size());
  double worst = 0;
  for (std::size_t k = 0; k < residuals.size(); ++k)
    worst = std::max(worst, test::relative_error(residuals[k], expected.at(fmt::format("{:02}", k))));
  EXPECT_LE(worst, kTolerance);

  UNetInput input = made.input;
  input.control = residuals;
  const UNetFunction unet = bind_unet(unet_facts(made.unet), made.unet);
  const double error = test::relative_error(unet(input), made.tensors.at("output"));
  fmt::print("residuals: {:.1e}, UNet with them: {:.1e}\n", worst, error);
  EXPECT_LE(error, kTolerance);
  // Without them the UNet gives something else.
  const at::Tensor& steered = made.tensors.at("output");
  EXPECT_GT((unet(made.input) - steered).abs().max().item<double>(),
            0.05 * steered.abs().max().item<double>());
}

TEST(ControlNet, EqualsDiffusersAndSoDoesTheUNetThatItSteers) {
  UPBENCH_NEEDS_PEERS("diffusers, safetensors");
  const c10::InferenceMode no_gradients;
  for (const std::string name : {"control-sd1", "control-odd"}) {
    SCOPED_TRACE(name);
    const Case made = peer_case(name);
    expect_peer_residuals(made);
    EXPECT_EQ(control_net_mismatch(made.facts, unet_facts(made.unet)), "");

    UNetInput input = made.input;
    EXPECT_THAT([&] { bind_control_net(made.facts, made.weights)(input, at::zeros({2, 3, 8, 8})); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("the hint is [2, 3, 8, 8], expected [")));
  }
}

// The trunk of a published model with the hint's convolutions and the convolutions that begin as zeros.
NamedTensors published_control_net() {
  NamedTensors tensors = test::meta_tensors(test::stable_diffusion_1());
  std::erase_if(tensors, [](const auto& entry) {
    return entry.first.starts_with("up_blocks.") || entry.first.starts_with("conv_norm_out.") ||
           entry.first.starts_with("conv_out.");
  });
  const auto add = [&](const std::string& name, std::int64_t outputs, std::int64_t inputs,
                       std::int64_t kernel) {
    tensors[name + ".weight"] = at::empty({outputs, inputs, kernel, kernel}, at::TensorOptions(at::kMeta));
    tensors[name + ".bias"] = at::empty({outputs}, at::TensorOptions(at::kMeta));
  };
  const std::string hint = "controlnet_cond_embedding.";
  add(hint + "conv_in", 16, 3, 3);
  int block = 0;
  for (const auto& [outputs, inputs] : {std::pair{16, 16}, {32, 16}, {32, 32}, {96, 32}, {96, 96}, {256, 96}})
    add(fmt::format("{}blocks.{}", hint, block++), outputs, inputs, 3);
  add(hint + "conv_out", 320, 256, 3);
  int residual = 0;
  for (const int channels : {320, 320, 320, 320, 640, 640, 640, 1280, 1280, 1280, 1280, 1280})
    add(fmt::format("controlnet_down_blocks.{}", residual++), channels, channels, 1);
  add("controlnet_mid_block", 1280, 1280, 1);
  return tensors;
}

TEST(ControlNet, OfStableDiffusion1HasThePublishedParameters) {
  const NamedTensors tensors = published_control_net();
  const ControlNetFacts facts = control_net_facts(tensors);
  EXPECT_NEAR(test::parameters(tensors) / 1e6, 361.3, 0.05);
  EXPECT_EQ(facts.hint_channels, (std::vector<std::int64_t>{16, 32, 96, 256}));
  EXPECT_GT(facts.macs, 1e11);
}

TEST(ControlNet, SaysWhyItDoesNotFitAUNet) {
  const ControlNetFacts facts = control_net_facts(published_control_net());
  const auto mismatch = [&](const UNetFacts& shape) {
    return control_net_mismatch(facts, unet_facts(test::meta_tensors(shape)));
  };
  EXPECT_EQ(mismatch(test::stable_diffusion_1()), "");
  EXPECT_EQ(mismatch(test::stable_diffusion_2()), "its context is 768 wide, that of the UNet 1024");
  EXPECT_EQ(mismatch(test::sdxl_base()), "its context is 768 wide, that of the UNet 2048");
}

TEST(ControlNet, NamesWhatIsMissingOrUnexpected) {
  NamedTensors tensors = published_control_net();
  tensors.erase("controlnet_mid_block.bias");
  EXPECT_THAT([&] { control_net_facts(tensors); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("1 missing: controlnet_mid_block.bias")));
  tensors = published_control_net();
  tensors["conv_out.weight"] = at::empty({4, 320, 3, 3}, at::TensorOptions(at::kMeta));
  EXPECT_THAT([&] { control_net_facts(tensors); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("1 unexpected: conv_out.weight")));
}

TEST(ControlNetNames, AreThoseOfTheAuthorsFiles) {
  const NamedTensors tensors = published_control_net();
  const std::map<std::string, std::string> names = ldm_control_net_names(control_net_facts(tensors));
  EXPECT_EQ(names.at("controlnet_cond_embedding.conv_in.weight"), "input_hint_block.0.weight");
  EXPECT_EQ(names.at("controlnet_cond_embedding.blocks.5.bias"), "input_hint_block.12.bias");
  EXPECT_EQ(names.at("controlnet_cond_embedding.conv_out.weight"), "input_hint_block.14.weight");
  EXPECT_EQ(names.at("controlnet_down_blocks.11.weight"), "zero_convs.11.0.weight");
  EXPECT_EQ(names.at("controlnet_mid_block.bias"), "middle_block_out.0.bias");
  EXPECT_EQ(names.at("down_blocks.3.resnets.1.conv2.weight"), "input_blocks.11.0.out_layers.3.weight");

  NamedTensors ldm;
  for (const auto& [own, theirs] : names) ldm.emplace(theirs, tensors.at(own));
  const NamedTensors back = control_net_from_ldm(ldm);
  ASSERT_EQ(back.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(back.at(name).is_same(tensor)) << name;
}

}  // namespace
}  // namespace upbench
