#include "models/diffusion/text/conditioning.h"

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/peers/peer.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"

namespace upbench {
namespace {

const Tokenizer& tokenizer() {
  static const Tokenizer small = test::small_tokenizer();
  return small;
}

TokenizedPrompt prompt_of(const std::string& text, PromptDialect dialect) {
  return chunk_prompt(tokenizer(), text, {.dialect = dialect});
}

// An encoder whose states can be told by hand: every state is (id, skip), or their negatives where the final
// norm is asked for; pooled is the first id.
TextStates readable(const at::Tensor& ids, int skip) {
  const at::Tensor values = ids.to(at::kFloat).unsqueeze(2);
  const at::Tensor states = at::cat({values, at::full_like(values, skip)}, 2);
  return {.last = -states, .skipped = states, .skipped_normed = -states, .pooled = values.select(1, 0)};
}

PromptEncoder readable_encoder(int skip = 0, bool final_norm = false, int pad = -1) {
  return {.encode = readable, .skip = {.layers = skip, .final_norm = final_norm}, .pad = pad};
}

at::Tensor context_of(const std::string& text, PromptDialect dialect, const PromptEncoder& encoder) {
  return encode_prompt(prompt_of(text, dialect), {encoder}, at::kCPU).context;
}

double at_token(const at::Tensor& context, std::int64_t token) {
  return context[0][token][0].item<double>();
}

TEST(EncodePrompt, PlainStatesAreTheEncodersOwn) {
  const at::Tensor context = context_of("low", PromptDialect::plain, readable_encoder(2));
  EXPECT_EQ(context.sizes(), (at::IntArrayRef{1, 77, 2}));
  EXPECT_EQ(at_token(context, 0), 514);
  EXPECT_EQ(at_token(context, 1), 513);
  EXPECT_EQ(at_token(context, 2), 515);
  EXPECT_EQ(context[0][5][1].item<double>(), 2);
  EXPECT_EQ(at_token(context_of("low", PromptDialect::plain, readable_encoder(2, true)), 1), -513);
}

TEST(EncodePrompt, ChunksFollowEachOther) {
  const at::Tensor context = context_of("low BREAK lol", PromptDialect::a1111, readable_encoder());
  EXPECT_EQ(context.size(1), 2 * 77);
  EXPECT_EQ(at_token(context, 1), 513);
  EXPECT_EQ(at_token(context, 77), 514);
  EXPECT_EQ(at_token(context, 78), 512);
}

TEST(EncodePrompt, PaddingBehindTheFirstEndIsTheEncodersOwn) {
  const at::Tensor context =
      context_of("low", PromptDialect::comfy, readable_encoder(0, false, kOpenClipPad));
  EXPECT_EQ(at_token(context, 1), 513);
  EXPECT_EQ(at_token(context, 2), 515);
  for (std::int64_t token = 3; token < 77; ++token) EXPECT_EQ(at_token(context, token), 0);
  std::string full;
  for (int i = 0; i < 75; ++i) full += "low ";
  EXPECT_EQ(at_token(context_of(full, PromptDialect::comfy, readable_encoder(0, false, kOpenClipPad)), 76),
            515);
}

TEST(EncodePrompt, A1111RestoresTheMeanOfTheChunk) {
  const at::Tensor plain = context_of("low lol", PromptDialect::a1111, readable_encoder());
  const at::Tensor weighted = context_of("low (lol:2)", PromptDialect::a1111, readable_encoder());
  // float32 sums of 154 numbers around 500
  EXPECT_NEAR(weighted.mean().item<double>(), plain.mean().item<double>(), 1e-3);
  const double factor = at_token(weighted, 1) / at_token(plain, 1);
  EXPECT_LT(factor, 1);
  EXPECT_NEAR(at_token(weighted, 2), 2 * factor * at_token(plain, 2), 1e-3);
  EXPECT_NEAR(at_token(weighted, 70), factor * at_token(plain, 70), 1e-3);
}

TEST(EncodePrompt, A1111RestoresEachChunkByItself) {
  const at::Tensor plain = context_of("low BREAK low", PromptDialect::a1111, readable_encoder());
  const at::Tensor weighted = context_of("low BREAK (low:2)", PromptDialect::a1111, readable_encoder());
  EXPECT_TRUE(weighted.narrow(1, 0, 77).equal(plain.narrow(1, 0, 77)));
  EXPECT_FALSE(weighted.narrow(1, 77, 77).equal(plain.narrow(1, 77, 77)));
}

TEST(EncodePrompt, ComfyGoesFromTheEmptyPromptByTheWeight) {
  const at::Tensor context = context_of("low (lol:1.5) low", PromptDialect::comfy, readable_encoder());
  EXPECT_EQ(at_token(context, 1), 513);
  // "lol" is 512 and the l at a word's end; the empty prompt has the end token everywhere behind begin.
  EXPECT_NEAR(at_token(context, 2), 515 + 1.5 * (512 - 515), 1e-4);  // float32 near 500
  EXPECT_EQ(at_token(context, 4), 513);
  EXPECT_EQ(at_token(context, 60), 515);
}

TEST(EncodePrompt, WeightsOfOneChangeNoBit) {
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy})
    EXPECT_TRUE(context_of("(low:1.0) lol", dialect, readable_encoder())
                    .equal(context_of("low lol", PromptDialect::plain, readable_encoder())));
}

TEST(EncodePrompt, TwoEncodersAreSideBySideAndTheSecondPools) {
  const PromptEncoder first = readable_encoder(1), second{.encode =
                                                              [](const at::Tensor& ids, int skip) {
                                                                TextStates states = readable(ids, skip);
                                                                states.pooled = states.pooled + 1;
                                                                return states;
                                                              },
                                                          .skip = {.layers = 3, .final_norm = false},
                                                          .pad = kOpenClipPad};
  const PromptConditioning result =
      encode_prompt(prompt_of("low BREAK lol", PromptDialect::a1111), {first, second}, at::kCPU);
  EXPECT_EQ(result.context.sizes(), (at::IntArrayRef{1, 154, 4}));
  EXPECT_EQ(result.context[0][9][1].item<double>(), 1);
  EXPECT_EQ(result.context[0][9][3].item<double>(), 3);
  EXPECT_EQ(result.context[0][9][0].item<double>(), 515);
  EXPECT_EQ(result.context[0][9][2].item<double>(), 0);
  EXPECT_EQ(result.pooled.sizes(), (at::IntArrayRef{1, 1}));
  EXPECT_EQ(result.pooled.item<double>(), 515);
}

TEST(EncodePrompt, WantsAnEncoder) {
  EXPECT_THROW(encode_prompt(prompt_of("low", PromptDialect::plain), {}, at::kCPU), std::invalid_argument);
}

TEST(BatchedContexts, RepeatToOneLength) {
  const at::Tensor one = at::randn({1, 77, 4}), three = at::randn({1, 231, 4});
  const at::Tensor batch = batched_contexts({one, three});
  EXPECT_EQ(batch.sizes(), (at::IntArrayRef{2, 231, 4}));
  EXPECT_TRUE(batch[0].narrow(0, 77, 77).equal(one[0]));
  EXPECT_TRUE(batch[1].equal(three[0]));
  EXPECT_EQ(batched_contexts({at::randn({1, 154, 4}), three}).size(1), 462);
  EXPECT_THROW(batched_contexts({at::randn({77, 4})}), std::invalid_argument);
}

TEST(BatchedContexts, AttentionOverARepeatedContextIsTheSame) {
  const at::Tensor query = at::randn({1, 1, 5, 8}), context = at::randn({1, 1, 7, 8});
  const at::Tensor repeated = context.repeat({1, 1, 3, 1});
  // Sums of 21 instead of 7 terms, each a third.
  EXPECT_LE(test::relative_error(at::scaled_dot_product_attention(query, repeated, repeated),
                                 at::scaled_dot_product_attention(query, context, context)),
            1e-6);
}

TEST(SdxlVector, IsPooledThenSizesAsSinusoids) {
  const at::Tensor pooled = at::randn({2, 1280});
  const at::Tensor vector = sdxl_vector(pooled, {.height = 1024, .width = 768, .top = 0, .left = 64});
  EXPECT_EQ(vector.sizes(), (at::IntArrayRef{2, 2816}));
  EXPECT_TRUE(vector.narrow(1, 0, 1280).equal(pooled));
  const auto number = [&](std::int64_t which, std::int64_t k) {
    return vector[1][1280 + 256 * which + k].item<double>();
  };
  // Cosines come first, of the value itself, then of less and less of it. float32 of angles up to 1024.
  EXPECT_NEAR(number(0, 0), std::cos(1024.0), 1e-4);
  EXPECT_NEAR(number(0, 128), std::sin(1024.0), 1e-4);
  EXPECT_NEAR(number(1, 64), std::cos(768.0 * std::pow(10000.0, -0.5)), 1e-4);
  EXPECT_EQ(number(2, 17), 1);
  EXPECT_NEAR(number(3, 128), std::sin(64.0), 1e-5);
  EXPECT_EQ(sdxl_refiner_vector(pooled, {}, 6.0).size(1), 2560);
}

ClipTextFacts with_layers(std::int64_t layers) {
  ClipTextFacts facts;
  facts.layers = layers;
  return facts;
}

// "layers" and "n" where the final norm follows, "!" where the tool ignores the setting.
std::string skip_text(TextFamily family, PromptDialect dialect, std::optional<int> clip_skip,
                      std::int64_t layers) {
  const TextSkip skip = text_skip(family, dialect, clip_skip, with_layers(layers));
  return std::to_string(skip.layers) + (skip.final_norm ? "n" : "") + (skip.ignored ? "!" : "");
}

TEST(TextSkip, CountsAsEachToolDoes) {
  constexpr auto kA1111 = PromptDialect::a1111, kComfy = PromptDialect::comfy, kPlain = PromptDialect::plain;
  for (const PromptDialect dialect : {kA1111, kComfy, kPlain}) {
    EXPECT_EQ(skip_text(TextFamily::sd1, dialect, {}, 12), "0n");
    EXPECT_EQ(skip_text(TextFamily::sd2, dialect, {}, 24), "1n");
    EXPECT_EQ(skip_text(TextFamily::sd2, dialect, {}, 23), "0n");
    EXPECT_EQ(skip_text(TextFamily::sdxl, dialect, {}, 12), "1");
  }
  EXPECT_EQ(skip_text(TextFamily::sd1, kA1111, 2, 12), "1n");
  EXPECT_EQ(skip_text(TextFamily::sd1, kComfy, 2, 12), "1n");
  EXPECT_EQ(skip_text(TextFamily::sd1, kPlain, 1, 12), "1n");
  EXPECT_EQ(skip_text(TextFamily::sdxl, kA1111, 3, 12), "1!");
  EXPECT_EQ(skip_text(TextFamily::sdxl, kComfy, 1, 12), "0");
  EXPECT_EQ(skip_text(TextFamily::sdxl, kComfy, 3, 12), "2");
  EXPECT_EQ(skip_text(TextFamily::sdxl, kPlain, 1, 12), "2");
  EXPECT_EQ(skip_text(TextFamily::sd2, kA1111, 4, 24), "1n!");
  EXPECT_EQ(skip_text(TextFamily::sd2, kComfy, 2, 24), "1n");
  EXPECT_EQ(skip_text(TextFamily::sd2, kComfy, 3, 23), "1n");
  EXPECT_EQ(skip_text(TextFamily::sd2, kPlain, 1, 23), "1n");
}

TEST(TextSkip, RefusesWhatLeavesNoLayer) {
  EXPECT_THROW(text_skip(TextFamily::sd1, PromptDialect::a1111, 0, with_layers(12)), std::invalid_argument);
  EXPECT_THROW(text_skip(TextFamily::sd1, PromptDialect::a1111, 13, with_layers(12)), std::invalid_argument);
  EXPECT_THROW(text_skip(TextFamily::sd2, PromptDialect::comfy, 1, with_layers(23)), std::invalid_argument);
  EXPECT_NO_THROW(text_skip(TextFamily::sd1, PromptDialect::a1111, 12, with_layers(12)));
}

// diffusers' own pipelines on small encoders with the same weights, as text_peer.py has them.
TEST(EncodePromptPeer, EqualsThePipelinesOfDiffusers) {
  UPBENCH_NEEDS_ASSETS();
  UPBENCH_NEEDS_PEERS("diffusers, transformers, tokenizers");
  setenv("UPBENCH_CLIP_VOCABULARY", test::clip_vocabulary().c_str(), 1);
  const NamedTensors peer = test::below(test::run_peer("text_peer"), "pipeline.");
  const at::Tensor& bytes = peer.at("prompt");
  const std::string text(reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>()),
                         static_cast<std::size_t>(bytes.numel()));
  const c10::InferenceMode guard;
  const Tokenizer clip = Tokenizer::from_file(test::clip_vocabulary());
  const TokenizedPrompt prompt = chunk_prompt(clip, text, {.dialect = PromptDialect::plain});
  EXPECT_GT(prompt.lost, 0);
  const auto encoder = [&](const char* name, TextFamily family, int clip_skip, const ClipTextConfig& config,
                           int pad) {
    const NamedTensors weights = test::below(peer, name);
    const ClipTextFacts facts = clip_text_facts(weights, config);
    return PromptEncoder{.encode = bind_clip_text(facts, weights),
                         .skip = text_skip(family, PromptDialect::plain, clip_skip, facts),
                         .pad = pad};
  };
  for (const int skip : {0, 1, 2}) {
    const PromptConditioning sd1 =
        encode_prompt(prompt, {encoder("first.", TextFamily::sd1, skip, {}, -1)}, at::kCPU);
    const PromptConditioning sdxl =
        encode_prompt(prompt,
                      {encoder("first.", TextFamily::sdxl, skip, {}, -1),
                       encoder("second.", TextFamily::sdxl, skip, {.quick_gelu = false}, kOpenClipPad)},
                      at::kCPU);
    constexpr double kTolerance = 1e-4;  // what the project promises of every part, float32
    EXPECT_LE(test::relative_error(sd1.context, peer.at(fmt::format("sd1.{}", skip))), kTolerance) << skip;
    EXPECT_LE(test::relative_error(sdxl.context, peer.at(fmt::format("sdxl.{}", skip))), kTolerance) << skip;
    EXPECT_LE(test::relative_error(sdxl.pooled, peer.at(fmt::format("sdxl.pooled.{}", skip))), kTolerance)
        << skip;
  }
}

}  // namespace
}  // namespace upbench
