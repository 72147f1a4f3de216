#include "models/diffusion/networks/autoencoder.h"

#include <limits>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/models/diffusion/networks/autoencoder_weights.h"
#include "tests/models/diffusion/peers/peer.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Two ways to sum the same float32 numbers; the peer's own float64 differs from its float32 by 1e-6.
constexpr double kRelative = 1e-4;

struct PeerCase {
  const char* name;
  AutoencoderNorm norm = {};
};

class AutoencoderOfDiffusers : public testing::TestWithParam<PeerCase> {};

TEST_P(AutoencoderOfDiffusers, EncodesAndDecodesTheSame) {
  UPBENCH_NEEDS_PEERS("diffusers");
  const c10::InferenceMode guard;
  const NamedTensors expected = below(run_peer("autoencoder_peer"), std::string(GetParam().name) + "/");
  const NamedTensors weights = below(expected, "weights/");
  const auto coder = make_autoencoder(autoencoder_facts(weights, GetParam().norm), weights);
  const Posterior posterior = coder->encode(expected.at("picture"));
  EXPECT_LT(relative_error(posterior.mean, expected.at("mean")), kRelative);
  EXPECT_LT(relative_error(posterior.logvar, expected.at("logvar")), kRelative);
  EXPECT_LT(relative_error(coder->decode(expected.at("latents")), expected.at("decoded")), kRelative);
}

INSTANTIATE_TEST_SUITE_P(Configurations, AutoencoderOfDiffusers,
                         testing::Values(PeerCase{"quant"}, PeerCase{"no_quant_16"}, PeerCase{"one_level"},
                                         PeerCase{"no_attention"}, PeerCase{"groups_8", {.groups = 8}}),
                         [](const auto& test) { return test.param.name; });

TEST(Autoencoder, GoldenNumbersOfATinyStableDiffusion) {
  UPBENCH_NEEDS_ASSETS();
  const c10::InferenceMode guard;
  const auto golden = assets() / "goldens/diffusion";
  const NamedTensors io = read_checkpoint(golden / "io.safetensors").tensors;
  NamedTensors weights;
  for (const auto& [name, tensor] : read_checkpoint(golden / "vae.safetensors").tensors)
    weights.emplace(name, tensor.to(at::kFloat));
  const AutoencoderFacts facts = autoencoder_facts(weights);
  EXPECT_EQ(facts.encoder->channels, (std::vector<std::int64_t>{64, 32}));
  EXPECT_EQ(facts.encoder->blocks, 1);
  EXPECT_EQ(facts.decoder->blocks, 2);
  const auto coder = make_autoencoder(facts, weights);
  EXPECT_EQ(coder->channels(), 4);
  EXPECT_EQ(coder->factor(), 2);
  const Posterior posterior = coder->encode(io.at("vae.image"));
  EXPECT_LT(relative_error(posterior.mean, io.at("vae.mean")), kRelative);
  EXPECT_LT(relative_error(posterior.logvar, io.at("vae.logvar")), kRelative);
  EXPECT_LT(relative_error(coder->decode(posterior.mean), io.at("vae.decoded")), kRelative);
}

TEST(Autoencoder, FactsOfTheUpscalersComeFromShapes) {
  const AutoencoderFacts facts = autoencoder_facts(
      hollow_autoencoder({.channels = {128, 256, 512}, .blocks = 2, .latents = 4, .latent_convs = true}));
  EXPECT_EQ(facts.factor, 4);
  EXPECT_EQ(facts.channels, 4);
  EXPECT_TRUE(facts.encoder->has_attention);
  EXPECT_TRUE(facts.encoder->has_latent_conv);
}

TEST(Autoencoder, FactsOfSixteenChannelsWithoutQuantConvs) {
  const AutoencoderFacts facts = autoencoder_facts(hollow_autoencoder(
      {.channels = {128, 256, 512, 512}, .blocks = 2, .latents = 16, .latent_convs = false}));
  EXPECT_EQ(facts.factor, 8);
  EXPECT_EQ(facts.channels, 16);
  EXPECT_FALSE(facts.decoder->has_latent_conv);
}

// performance.md of the project's references: exact counts of SD 1.5's autoencoder.
TEST(Autoencoder, WorkOfStableDiffusion15) {
  const AutoencoderFacts facts = autoencoder_facts(hollow_autoencoder(kStableDiffusion15));
  EXPECT_NEAR(encode_macs(facts, 512, 512) / 1e9, 558, 0.5);  // stated in whole GMAC
  EXPECT_NEAR(decode_macs(facts, 512, 512) / 1e9, 1257, 0.5);
  EXPECT_NEAR(decode_macs(facts, 1024, 1024) / 1e9, 5235, 0.5);
  double parameters = 0;
  for (const auto& [name, expected] : facts.layout) {
    double count = 1;
    for (const std::int64_t size : expected.shape) count *= static_cast<double>(size);
    parameters += count;
  }
  EXPECT_EQ(parameters, 83'653'863);  // AutoencoderKL of SD 1.5 counts its parameters so
}

TEST(Autoencoder, AHalfAloneServesAndRefusesTheOther) {
  const c10::InferenceMode guard;
  const NamedTensors whole = random_autoencoder(kSmall, 1);
  NamedTensors encoder, decoder;
  for (const auto& [name, tensor] : whole)
    (name.starts_with("encoder.") || name.starts_with("quant_conv.") ? encoder : decoder)
        .emplace(name, tensor);
  const auto coder = make_autoencoder(autoencoder_facts(encoder), encoder);
  EXPECT_FALSE(coder->has_decoder());
  EXPECT_EQ(coder->encode(at::zeros({1, 3, 8, 8})).mean.sizes(), (std::vector<std::int64_t>{1, 4, 4, 4}));
  EXPECT_THAT([&] { coder->decode(at::zeros({1, 4, 4, 4})); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("holds an encoder alone")));
  const auto decodes = make_autoencoder(autoencoder_facts(decoder), decoder);
  EXPECT_EQ(decodes->decode(at::zeros({1, 4, 4, 4})).sizes(), (std::vector<std::int64_t>{1, 3, 8, 8}));
  EXPECT_THAT([&] { decodes->encode(at::zeros({1, 3, 8, 8})); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("holds a decoder alone")));
}

TEST(Autoencoder, RefusesOtherShapesThanItTakes) {
  const NamedTensors weights = random_autoencoder(kSmall, 1);
  const auto coder = make_autoencoder(autoencoder_facts(weights), weights);
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{1, 3, 9, 8}, {1, 3, 8, 7}, {1, 4, 8, 8}, {3, 8, 8}, {1, 3, 0, 8}})
    EXPECT_THAT(
        [&] { coder->encode(at::zeros(shape)); },
        ThrowsMessage<std::invalid_argument>(HasSubstr("expected [N, 3, H, W] with H and W multiples of 2")));
  for (const std::vector<std::int64_t>& shape :
       {std::vector<std::int64_t>{1, 3, 4, 4}, {4, 4, 4}, {1, 4, 0, 4}})
    EXPECT_THAT([&] { coder->decode(at::zeros(shape)); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("expected [N, 4, h, w]")));
}

TEST(Autoencoder, NamesMissingUnexpectedAndMisshapenTensors) {
  NamedTensors tensors = hollow_autoencoder(kStableDiffusion15);
  tensors.erase("encoder.down_blocks.1.resnets.0.conv_shortcut.weight");
  tensors["quantize.embedding.weight"] = at::zeros({4, 4});
  tensors["decoder.conv_out.weight"] = at::zeros({1, 128, 3, 3});
  EXPECT_THAT([&] { autoencoder_facts(tensors); },
              ThrowsMessage<std::invalid_argument>(
                  AllOf(HasSubstr("1 missing: encoder.down_blocks.1.resnets.0.conv_shortcut.weight"),
                        HasSubstr("1 unexpected: quantize.embedding.weight"),
                        HasSubstr("decoder.conv_out.weight [1, 128, 3, 3] expected [3, 128, 3, 3]"))));
}

TEST(Autoencoder, RefusesWhatItsShapesMakeImpossible) {
  const auto refused = [](const char* name, const at::Tensor& tensor, const char* why) {
    NamedTensors tensors = hollow_autoencoder(kSmall);
    tensors[name] = tensor;
    EXPECT_THAT([&] { autoencoder_facts(tensors); }, ThrowsMessage<std::invalid_argument>(HasSubstr(why)));
  };
  refused("quant_conv.weight", at::zeros({7, 8, 1, 1}), "expected an even number");
  refused("quant_conv.weight", at::zeros({12, 8, 1, 1}), "but the decoder takes 4");
  refused("encoder.down_blocks.0.resnets.0.conv1.weight", at::zeros({40, 64, 3, 3}),
          "expected a multiple of the 32 groups");
  refused("encoder.down_blocks.0.resnets.0.conv1.weight", at::zeros({1}), "expected 1 to");
  refused("encoder.down_blocks.999999.resnets.0.conv1.weight", at::zeros({1}), "is 1000000, expected 1 to 8");
  EXPECT_THAT([] { autoencoder_facts({{"conv_in.weight", at::zeros({1})}}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no tensor is named")));
}

TEST(Autoencoder, LogarithmsOfVariancesAreClamped) {
  const Posterior posterior = posterior_of(at::tensor({7.0, -100.0, 100.0, 1.0}).reshape({1, 2, 1, 2}), 1);
  EXPECT_TRUE(at::equal(posterior.mean.flatten(), at::tensor({7.0, -100.0})));
  EXPECT_TRUE(at::equal(posterior.logvar.flatten(), at::tensor({20.0, 1.0})));
  EXPECT_TRUE(
      at::equal(posterior_of(at::full({1, 2, 1, 1}, -50.0), 1).logvar.flatten(), at::tensor({-30.0f})));
}

TEST(Autoencoder, DrawsFromThePosteriorAreMeanPlusDeviationTimesNoise) {
  const Posterior posterior{.mean = at::full({1, 1, 1, 1}, 2.0),
                            .logvar = at::full({1, 1, 1, 1}, std::log(9.0))};
  EXPECT_EQ(drawn_from(posterior).item<float>(), 2);
  EXPECT_FLOAT_EQ(drawn_from(posterior, at::full({1, 1, 1, 1}, -1.5)).item<float>(), 2 - 3 * 1.5f);
  EXPECT_EQ(drawn_from({.mean = posterior.mean, .logvar = {}}, at::ones({1, 1, 1, 1})).item<float>(), 2);
}

TEST(Autoencoder, HalfPrecisionStaysNearFloat32) {
  const c10::InferenceMode guard;
  const NamedTensors weights = random_autoencoder(kSmall, 3);
  const AutoencoderFacts facts = autoencoder_facts(weights);
  const at::Tensor picture = at::rand({1, 3, 16, 24}) * 2 - 1;
  const auto whole = make_autoencoder(facts, weights);
  // Rounding errors of 20 layers: a few units of the type's 2^-8 and 2^-11.
  for (const auto& [dtype, tolerance] : {std::pair{at::kBFloat16, 0.05}, {at::kHalf, 0.01}}) {
    const auto coder = make_autoencoder(facts, cast(weights, dtype));
    const at::Tensor mean = coder->encode(picture).mean, decoded = coder->decode(mean);
    EXPECT_EQ(mean.scalar_type(), dtype);
    EXPECT_LT(relative_error(mean, whole->encode(picture).mean), tolerance);
    EXPECT_LT(relative_error(decoded, whole->decode(mean)), tolerance);
  }
}

TEST(Autoencoder, OverflowInHalfPrecisionIsSeen) {
  const c10::InferenceMode guard;
  NamedTensors weights = random_autoencoder(kSmall, 4);
  weights["decoder.conv_in.weight"] = weights["decoder.conv_in.weight"] * 1e6;  // float16 ends at 65504
  const AutoencoderFacts facts = autoencoder_facts(weights);
  const at::Tensor latents = at::randn({1, 4, 4, 4});
  EXPECT_FALSE(has_non_finite(make_autoencoder(facts, weights)->decode(latents)));
  EXPECT_TRUE(has_non_finite(make_autoencoder(facts, cast(weights, at::kHalf))->decode(latents)));
}

TEST(Autoencoder, NonFiniteNumbersAreFoundAmongTheLargest) {
  at::Tensor x = at::full({2, 50}, std::numeric_limits<float>::max());
  EXPECT_FALSE(has_non_finite(x));
  EXPECT_FALSE(has_non_finite(at::full({100}, 65504).to(at::kHalf)));
  x[1][7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(has_non_finite(x));
  x[1][7] = -std::numeric_limits<float>::infinity();
  EXPECT_TRUE(has_non_finite(x));
}

}  // namespace
}  // namespace upbench::test
