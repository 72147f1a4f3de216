#include "models/diffusion/lora.h"

#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/lora_names.h"
#include "models/diffusion/networks/unet_names.h"
#include "tests/models/diffusion/networks/clip_layouts.h"
#include "tests/models/diffusion/networks/unet_layouts.h"
#include "tests/models/diffusion/peers/peer.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kQuery[] = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight";
constexpr char kOut[] = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.weight";
constexpr char kKey[] = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight";
constexpr char kConv[] = "down_blocks.0.resnets.0.conv1.weight";
constexpr char kText[] = "text_model.encoder.layers.0.self_attn.v_proj.weight";

struct Networks {
  NamedTensors unet, first, second;

  LoraReport merge(const NamedTensors& lora, double strength) {
    return merge_lora(unet, {&first, &second}, lora, strength);
  }
  std::string refusal(const NamedTensors& lora, double strength = 1) {
    try {
      merge(lora, strength);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "accepted";
  }
};

// Pieces of a UNet whose context is `context` wide, and of two text encoders.
Networks networks(std::int64_t context = 768) {
  at::manual_seed(5);
  Networks made;
  made.unet = {{kQuery, at::randn({8, 8})},
               {kOut, at::randn({8, 8})},
               {kKey, at::randn({8, context})},
               {kConv, at::randn({8, 8, 3, 3})}};
  made.first = {{kText, at::randn({6, 6})}};
  made.second = {{kText, at::randn({10, 10})}};
  return made;
}

// A pair of matrices of rank 2 for module `name` by the given endings.
void add_pair(NamedTensors& lora, const std::string& name, std::int64_t outputs, at::IntArrayRef inputs,
              const char* down = ".lora_down.weight", const char* up = ".lora_up.weight") {
  std::vector<std::int64_t> down_shape{2}, up_shape{outputs, 2};
  down_shape.insert(down_shape.end(), inputs.begin(), inputs.end());
  up_shape.resize(down_shape.size(), 1);
  lora[name + down] = at::randn(down_shape);
  lora[name + up] = at::randn(up_shape);
}

at::Tensor product(const NamedTensors& lora, const std::string& name, const char* down, const char* up) {
  return at::mm(lora.at(name + up).flatten(1), lora.at(name + down).flatten(1));
}

TEST(MergeLora, AddsStrengthTimesAlphaByRankTimesTheProduct) {
  Networks net = networks();
  const NamedTensors before = net.unet;
  const std::string module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  NamedTensors lora;
  add_pair(lora, module, 8, {8});
  lora[module + ".alpha"] = at::tensor(1.0F);
  const LoraReport report = net.merge(lora, 0.5);
  EXPECT_EQ(report.dialect, "kohya");
  EXPECT_EQ(report.merged_unet, 1);
  EXPECT_EQ(report.merged_text, 0);
  EXPECT_TRUE(report.unmatched.empty());
  const at::Tensor expected =
      before.at(kQuery) + 0.25 * product(lora, module, ".lora_down.weight", ".lora_up.weight");
  EXPECT_LE(test::relative_error(net.unet.at(kQuery), expected), 1e-6);  // float32
  for (const char* other : {kOut, kKey, kConv}) EXPECT_TRUE(net.unet.at(other).is_same(before.at(other)));
}

// One module of each network by the names of one generation of tools: the same change.
struct Dialect {
  const char* name;
  const char *unet, *out, *first, *second;
  const char *down, *up;
};

class LoraDialects : public testing::TestWithParam<Dialect> {};

TEST_P(LoraDialects, NameTheSameModules) {
  const Dialect& dialect = GetParam();
  Networks net = networks();
  const Networks before = net;
  NamedTensors lora;
  add_pair(lora, dialect.unet, 8, {8}, dialect.down, dialect.up);
  add_pair(lora, dialect.out, 8, {8}, dialect.down, dialect.up);
  add_pair(lora, dialect.first, 6, {6}, dialect.down, dialect.up);
  add_pair(lora, dialect.second, 10, {10}, dialect.down, dialect.up);
  const LoraReport report = net.merge(lora, 2);
  EXPECT_THAT(report.unmatched, testing::IsEmpty());
  const auto expect = [&](const at::Tensor& now, const at::Tensor& was, const char* module) {
    EXPECT_LE(test::relative_error(now, was + 2 * product(lora, module, dialect.down, dialect.up)), 1e-6)
        << module;
  };
  expect(net.unet.at(kQuery), before.unet.at(kQuery), dialect.unet);
  expect(net.unet.at(kOut), before.unet.at(kOut), dialect.out);
  expect(net.first.at(kText), before.first.at(kText), dialect.first);
  expect(net.second.at(kText), before.second.at(kText), dialect.second);
}

INSTANTIATE_TEST_SUITE_P(
    All, LoraDialects,
    testing::Values(Dialect{"kohya", "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q",
                            "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_out_0",
                            "lora_te1_text_model_encoder_layers_0_self_attn_v_proj",
                            "lora_te2_text_model_encoder_layers_0_self_attn_v_proj", ".lora_down.weight",
                            ".lora_up.weight"},
                    Dialect{"peft", "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
                            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0",
                            "text_encoder.text_model.encoder.layers.0.self_attn.v_proj",
                            "text_encoder_2.text_model.encoder.layers.0.self_attn.v_proj", ".lora_A.weight",
                            ".lora_B.weight"},
                    Dialect{"unwrapped_peft",
                            "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
                            "base_model.model.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0",
                            "text_encoder.encoder.layers.0.self_attn.v_proj",
                            "text_encoder_2.encoder.layers.0.self_attn.v_proj", ".lora_A.default.weight",
                            ".lora_B.default.weight"},
                    Dialect{"diffusers", "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
                            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0",
                            "text_encoder.text_model.encoder.layers.0.self_attn.v_proj",
                            "text_encoder_2.text_model.encoder.layers.0.self_attn.v_proj",
                            ".lora.down.weight", ".lora.up.weight"},
                    Dialect{"processors",
                            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q",
                            "down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_out",
                            "text_encoder.text_model.encoder.layers.0.self_attn.to_v",
                            "text_encoder_2.text_model.encoder.layers.0.self_attn.to_v", "_lora.down.weight",
                            "_lora.up.weight"}),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(MergeLora, KohyasSingleEncoderIsTheFirst) {
  Networks net = networks();
  NamedTensors lora;
  add_pair(lora, "lora_te_text_model_encoder_layers_0_self_attn_v_proj", 6, {6});
  EXPECT_EQ(net.merge(lora, 1).merged_text, 1);
}

TEST(MergeLora, ModulesWithoutANetworkAreReported) {
  Networks net = networks();
  NamedTensors lora;
  add_pair(lora, "unet.down_blocks.0.resnets.0.conv1", 8, {8, 3, 3});
  add_pair(lora, "text_encoder_2.text_model.encoder.layers.7.mlp.fc1", 8, {8});
  add_pair(lora, "unet.down_blocks.9.resnets.0.conv1", 8, {8, 3, 3});
  const LoraReport report = merge_lora(net.unet, {}, lora, 1);
  EXPECT_EQ(report.merged(), 1);
  EXPECT_THAT(report.unmatched, ElementsAre("text_encoder_2.text_model.encoder.layers.7.mlp.fc1",
                                            "unet.down_blocks.9.resnets.0.conv1"));
}

TEST(MergeLora, StrengthZeroLeavesEveryBit) {
  Networks net = networks();
  const Networks before = net;
  NamedTensors lora;
  add_pair(lora, "unet.down_blocks.0.resnets.0.conv1", 8, {8, 3, 3});
  EXPECT_EQ(net.merge(lora, 0).merged(), 1);
  for (const auto& [name, tensor] : before.unet) EXPECT_TRUE(net.unet.at(name).is_same(tensor)) << name;
}

TEST(MergeLora, StrengthsAddUpAndCancel) {
  Networks net = networks();
  const at::Tensor before = net.unet.at(kConv);
  NamedTensors lora;
  add_pair(lora, "unet.down_blocks.0.resnets.0.conv1", 8, {8, 3, 3});
  net.merge(lora, 0.75);
  net.merge(lora, -0.75);
  EXPECT_LE(test::relative_error(net.unet.at(kConv), before), 1e-6);  // float32, two roundings
}

TEST(MergeLora, KeepsTheTypeAndRoundsOnce) {
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    Networks net = networks();
    const at::Tensor before = net.unet.at(kQuery).to(type);
    net.unet[kQuery] = before;
    NamedTensors lora;
    add_pair(lora, "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", 8, {8});
    for (auto& [name, tensor] : lora) tensor = tensor.to(type);
    net.merge(lora, 0.3);
    NamedTensors exact;
    for (const auto& [name, tensor] : lora) exact[name] = tensor.to(at::kFloat);
    const at::Tensor sum =
        before.to(at::kFloat)
            .add(product(exact, "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q",
                         ".lora_down.weight", ".lora_up.weight"),
                 0.3);
    EXPECT_TRUE(net.unet.at(kQuery).equal(sum.to(type)));
    EXPECT_FALSE(net.unet.at(kQuery).is_alias_of(before));
  }
}

TEST(MergeLora, ALinearLayerTakesA1x1Convolution) {
  Networks net = networks();
  NamedTensors lora;
  add_pair(lora, "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", 8, {8, 1, 1});
  const at::Tensor before = net.unet.at(kQuery);
  net.merge(lora, 1);
  EXPECT_EQ(net.unet.at(kQuery).sizes(), before.sizes());
  EXPECT_FALSE(net.unet.at(kQuery).equal(before));
}

TEST(MergeLora, RefusesAnotherFamilyAndSaysWhich) {
  Networks net = networks(768);
  const Networks before = net;
  NamedTensors lora;
  add_pair(lora, "unet.down_blocks.0.resnets.0.conv1", 8, {8, 3, 3});
  add_pair(lora, "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k", 8, {2048});
  const std::string text = net.refusal(lora);
  EXPECT_THAT(
      text,
      HasSubstr("looks made for SDXL (its context is 2048 wide), the checkpoint is SD 1 (its context is 768 "
                "wide): take a LoRA and a checkpoint of one family"));
  EXPECT_TRUE(net.unet.at(kConv).is_same(before.unet.at(kConv))) << "refused, so that nothing may be changed";
}

TEST(MergeLora, RefusesWhereNothingMatches) {
  Networks net = networks(1024);
  NamedTensors lora;
  add_pair(lora, "lora_unet_down_blocks_7_attn2_to_k", 8, {768});
  EXPECT_THAT(net.refusal(lora),
              testing::AllOf(HasSubstr("none of its 1 modules is in the checkpoint"),
                             HasSubstr("looks made for SD 1"), HasSubstr("the checkpoint is SD 2")));
}

TEST(MergeLora, RefusesOtherAdaptersByName) {
  Networks net = networks();
  const std::string module = "lora_unet_down_blocks_0_resnets_0_conv1";
  for (const auto& [ending, kind] : {std::pair{".hada_w1_a", "LoHa"},
                                     {".lokr_w1", "LoKr"},
                                     {".dora_scale", "DoRA"},
                                     {".oft_blocks", "OFT"},
                                     {".lora_magnitude_vector.weight", "DoRA"},
                                     {".on_input", "(IA)^3"},
                                     {".diff", "full difference"},
                                     {".diff_b", "full difference"}}) {
    NamedTensors lora;
    add_pair(lora, module, 8, {8, 3, 3});
    lora[module + ending] = at::ones({8});
    EXPECT_THAT(net.refusal(lora), HasSubstr(kind)) << ending;
  }
}

TEST(MergeLora, RefusesWhatIsNoWholeLora) {
  Networks net = networks();
  const std::string module = "unet.down_blocks.0.resnets.0.conv1";
  NamedTensors whole;
  add_pair(whole, module, 8, {8, 3, 3});
  const auto with = [&](const std::string& name, const at::Tensor& tensor) {
    NamedTensors lora = whole;
    lora[name] = tensor;
    return net.refusal(lora);
  };
  EXPECT_THAT(net.refusal({}), HasSubstr("holds no tensors"));
  EXPECT_THAT(net.refusal({{module + ".lora_down.weight", whole.begin()->second}}), HasSubstr("has no up"));
  EXPECT_THAT(net.refusal({{module + ".alpha", at::ones({})}}), HasSubstr("neither down nor up"));
  EXPECT_THAT(with(module + ".lora_up.weight", at::ones({8, 3, 1, 1})),
              HasSubstr("do not follow on each other"));
  EXPECT_THAT(with(module + ".lora_up.weight", at::ones({0, 2, 1, 1})), HasSubstr("changes [0, 8, 3, 3]"));
  EXPECT_THAT(with(module + ".lora_up.weight", at::ones({8})), HasSubstr("2 or 4 dimensions"));
  EXPECT_THAT(with(module + ".lora_mid.weight", at::ones({2, 2, 3, 3})),
              HasSubstr("do not follow on each other"));
  EXPECT_THAT(with(module + ".alpha", at::ones({2})), HasSubstr("expected one number"));
  EXPECT_THAT(with(module + ".alpha", at::tensor(std::numeric_limits<float>::infinity())),
              HasSubstr("not finite"));
  EXPECT_THAT(
      with(module + ".lora_up.weight", at::full({8, 2, 1, 1}, std::numeric_limits<float>::quiet_NaN())),
      HasSubstr("numbers that are not finite"));
  EXPECT_THAT(with("model.diffusion_model.conv_in.weight", at::ones({2})),
              HasSubstr("is no tensor of a LoRA"));
  EXPECT_THAT(with(module + ".lora_A.weight", at::ones({2})), HasSubstr("is there twice"));
  EXPECT_THAT(net.refusal(whole, std::numeric_limits<double>::quiet_NaN()), HasSubstr("the strength is nan"));
  add_pair(whole, "lora_unet_down_blocks_0_resnets_0_conv1", 8, {8, 3, 3});
  EXPECT_THAT(net.refusal(whole), HasSubstr("two modules change"));
}

TEST(LoraFacts, OfAFile) {
  NamedTensors lora;
  add_pair(lora, "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn2_to_k", 8, {1024});
  lora["lora_unet_a.lora_down.weight"] = at::empty({64, 8}, at::kMeta);
  lora["lora_unet_a.lora_up.weight"] = at::empty({8, 64}, at::kMeta);
  const std::optional<LoraFacts> facts = lora_facts(lora);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->dialect, "kohya");
  EXPECT_EQ(facts->modules, 2);
  EXPECT_EQ(facts->least_rank, 2);
  EXPECT_EQ(facts->greatest_rank, 64);
  EXPECT_EQ(facts->family, "SD 2 (its context is 1024 wide)");
  EXPECT_FALSE(lora_facts(networks().unet));
  EXPECT_THROW(lora_facts({{"lora_unet_a.hada_w1_a", at::ones({2, 2})}}), std::invalid_argument);
}

TEST(LoraPeer, LayersActAsWithTheLoraBesideThem) {
  UPBENCH_NEEDS_PEERS("diffusers");
  const NamedTensors& peer = test::run_peer("lora_peer");
  for (const char* kind : {"linear", "conv1", "conv3", "tucker"}) {
    const NamedTensors layer = test::below(peer, fmt::format("layer.{}.", kind));
    NamedTensors unet{{kConv, layer.at("weight")}};
    NamedTensors lora{{"unet.down_blocks.0.resnets.0.conv1.lora_down.weight", layer.at("down")},
                      {"unet.down_blocks.0.resnets.0.conv1.lora_up.weight", layer.at("up")},
                      {"unet.down_blocks.0.resnets.0.conv1.alpha", peer.at("alpha")}};
    if (layer.contains("middle"))
      lora["unet.down_blocks.0.resnets.0.conv1.lora_mid.weight"] = layer.at("middle");
    merge_lora(unet, {}, lora, peer.at("strength").item<double>());
    const at::Tensor &weight = unet.at(kConv), &x = layer.at("x");
    const at::Tensor y = weight.dim() == 2 ? at::linear(x, weight)
                                           : at::conv2d(x, weight, {}, kind == std::string("conv3") ? 2 : 1,
                                                        weight.size(2) / 2);
    EXPECT_LE(test::relative_error(y, layer.at("y")), 1e-5) << kind;  // float32, sums in another order
  }
}

TEST(LoraPeer, KohyasNamesOfSdxlAreThoseThatDiffusersReads) {
  UPBENCH_NEEDS_PEERS("diffusers");
  const at::Tensor bytes = test::run_peer("lora_peer").at("names");
  std::istringstream names(std::string(reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>()),
                                       static_cast<std::size_t>(bytes.numel())));
  const NamedTensors unet = test::meta_tensors(test::sdxl_base()),
                     first = test::meta_text_encoder(12, 768, 0),
                     second = test::meta_text_encoder(32, 1280, 1280);
  const std::map<std::string, LoraTarget> targets = lora_targets(unet, {&first, &second}, true);
  std::size_t count = 0;
  for (std::string kohya, diffusers; std::getline(names, kohya) && std::getline(names, diffusers); ++count) {
    const LoraFile file = lora_modules({{diffusers, at::ones({1, 1})}});
    const auto ours = targets.find(kohya), theirs = targets.find(file.modules.begin()->first);
    ASSERT_NE(ours, targets.end()) << kohya;
    ASSERT_NE(theirs, targets.end()) << diffusers;
    EXPECT_EQ(ours->second.network, theirs->second.network) << kohya;
    EXPECT_EQ(ours->second.tensor, theirs->second.tensor) << kohya;
  }
  EXPECT_EQ(count, 1058) << "modules of the UNet and both encoders";
}

TEST(LoraNames, OfStableDiffusion15AreItsModules) {
  const NamedTensors unet = test::meta_tensors(test::stable_diffusion_1()),
                     text = test::meta_text_encoder(12, 768, 0);
  const std::map<std::string, LoraTarget> targets = lora_targets(unet, {&text}, false);
  EXPECT_EQ(targets.at("lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_0_proj").tensor,
            "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.weight");
  EXPECT_EQ(targets.at("lora_unet_up_blocks_3_attentions_2_proj_out").tensor,
            "up_blocks.3.attentions.2.proj_out.weight");
  EXPECT_EQ(targets.at("lora_te_text_model_encoder_layers_11_mlp_fc2").network, 1);
  EXPECT_FALSE(targets.contains("lora_unet_input_blocks_1_1_proj_in"));
  EXPECT_EQ(lora_targets(unet, {&text}, true).at("lora_unet_input_blocks_1_1_proj_in").tensor,
            "down_blocks.0.attentions.0.proj_in.weight");
}

}  // namespace
}  // namespace upbench
