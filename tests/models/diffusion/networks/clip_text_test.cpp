#include "models/diffusion/networks/clip_text.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/networks/clip_names.h"
#include "tests/models/diffusion/networks/clip_layouts.h"
#include "tests/models/diffusion/peers/peer.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::HasSubstr;

constexpr double kTolerance = 1e-4;  // what the project promises of every part, float32

std::int64_t parameters(const Layout& layout) {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : layout) count += c10::multiply_integers(tensor.shape);
  return count;
}

// By OpenCLIP's names, as single-file checkpoints hold them below their prefix.
NamedTensors as_open_clip(const NamedTensors& tensors) {
  NamedTensors renamed;
  const auto at_name = [&](const std::string& name) { return tensors.at("text_model." + name); };
  renamed["model.token_embedding.weight"] = at_name("embeddings.token_embedding.weight");
  renamed["model.positional_embedding"] = at_name("embeddings.position_embedding.weight");
  renamed["model.logit_scale"] = at::ones({});
  for (const char* end : {"weight", "bias"}) {
    renamed[fmt::format("model.ln_final.{}", end)] = at_name(fmt::format("final_layer_norm.{}", end));
    for (int i = 0; tensors.contains(fmt::format("text_model.encoder.layers.{}.layer_norm1.weight", i));
         ++i) {
      const std::string from = fmt::format("encoder.layers.{}.", i),
                        to = fmt::format("model.transformer.resblocks.{}.", i);
      const auto part = [&](const char* name) { return at_name(fmt::format("{}{}.{}", from, name, end)); };
      renamed[fmt::format("{}attn.in_proj_{}", to, end)] =
          at::cat({part("self_attn.q_proj"), part("self_attn.k_proj"), part("self_attn.v_proj")});
      renamed[fmt::format("{}attn.out_proj.{}", to, end)] = part("self_attn.out_proj");
      renamed[fmt::format("{}ln_1.{}", to, end)] = part("layer_norm1");
      renamed[fmt::format("{}ln_2.{}", to, end)] = part("layer_norm2");
      renamed[fmt::format("{}mlp.c_fc.{}", to, end)] = part("mlp.fc1");
      renamed[fmt::format("{}mlp.c_proj.{}", to, end)] = part("mlp.fc2");
    }
  }
  renamed["model.text_projection"] = tensors.at("text_projection.weight").t().contiguous();
  return renamed;
}

TEST(ClipTextFacts, OfThePublishedEncoders) {
  const ClipTextFacts l = clip_text_facts(test::meta_text_encoder(12, 768, 0));
  EXPECT_EQ(l.layers, 12);
  EXPECT_EQ(l.heads, 12);
  EXPECT_EQ(l.projection, 0);
  EXPECT_EQ(l.end_token, 49407);
  EXPECT_TRUE(l.quick_gelu);
  EXPECT_EQ(parameters(l.layout),
            123'060'480);  // transformers' CLIPTextModel with these sizes; the peer test checks
  const ClipTextFacts h = clip_text_facts(test::meta_text_encoder(23, 1024, 0));
  EXPECT_EQ(h.heads, 16);
  EXPECT_FALSE(h.quick_gelu);
  EXPECT_EQ(parameters(h.layout), 340'387'840);
  const ClipTextFacts g = clip_text_facts(test::meta_text_encoder(32, 1280, 1280));
  EXPECT_EQ(g.heads, 20);
  EXPECT_EQ(g.projection, 1280);
  EXPECT_EQ(g.positions, 77);
  EXPECT_EQ(g.feed_forward, 5120);
  EXPECT_EQ(parameters(g.layout), 694'659'840);
}

TEST(ClipTextFacts, WorkIsThatOfItsMatricesAndAttention) {
  const double width = 768, tokens = 77, layers = 12;
  EXPECT_EQ(clip_text_facts(test::meta_text_encoder(12, 768, 0)).macs,
            layers * tokens * (12 * width * width + 2 * tokens * width));
}

TEST(ClipTextFacts, AConfigurationOverridesTheRules) {
  const ClipTextFacts facts =
      clip_text_facts(test::meta_text_encoder(1, 60, 0), {.heads = 5, .quick_gelu = false, .end_token = 2});
  EXPECT_EQ(facts.heads, 5);
  EXPECT_FALSE(facts.quick_gelu);
  EXPECT_EQ(facts.end_token, 2);
  EXPECT_EQ(clip_text_facts(test::meta_text_encoder(1, 60, 0)).heads, 4);
}

TEST(ClipTextFacts, NamesWhatIsMissing) {
  const auto refusal = [](const NamedTensors& tensors, const ClipTextConfig& config = {}) {
    try {
      clip_text_facts(tensors, config);
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  NamedTensors tensors = test::meta_text_encoder(2, 64, 0);
  tensors.erase("text_model.encoder.layers.1.mlp.fc2.bias");
  EXPECT_THAT(refusal(tensors), HasSubstr("missing: text_model.encoder.layers.1.mlp.fc2.bias"));
  tensors = test::meta_text_encoder(2, 64, 0);
  tensors["visual_projection.weight"] = tensors.at("text_model.final_layer_norm.weight");
  EXPECT_THAT(refusal(tensors), HasSubstr("unexpected: visual_projection.weight"));
  EXPECT_THAT(refusal({}), HasSubstr("token_embedding is 0"));
  EXPECT_THAT(refusal(test::meta_text_encoder(1, 64, 0), {.heads = 7}),
              HasSubstr("7 heads for a width of 64"));
  EXPECT_THAT(refusal(test::meta_text_encoder(1, 64, 0), {.end_token = 49408}), HasSubstr("end token 49408"));
}

TEST(ClipTextFacts, PassesOverBuffersThatOldFilesHold) {
  NamedTensors tensors = test::meta_text_encoder(1, 64, 0);
  tensors["text_model.embeddings.position_ids"] = at::arange(77).unsqueeze(0);
  tensors["logit_scale"] = at::ones({});
  EXPECT_EQ(clip_text_facts(tensors).layers, 1);
}

TEST(ClipNames, OpenClipsAreViewsOfTheSameNumbers) {
  NamedTensors canonical;
  for (const auto& [name, tensor] : test::meta_text_encoder(2, 64, 16))
    canonical[name] = at::randn(tensor.sizes());
  const NamedTensors ldm = as_open_clip(canonical);
  const NamedTensors back = clip_text_from_ldm(ldm);
  ASSERT_EQ(back.size(), canonical.size());
  for (const auto& [name, tensor] : canonical) EXPECT_TRUE(back.at(name).equal(tensor)) << name;
  EXPECT_TRUE(back.at("text_model.encoder.layers.1.self_attn.q_proj.weight")
                  .is_alias_of(ldm.at("model.transformer.resblocks.1.attn.in_proj_weight")));
}

TEST(ClipNames, ClipLIsUnwrapped) {
  const at::Tensor any = at::ones({3});
  const NamedTensors tensors{{"transformer.text_model.final_layer_norm.bias", any},
                             {"transformer.text_model.embeddings.position_ids", at::arange(3)},
                             {"transformer.encoder.layers.0.mlp.fc1.bias", any},
                             {"logit_scale", any}};
  std::vector<std::string> names;
  for (const auto& [name, tensor] : clip_text_from_ldm(tensors)) names.push_back(name);
  EXPECT_THAT(names, testing::ElementsAre("text_model.encoder.layers.0.mlp.fc1.bias",
                                          "text_model.final_layer_norm.bias"));
}

TEST(ClipNames, RefusesTwoTensorsOfOneName) {
  const at::Tensor any = at::ones({3});
  EXPECT_THROW(clip_text_from_ldm({{"ln_final.bias", any}, {"model.ln_final.bias", any}}),
               std::invalid_argument);
  EXPECT_THROW(clip_text_from_ldm({{"model.transformer.resblocks.0.attn.in_proj_weight", at::ones({4, 2})}}),
               std::invalid_argument);
}

// transformers' encoders with the same weights, by the names of text_peer.py.
struct Configuration {
  const char* name;
  ClipTextConfig config;
};

class ClipTextPeer : public testing::TestWithParam<Configuration> {
 protected:
  static const NamedTensors& peer() {
    if (!test::assets().empty()) setenv("UPBENCH_CLIP_VOCABULARY", test::clip_vocabulary().c_str(), 1);
    return test::run_peer("text_peer");
  }
};

void expect_states(const ClipTextFunction& encode, const NamedTensors& expected, std::int64_t layers) {
  const at::Tensor& ids = expected.at("ids");
  double worst = 0;
  const auto expect = [&](const at::Tensor& ours, const std::string& name) {
    const double error = test::relative_error(ours, expected.at(name));
    EXPECT_LE(error, kTolerance) << name;
    worst = std::max(worst, error);
  };
  for (int skip = 0; skip <= layers; ++skip) {
    const TextStates states = encode(ids, skip);
    expect(states.skipped, fmt::format("skipped.{}", skip));
    expect(states.last, "last");
    expect(states.pooled, "pooled");
    EXPECT_EQ(states.skipped_normed.equal(states.last), skip == 0) << skip;
  }
  fmt::print("text encoder: largest relative error {:.1e}\n", worst);
}

TEST_P(ClipTextPeer, GivesTheStatesOfTransformers) {
  UPBENCH_NEEDS_PEERS("transformers, tokenizers");
  const c10::InferenceMode guard;
  const NamedTensors expected = test::below(peer(), fmt::format("{}.", GetParam().name));
  const NamedTensors weights = test::below(expected, "weights.");
  const ClipTextFacts facts = clip_text_facts(weights, GetParam().config);
  expect_states(bind_clip_text(facts, weights), expected, facts.layers);
  if (facts.projection == 0) return;
  const NamedTensors renamed = clip_text_from_ldm(as_open_clip(weights));
  expect_states(bind_clip_text(facts, renamed), expected, facts.layers);
}

INSTANTIATE_TEST_SUITE_P(All, ClipTextPeer,
                         testing::Values(Configuration{"quick", {.quick_gelu = true}},
                                         Configuration{"projected", {.quick_gelu = false}},
                                         Configuration{"odd", {.heads = 5}},
                                         Configuration{"one_layer", {.quick_gelu = false}}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(ClipTextPeerSizes, LayoutsHoldAsManyParameters) {
  UPBENCH_NEEDS_PEERS("transformers, tokenizers");
  if (!test::assets().empty()) setenv("UPBENCH_CLIP_VOCABULARY", test::clip_vocabulary().c_str(), 1);
  const NamedTensors counts = test::below(test::run_peer("text_peer"), "parameters.");
  const auto expected = [&](const char* name) { return counts.at(name).item<std::int64_t>(); };
  EXPECT_EQ(parameters(clip_text_facts(test::meta_text_encoder(12, 768, 0)).layout), expected("clip_l"));
  EXPECT_EQ(parameters(clip_text_facts(test::meta_text_encoder(23, 1024, 0)).layout),
            expected("open_clip_h"));
  EXPECT_EQ(parameters(clip_text_facts(test::meta_text_encoder(32, 1280, 1280)).layout),
            expected("open_clip_g"));
}

NamedTensors golden(const char* file) {
  return read_checkpoint(test::assets() / "goldens/diffusion" / file).tensors;
}

TEST(ClipTextGolden, TinyStableDiffusion) {
  UPBENCH_NEEDS_ASSETS();
  const c10::InferenceMode guard;
  NamedTensors weights = golden("text_encoder.safetensors");
  for (auto& [name, tensor] : weights)
    if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat);
  const NamedTensors io = test::below(golden("io.safetensors"), "text.");
  const TextStates states =
      bind_clip_text(clip_text_facts(weights), weights)(io.at("input_ids").to(at::kLong), 1);
  EXPECT_LE(test::relative_error(states.last, io.at("last_hidden_state")), kTolerance);
  EXPECT_LE(test::relative_error(states.skipped, io.at("hidden_state_before_last_layer")), kTolerance);
  EXPECT_LE(test::relative_error(states.pooled, io.at("pooler_output")), kTolerance);
}

TEST(ClipText, HalfPrecisionStaysNearFloat) {
  UPBENCH_NEEDS_ASSETS();
  const c10::InferenceMode guard;
  const NamedTensors weights = golden("text_encoder.safetensors");
  const at::Tensor ids = golden("io.safetensors").at("text.input_ids").to(at::kLong);
  const ClipTextFacts facts = clip_text_facts(weights);
  const auto last = [&](at::ScalarType type) {
    NamedTensors cast;
    for (const auto& [name, tensor] : weights) cast[name] = tensor.to(type);
    return bind_clip_text(facts, cast)(ids, 1).last;
  };
  const at::Tensor exact = last(at::kFloat);
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor rounded = last(type);
    EXPECT_EQ(rounded.scalar_type(), type);
    // Two layers of a few roundings each, of 2^-11 and 2^-8 of values near the greatest.
    EXPECT_LE(test::relative_error(rounded, exact), type == at::kHalf ? 0.005 : 0.04);
  }
}

TEST(ClipText, RefusesIdsItCannotTake) {
  NamedTensors weights;
  for (const auto& [name, tensor] : test::meta_text_encoder(1, 8, 0))
    weights[name] = at::zeros(tensor.sizes());
  const ClipTextFunction encode = bind_clip_text(clip_text_facts(weights), weights);
  EXPECT_THROW(encode(at::zeros({1, 78}, at::kLong), 0), std::invalid_argument);
  EXPECT_THROW(encode(at::zeros({1, 77}, at::kInt), 0), std::invalid_argument);
  EXPECT_THROW(encode(at::zeros({77}, at::kLong), 0), std::invalid_argument);
  EXPECT_THROW(encode(at::zeros({1, 77}, at::kLong), 2), std::invalid_argument);
  EXPECT_THROW(encode(at::zeros({1, 77}, at::kLong), -1), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
