#include "models/diffusion/networks/tiny_autoencoder.h"

#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "models/checkpoint/checkpoint.h"
#include "tests/models/diffusion/networks/autoencoder_weights.h"
#include "tests/models/diffusion/peers/peer.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

NamedTensors taef2() {
  NamedTensors both;
  for (const char* half : {"encoder", "decoder"})
    both.merge(tiny_autoencoder_names(
        read_checkpoint(assets() / "weights/autoencoder" / (std::string("taef2_") + half + ".pth")).tensors));
  return both;
}

class TinyAutoencoderOfDiffusers : public testing::TestWithParam<const char*> {};

TEST_P(TinyAutoencoderOfDiffusers, EncodesAndDecodesTheSame) {
  UPBENCH_NEEDS_PEERS("diffusers");
  const c10::InferenceMode guard;
  const NamedTensors expected = below(run_peer("autoencoder_peer"), std::string(GetParam()) + "/");
  const NamedTensors weights = below(expected, "weights/");
  const auto coder = make_tiny_autoencoder(tiny_autoencoder_facts(weights), weights);
  const Posterior posterior = coder->encode(expected.at("picture"));
  EXPECT_FALSE(posterior.logvar.defined());
  EXPECT_TRUE(coder->has_model_latents());
  // Two ways to sum the same float32 numbers.
  EXPECT_LT(relative_error(posterior.mean, expected.at("mean")), 1e-4);
  EXPECT_LT(relative_error(coder->decode(expected.at("latents")), expected.at("decoded")), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Configurations, TinyAutoencoderOfDiffusers, testing::Values("tiny_4", "tiny_16"),
                         [](const auto& test) { return test.param; });

// [1, 3, 192, 192] of a photo's middle, in [0, 1].
at::Tensor photo(const char* name) {
  constexpr std::int64_t kSide = 192;
  const Image whole = to_image(decode_file(assets() / "images" / name));
  return whole.narrow(1, (whole.size(1) - kSide) / 2, kSide)
      .narrow(2, (whole.size(2) - kSide) / 2, kSide)
      .unsqueeze(0);
}

double round_trip_psnr(const PictureCoder& coder, const at::Tensor& picture) {
  const at::Tensor decoded = (coder.decode(coder.encode(picture * 2 - 1).mean).to(at::kFloat) + 1) / 2;
  return -10 * std::log10((decoded.clamp(0, 1) - picture).square().mean().item<double>());
}

// As a few lines of PyTorch 2.11 have it. With 8 groups in the middle blocks' norms it would be 34.0 and 29.8
// dB, without their branch 16.
TEST(TinyAutoencoder, Taef2RoundTripOfPhotos) {
  UPBENCH_NEEDS_ASSETS();
  const c10::InferenceMode guard;
  const NamedTensors weights = cast(taef2(), at::kFloat);
  const TinyAutoencoderFacts facts = tiny_autoencoder_facts(weights);
  EXPECT_EQ(facts.channels, 32);
  EXPECT_EQ(facts.factor, 8);
  const auto coder = make_tiny_autoencoder(facts, weights),
             narrow = make_tiny_autoencoder(facts, cast(weights, at::kBFloat16));
  for (const auto& [name, expected] :
       {std::pair{"Set5/HR/baby.png", 34.785}, {"Set5/HR/woman.png", 33.082}}) {
    const at::Tensor picture = photo(name);
    EXPECT_NEAR(round_trip_psnr(*coder, picture), expected, 0.002) << name;  // float32, and the digits above
    EXPECT_NEAR(round_trip_psnr(*narrow, picture), expected, 1) << name;  // 8 bits of mantissa in 40 layers
  }
}

TEST(TinyAutoencoder, OneHalfAloneServes) {
  UPBENCH_NEEDS_ASSETS();
  const c10::InferenceMode guard;
  const NamedTensors decoder = cast(
      tiny_autoencoder_names(read_checkpoint(assets() / "weights/autoencoder/taef2_decoder.pth").tensors),
      at::kFloat);
  const auto coder = make_tiny_autoencoder(tiny_autoencoder_facts(decoder), decoder);
  EXPECT_EQ(coder->decode(at::zeros({1, 32, 2, 3})).sizes(), (std::vector<std::int64_t>{1, 3, 16, 24}));
  EXPECT_THAT([&] { coder->encode(at::zeros({1, 3, 8, 8})); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("holds a decoder alone")));
}

TEST(TinyAutoencoder, NamesOfAuthorsBecomeThoseOfDiffusers) {
  const at::Tensor one = at::zeros({1});
  const NamedTensors encoder = tiny_autoencoder_names({{"0.weight", one}, {"1.conv.0.bias", one}});
  EXPECT_TRUE(encoder.contains("encoder.layers.0.weight"));
  EXPECT_TRUE(encoder.contains("encoder.layers.1.conv.0.bias"));
  // The decoder's first layer is a clamp, which diffusers does not count.
  const NamedTensors decoder = tiny_autoencoder_names({{"1.weight", one}, {"19.bias", one}});
  EXPECT_TRUE(decoder.contains("decoder.layers.0.weight"));
  EXPECT_TRUE(decoder.contains("decoder.layers.18.bias"));
  EXPECT_TRUE(tiny_autoencoder_names(encoder).contains("encoder.layers.0.weight"));
}

TEST(TinyAutoencoder, NamesWhatIsWrong) {
  UPBENCH_NEEDS_ASSETS();
  const auto refused = [](const auto& change, const char* why) {
    NamedTensors tensors = taef2();
    change(tensors);
    EXPECT_THAT([&] { tiny_autoencoder_facts(tensors); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(why)));
  };
  refused([](NamedTensors& t) { t.erase("encoder.layers.1.conv.2.bias"); },
          "1 missing: encoder.layers.1.conv.2.bias");
  refused([](NamedTensors& t) { t["decoder.layers.3.what"] = at::zeros({1}); },
          "1 unexpected: decoder.layers.3.what");
  refused([](NamedTensors& t) { t["decoder.layers.18.weight"] = at::zeros({4, 64, 3, 3}); },
          "gives 4 channels, expected 3");
  refused([](NamedTensors& t) { t["encoder.layers.2.weight"] = at::zeros({64, 32, 3, 3}); },
          "takes 32 channels, but gets 64");
  refused([](NamedTensors& t) { t["encoder.layers.14.weight"] = at::zeros({16, 64, 3, 3}); },
          "the decoder takes 32");
  refused([](NamedTensors& t) { t["encoder.layers.11.pool.0.weight"] = at::zeros({6, 64, 1, 1}); },
          "expected a multiple of the 4 groups");
  refused([](NamedTensors& t) { t["encoder.layers.100000.weight"] = at::zeros({6}); },
          "layers, expected up to");
  refused([](NamedTensors& t) { t = {{"conv_in.weight", at::zeros({1})}}; }, "no tensor is named");
}

}  // namespace
}  // namespace upbench::test
