#include "models/diffusion/text/prompt.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/text/clip_vocabulary.h"

namespace upbench {
namespace {

// Of the small vocabulary: "low" is one token, 513; letters and punctuation are one token each.
constexpr int kLow = 513, kComma = 256 + ',' - '!', kBegin = 514, kEnd = 515;

const Tokenizer& tokenizer() {
  static const Tokenizer small = test::small_tokenizer();
  return small;
}

std::string lows(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "low ";
  return text;
}

TokenizedPrompt chunked(const std::string& text, PromptDialect dialect) {
  return chunk_prompt(tokenizer(), text, {.dialect = dialect});
}

// The prompt's tokens of each chunk: what stands between begin and the first end.
std::vector<int> filled(const TokenizedPrompt& prompt) {
  std::vector<int> counts;
  for (const TokenChunk& chunk : prompt.chunks)
    counts.push_back(static_cast<int>(std::ranges::find(chunk.ids, kEnd) - chunk.ids.begin()) - 1);
  return counts;
}

TEST(ChunkPrompt, OneChunkIsBeginTokensEndAndPadding) {
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy, PromptDialect::plain}) {
    const TokenizedPrompt prompt = chunked("low, low", dialect);
    ASSERT_EQ(prompt.chunks.size(), 1);
    EXPECT_EQ(prompt.tokens, 3);
    EXPECT_EQ(prompt.lost, 0);
    const TokenChunk& chunk = prompt.chunks[0];
    EXPECT_THAT(std::vector(chunk.ids.begin(), chunk.ids.begin() + 5),
                testing::ElementsAre(kBegin, kLow, kComma, kLow, kEnd));
    EXPECT_TRUE(std::all_of(chunk.ids.begin() + 4, chunk.ids.end(), [](int id) { return id == kEnd; }));
    EXPECT_THAT(chunk.weights, testing::Each(1.0F));
  }
}

TEST(ChunkPrompt, TheEmptyPromptIsOneChunk) {
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy, PromptDialect::plain})
    EXPECT_THAT(filled(chunked("", dialect)), testing::ElementsAre(0));
}

TEST(ChunkPrompt, SeventyFiveTokensAreOneChunkAndSeventySixTwo) {
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy}) {
    EXPECT_THAT(filled(chunked(lows(75), dialect)), testing::ElementsAre(75));
    EXPECT_THAT(filled(chunked(lows(76), dialect)), testing::ElementsAre(75, 1));
    EXPECT_THAT(filled(chunked(lows(400), dialect)), testing::ElementsAre(75, 75, 75, 75, 75, 25));
  }
}

TEST(ChunkPrompt, DiffusersLosesWhatDoesNotFitAndSaysHowMuch) {
  const TokenizedPrompt prompt = chunked(lows(80), PromptDialect::plain);
  EXPECT_THAT(filled(prompt), testing::ElementsAre(75));
  EXPECT_EQ(prompt.tokens, 80);
  EXPECT_EQ(prompt.lost, 5);
}

TEST(ChunkPrompt, AnotherPolicyOfOverflowMayBeAskedFor) {
  const auto with = [](PromptDialect dialect, PromptOverflow overflow) {
    return chunk_prompt(tokenizer(), lows(80), {.dialect = dialect, .overflow = overflow});
  };
  EXPECT_THROW(with(PromptDialect::a1111, PromptOverflow::refuse), std::invalid_argument);
  EXPECT_EQ(with(PromptDialect::comfy, PromptOverflow::truncate).lost, 5);
  EXPECT_THAT(filled(with(PromptDialect::plain, PromptOverflow::chunks)), testing::ElementsAre(75, 5));
  EXPECT_NO_THROW(chunk_prompt(tokenizer(), lows(75), {.overflow = PromptOverflow::refuse}));
}

TEST(ChunkPrompt, WeightsGoWithTheirTokensOnly) {
  const TokenChunk chunk = chunked("low (low low:1.5)", PromptDialect::a1111).chunks[0];
  EXPECT_THAT(std::vector(chunk.weights.begin(), chunk.weights.begin() + 6),
              testing::ElementsAre(1.0F, 1.0F, 1.5F, 1.5F, 1.0F, 1.0F));
}

TEST(ChunkPrompt, A1111CutsAtACommaThatIsNear) {
  // 60 tokens and a comma, then 20: the 15 behind the comma move.
  EXPECT_THAT(filled(chunked(lows(60) + ", " + lows(20), PromptDialect::a1111)),
              testing::ElementsAre(61, 20));
  // The comma is the 56th of 75 tokens: 20 from the end, still near; one earlier it is not.
  EXPECT_THAT(filled(chunked(lows(55) + ", " + lows(30), PromptDialect::a1111)),
              testing::ElementsAre(56, 30));
  EXPECT_THAT(filled(chunked(lows(54) + ", " + lows(30), PromptDialect::a1111)),
              testing::ElementsAre(75, 10));
  EXPECT_THAT(filled(chunk_prompt(tokenizer(), lows(60) + ", " + lows(20),
                                  {.dialect = PromptDialect::a1111, .comma_backtrack = 0})),
              testing::ElementsAre(75, 6));
  EXPECT_THAT(filled(chunked(lows(60) + ", " + lows(20), PromptDialect::comfy)), testing::ElementsAre(75, 6));
}

TEST(ChunkPrompt, A1111KeepsACommaThatIsTheFirstTooMany) {
  EXPECT_THAT(filled(chunked(lows(75) + ", low", PromptDialect::a1111)), testing::ElementsAre(75, 2));
}

TEST(ChunkPrompt, WeightsMoveWithTheTokensThatAComaMoves) {
  const TokenizedPrompt prompt = chunked(lows(70) + ", (" + lows(8) + ":2)", PromptDialect::a1111);
  EXPECT_THAT(filled(prompt), testing::ElementsAre(71, 8));
  EXPECT_THAT(prompt.chunks[0].weights, testing::Each(1.0F));
  EXPECT_EQ(std::ranges::count(prompt.chunks[1].weights, 2.0F), 8);
}

TEST(ChunkPrompt, BreakEndsAChunk) {
  EXPECT_THAT(filled(chunked("low BREAK low low", PromptDialect::a1111)), testing::ElementsAre(1, 2));
  EXPECT_THAT(filled(chunked("BREAK low", PromptDialect::a1111)), testing::ElementsAre(0, 1));
  EXPECT_THAT(filled(chunked("low BREAK", PromptDialect::a1111)), testing::ElementsAre(1));
}

TEST(ChunkPrompt, ComfyKeepsShortStretchesWhole) {
  // 7 tokens of one weight do not fit behind 70; 8 are cut.
  EXPECT_THAT(filled(chunked(lows(70) + "(" + lows(7) + ":1.2)", PromptDialect::comfy)),
              testing::ElementsAre(70, 7));
  EXPECT_THAT(filled(chunked(lows(70) + "(" + lows(8) + ":1.2)", PromptDialect::comfy)),
              testing::ElementsAre(75, 3));
  EXPECT_THAT(filled(chunked(lows(68) + "(" + lows(7) + ":1.2)", PromptDialect::comfy)),
              testing::ElementsAre(75));
}

TEST(ChunkPrompt, RefusesMoreThanAMegabyte) {
  EXPECT_THROW(chunked(std::string((1 << 20) + 1, 'a'), PromptDialect::plain), std::invalid_argument);
  EXPECT_EQ(chunked(std::string(1 << 20, 'a'), PromptDialect::plain).tokens, 1 << 20);
}

TEST(ChunkPrompt, BangsAreOpenClipsPaddingInDiffusersAlone) {
  EXPECT_TRUE(chunked("low!", PromptDialect::a1111).open_clip_chunks.empty());
  EXPECT_TRUE(chunked("low", PromptDialect::plain).open_clip_chunks.empty());
  const TokenizedPrompt prompt = chunked("low!", PromptDialect::plain);
  EXPECT_EQ(prompt.chunks[0].ids[2], 256);
  ASSERT_EQ(prompt.open_clip_chunks.size(), 1);
  EXPECT_EQ(prompt.open_clip_chunks[0].ids[2], kOpenClipPad);
}

TEST(PromptDialect, NamesGoBothWays) {
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy, PromptDialect::plain})
    EXPECT_EQ(prompt_dialect(prompt_dialect_name(dialect)), dialect);
  EXPECT_THROW(prompt_dialect("forge"), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
