#include "models/diffusion/networks/autoencoder_names.h"

#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/networks/autoencoder.h"
#include "tests/models/diffusion/networks/autoencoder_weights.h"

namespace upbench::test {
namespace {

AutoencoderShape as_ldm(AutoencoderShape shape) {
  shape.ldm = true;
  return shape;
}

// Of SD 1.5's published files: the single file's name below first_stage_model., the diffusers folder's.
TEST(AutoencoderNames, KnownPairsOfStableDiffusion15) {
  const NamedTensors ldm = hollow_autoencoder(as_ldm(kStableDiffusion15));
  const NamedTensors canonical = autoencoder_from_ldm(ldm);
  for (const auto& [from, to] :
       {std::pair{"decoder.up.3.block.0.norm1.weight", "decoder.up_blocks.0.resnets.0.norm1.weight"},
        {"decoder.up.0.block.2.conv2.bias", "decoder.up_blocks.3.resnets.2.conv2.bias"},
        {"decoder.up.1.block.0.nin_shortcut.weight", "decoder.up_blocks.2.resnets.0.conv_shortcut.weight"},
        {"decoder.up.2.upsample.conv.weight", "decoder.up_blocks.1.upsamplers.0.conv.weight"},
        {"decoder.norm_out.bias", "decoder.conv_norm_out.bias"},
        {"encoder.down.2.downsample.conv.weight", "encoder.down_blocks.2.downsamplers.0.conv.weight"},
        {"encoder.down.1.block.1.conv1.weight", "encoder.down_blocks.1.resnets.1.conv1.weight"},
        {"encoder.mid.block_2.norm2.bias", "encoder.mid_block.resnets.1.norm2.bias"},
        {"encoder.mid.attn_1.norm.weight", "encoder.mid_block.attentions.0.group_norm.weight"},
        {"decoder.mid.attn_1.proj_out.bias", "decoder.mid_block.attentions.0.to_out.0.bias"},
        {"encoder.conv_in.weight", "encoder.conv_in.weight"},
        {"quant_conv.weight", "quant_conv.weight"}}) {
    ASSERT_TRUE(ldm.contains(from)) << from;
    ASSERT_TRUE(canonical.contains(to)) << to;
    EXPECT_EQ(canonical.at(to).sizes(), ldm.at(from).sizes()) << from;
  }
  EXPECT_EQ(ldm.at("encoder.mid.attn_1.q.weight").sizes(), (std::vector<std::int64_t>{512, 512, 1, 1}));
  EXPECT_EQ(canonical.at("encoder.mid_block.attentions.0.to_q.weight").sizes(),
            (std::vector<std::int64_t>{512, 512}));
}

TEST(AutoencoderNames, EveryTensorOfStableDiffusion15HasExactlyOneName) {
  const NamedTensors canonical = autoencoder_from_ldm(hollow_autoencoder(as_ldm(kStableDiffusion15)));
  const NamedTensors expected = hollow_autoencoder(kStableDiffusion15);
  ASSERT_EQ(canonical.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(canonical.contains(name)) << name;
    EXPECT_EQ(canonical.at(name).sizes(), tensor.sizes()) << name;
  }
}

TEST(AutoencoderNames, CanonicalNamesStay) {
  const NamedTensors tensors = hollow_autoencoder(kStableDiffusion15), again = autoencoder_from_ldm(tensors);
  ASSERT_EQ(again.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(again.contains(name)) << name;
}

TEST(AutoencoderNames, NothingIsCopied) {
  const NamedTensors ldm = random_autoencoder(as_ldm(kSmall), 1), canonical = autoencoder_from_ldm(ldm);
  EXPECT_EQ(canonical.at("encoder.mid_block.attentions.0.to_q.weight").const_data_ptr(),
            ldm.at("encoder.mid.attn_1.q.weight").const_data_ptr());
  EXPECT_EQ(canonical.at("decoder.up_blocks.0.resnets.0.conv1.weight").const_data_ptr(),
            ldm.at("decoder.up.1.block.0.conv1.weight").const_data_ptr());
}

TEST(AutoencoderNames, BothLayoutsOfOneNetworkDecodeTheSameBits) {
  const c10::InferenceMode guard;
  // Drawn in the same order, and by the same fan in.
  const NamedTensors ldm = autoencoder_from_ldm(random_autoencoder(as_ldm(kSmall), 5)),
                     diffusers = random_autoencoder(kSmall, 5);
  const at::Tensor latents = at::randn({1, 4, 6, 5});
  EXPECT_TRUE(at::equal(make_autoencoder(autoencoder_facts(ldm), ldm)->decode(latents),
                        make_autoencoder(autoencoder_facts(diffusers), diffusers)->decode(latents)));
}

TEST(AutoencoderNames, AttentionOfOldDiffusersFiles) {
  NamedTensors old;
  for (const auto& [current, tensor] : hollow_autoencoder(kSmall)) {
    std::string name = current;
    for (const auto& [now, then] : {std::pair{".to_q.", ".query."},
                                    {".to_k.", ".key."},
                                    {".to_v.", ".value."},
                                    {".to_out.0.", ".proj_attn."}})
      if (const auto at = name.find(now); at != std::string::npos)
        name.replace(at, std::string_view(now).size(), then);
    old.emplace(name, tensor);
  }
  ASSERT_TRUE(old.contains("encoder.mid_block.attentions.0.proj_attn.weight"));
  EXPECT_EQ(autoencoder_facts(autoencoder_from_ldm(old)).channels, 4);
}

TEST(AutoencoderNames, LeftoversOfTrainingAreDropped) {
  NamedTensors ldm = hollow_autoencoder(as_ldm(kSmall));
  ldm["loss.logvar"] = ldm["model_ema.decay"] = at::zeros({});
  EXPECT_EQ(autoencoder_facts(autoencoder_from_ldm(ldm)).factor, 2);
}

TEST(AutoencoderNames, OneNameForTwoTensorsIsRefused) {
  NamedTensors both = hollow_autoencoder(kSmall);
  both["encoder.norm_out.weight"] = at::zeros({64});
  EXPECT_THAT([&] { autoencoder_from_ldm(both); },
              testing::ThrowsMessage<std::invalid_argument>(
                  testing::HasSubstr("two tensors are called encoder.conv_norm_out.weight")));
}

TEST(AutoencoderNames, StrangeNamesAreLeftToTheFactsToRefuse) {
  NamedTensors ldm = hollow_autoencoder(as_ldm(kSmall));
  ldm["decoder.up.99999999999999999999.block.0.conv1.weight"] = at::zeros({1});
  EXPECT_THAT([&] { autoencoder_facts(autoencoder_from_ldm(ldm)); },
              testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("1 unexpected: decoder.up")));
}

}  // namespace
}  // namespace upbench::test
