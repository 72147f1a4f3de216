#include "models/diffusion/networks/unet_names.h"

#include <set>
#include <stdexcept>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/networks/unet_layouts.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using Names = std::vector<std::pair<std::string, std::string>>;  // canonical, LDM

void expect_names(const UNetFacts& shape, const Names& expected) {
  const std::map<std::string, std::string> names = ldm_unet_names(unet_facts(test::meta_tensors(shape)));
  for (const auto& [own, theirs] : expected) {
    const auto found = names.find(own);
    ASSERT_NE(found, names.end()) << own;
    EXPECT_EQ(found->second, theirs);
  }
}

// As they stand in the files: v1-5-pruned-emaonly and the converted folder.
TEST(UNetNames, OfStableDiffusion1) {
  expect_names(test::stable_diffusion_1(),
               {{"conv_in.weight", "input_blocks.0.0.weight"},
                {"time_embedding.linear_1.weight", "time_embed.0.weight"},
                {"time_embedding.linear_2.bias", "time_embed.2.bias"},
                {"down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight",
                 "input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"},
                {"down_blocks.0.downsamplers.0.conv.weight", "input_blocks.3.0.op.weight"},
                {"down_blocks.1.resnets.0.conv_shortcut.weight", "input_blocks.4.0.skip_connection.weight"},
                {"down_blocks.1.resnets.1.norm1.weight", "input_blocks.5.0.in_layers.0.weight"},
                {"down_blocks.2.attentions.1.proj_in.weight", "input_blocks.8.1.proj_in.weight"},
                {"down_blocks.2.downsamplers.0.conv.bias", "input_blocks.9.0.op.bias"},
                {"down_blocks.3.resnets.1.time_emb_proj.weight", "input_blocks.11.0.emb_layers.1.weight"},
                {"mid_block.resnets.0.conv1.weight", "middle_block.0.in_layers.2.weight"},
                {"mid_block.attentions.0.norm.weight", "middle_block.1.norm.weight"},
                {"mid_block.resnets.1.norm2.bias", "middle_block.2.out_layers.0.bias"},
                {"up_blocks.0.resnets.2.conv1.weight", "output_blocks.2.0.in_layers.2.weight"},
                {"up_blocks.0.upsamplers.0.conv.weight", "output_blocks.2.1.conv.weight"},
                {"up_blocks.1.attentions.2.proj_out.bias", "output_blocks.5.1.proj_out.bias"},
                {"up_blocks.1.upsamplers.0.conv.weight", "output_blocks.5.2.conv.weight"},
                {"up_blocks.2.upsamplers.0.conv.bias", "output_blocks.8.2.conv.bias"},
                {"up_blocks.3.attentions.2.transformer_blocks.0.ff.net.0.proj.weight",
                 "output_blocks.11.1.transformer_blocks.0.ff.net.0.proj.weight"},
                {"conv_norm_out.weight", "out.0.weight"},
                {"conv_out.bias", "out.2.bias"}});
}

TEST(UNetNames, OfSdxl) {
  expect_names(test::sdxl_base(),
               {{"add_embedding.linear_1.weight", "label_emb.0.0.weight"},
                {"add_embedding.linear_2.bias", "label_emb.0.2.bias"},
                {"down_blocks.0.downsamplers.0.conv.weight", "input_blocks.3.0.op.weight"},
                {"down_blocks.1.attentions.1.transformer_blocks.1.norm3.weight",
                 "input_blocks.5.1.transformer_blocks.1.norm3.weight"},
                {"down_blocks.2.attentions.0.transformer_blocks.9.attn2.to_v.weight",
                 "input_blocks.7.1.transformer_blocks.9.attn2.to_v.weight"},
                {"up_blocks.0.attentions.2.proj_in.weight", "output_blocks.2.1.proj_in.weight"},
                {"up_blocks.0.upsamplers.0.conv.weight", "output_blocks.2.2.conv.weight"},
                {"up_blocks.1.upsamplers.0.conv.weight", "output_blocks.5.2.conv.weight"},
                {"up_blocks.2.resnets.2.conv2.weight", "output_blocks.8.0.out_layers.3.weight"}});
}

TEST(UNetNames, OfTheX4UpscalersClassTable) {
  expect_names(test::x4_upscaler(), {{"class_embedding.weight", "label_emb.weight"}});
}

TEST(UNetNames, GoThereAndBack) {
  for (const UNetFacts& shape : {test::stable_diffusion_1(), test::stable_diffusion_2(), test::sdxl_base(),
                                 test::sdxl_refiner(), test::x4_upscaler()}) {
    const NamedTensors tensors = test::meta_tensors(shape);
    const std::map<std::string, std::string> names = ldm_unet_names(unet_facts(tensors));
    NamedTensors ldm;
    for (const auto& [own, theirs] : names)
      EXPECT_TRUE(ldm.emplace(theirs, tensors.at(own)).second) << theirs;
    ASSERT_EQ(ldm.size(), tensors.size());
    EXPECT_TRUE(has_ldm_unet_names(ldm));
    EXPECT_FALSE(has_ldm_unet_names(tensors));
    const NamedTensors back = unet_from_ldm(ldm);
    ASSERT_EQ(back.size(), tensors.size());
    for (const auto& [name, tensor] : tensors) EXPECT_TRUE(back.at(name).is_same(tensor)) << name;
  }
}

TEST(UNetNames, KeepWhatTheyDoNotKnow) {
  NamedTensors ldm{{"input_blocks.0.0.weight", at::empty({1})},
                   {"input_blocks.1.0.in_layers.0.weight", at::empty({1})},
                   {"some.adapter.weight", at::empty({1})}};
  EXPECT_TRUE(unet_from_ldm(ldm).contains("some.adapter.weight"));
}

TEST(UNetNames, RefuseWhatTellsNoLevels) {
  EXPECT_THAT([] { unet_from_ldm({}); }, ThrowsMessage<std::invalid_argument>(HasSubstr("tell no levels")));
  NamedTensors uneven;
  for (const char* name : {"input_blocks.0.0.weight", "input_blocks.1.0.x", "input_blocks.2.0.op.weight",
                           "input_blocks.3.0.x", "input_blocks.4.0.x"})
    uneven.emplace(name, at::empty({1}));
  EXPECT_THAT([&] { unet_from_ldm(uneven); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("as many blocks at every level")));
  NamedTensors twice{{"input_blocks.0.0.weight", at::empty({1})},
                     {"input_blocks.1.0.in_layers.0.weight", at::empty({1})},
                     {"conv_in.weight", at::empty({1})}};
  EXPECT_THAT([&] { unet_from_ldm(twice); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("two tensors are conv_in.weight")));
}

}  // namespace
}  // namespace upbench
