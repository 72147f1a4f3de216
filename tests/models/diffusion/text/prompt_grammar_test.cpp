#include "models/diffusion/text/prompt_grammar.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace upbench {
namespace {

using testing::HasSubstr;

// "text=weight" of each part, in "|"; a break is "BREAK".
std::string shown(std::string_view prompt, PromptDialect dialect) {
  std::string text;
  for (const WeightedText& part : parse_prompt(prompt, dialect))
    text += part.is_break ? "|BREAK" : fmt::format("|{}={:.4g}", part.text, part.weight);
  return text;
}
std::string a1111(std::string_view prompt) {
  return shown(prompt, PromptDialect::a1111);
}
std::string comfy(std::string_view prompt) {
  return shown(prompt, PromptDialect::comfy);
}

std::string refusal(std::string_view prompt, PromptDialect dialect) {
  try {
    parse_prompt(prompt, dialect);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PromptGrammar, PlainTextIsOnePart) {
  EXPECT_EQ(a1111("a cat"), "|a cat=1");
  EXPECT_EQ(comfy("a cat"), "|a cat=1");
  EXPECT_EQ(a1111(""), "|=1");
  EXPECT_EQ(comfy(""), "");
}

TEST(PromptGrammar, PlainDialectKeepsEveryCharacter) {
  EXPECT_EQ(shown("(a:1.2) [b] \\( BREAK AND <lora:x:1>", PromptDialect::plain),
            "|(a:1.2) [b] \\( BREAK AND <lora:x:1>=1");
}

TEST(PromptGrammar, BracketsWeighByATenth) {
  EXPECT_EQ(a1111("a (b) c"), "|a =1|b=1.1| c=1");
  EXPECT_EQ(a1111("a [b] c"), "|a =1|b=0.9091| c=1");
  EXPECT_EQ(a1111("((b))"), "|b=1.21");
  EXPECT_EQ(a1111("([b])"), "|b=1");
  EXPECT_EQ(comfy("a (b) c"), "|a =1|b=1.1| c=1");
  EXPECT_EQ(comfy("((b))"), "|b=1.21");
  EXPECT_EQ(comfy("[b]"), "|[b]=1") << "Comfy has no square brackets";
}

TEST(PromptGrammar, StatedWeightsMultiplyInA1111AndReplaceInComfy) {
  EXPECT_EQ(a1111("(b:1.3)"), "|b=1.3");
  EXPECT_EQ(comfy("(b:1.3)"), "|b=1.3");
  EXPECT_EQ(a1111("(a (b:1.3))"), "|a =1.1|b=1.43");
  EXPECT_EQ(comfy("(a (b:1.3))"), "|a =1.1|b=1.3");
  EXPECT_EQ(a1111("(a:.5)(b:+2)(c:-1)(d: 1.5 )"), "|a=0.5|b=2|c=-1|d=1.5");
  EXPECT_EQ(comfy("(a:.5)(b:+2)(c:-1)(d: 1.5 )(e:1e-1)"), "|a=0.5|b=2|c=-1|d=1.5|e=0.1");
}

TEST(PromptGrammar, NestedPartsOfA1111) {
  // The example of A1111's own documentation of the grammar, by its factors.
  EXPECT_EQ(a1111("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky)))."),
            "|a =1|house=1.573| =1.1|on=1| a =1.1|hill=0.55|, sun, =1.1|sky=1.464|.=1.1");
}

TEST(PromptGrammar, NeighboursOfEqualWeightAreOnePart) {
  EXPECT_EQ(a1111("(un)(necessary)"), "|unnecessary=1.1");
  EXPECT_EQ(comfy("(un)(necessary)"), "|un=1.1|necessary=1.1") << "and are therefore cut into words apart";
}

TEST(PromptGrammar, EscapedBracketsAreText) {
  EXPECT_EQ(a1111("\\(a\\) \\[b\\] \\\\ \\c"), "|(a) [b] \\ c=1");
  EXPECT_EQ(a1111("(\\(a\\):1.2)"), "|(a)=1.2");
  EXPECT_EQ(comfy("\\(a\\) \\[b\\]"), "|(a) \\[b\\]=1");
  EXPECT_EQ(comfy("(\\(a\\):1.2)"), "|(a)=1.2");
  EXPECT_EQ(a1111("end\\"), "|end=1");
}

TEST(PromptGrammar, UnbalancedBrackets) {
  EXPECT_EQ(a1111("(a"), "|a=1.1");
  EXPECT_EQ(a1111("((a [b"), "|a =1.21|b=1.1");
  EXPECT_EQ(a1111("a) b]"), "|a) b]=1");
  EXPECT_EQ(a1111("a:1.2)"), "|a:1.2)=1");
  EXPECT_EQ(comfy("(a"), "|(a=1");
  EXPECT_EQ(comfy("a (b (c)"), "|a =1|b =1.1|(c=1.1")
      << "what begins and ends with a bracket is taken for a pair";
  EXPECT_EQ(comfy("a) (b) c"), "|a) (b) c=1") << "the level is below 0, where nothing opens";
}

TEST(PromptGrammar, WhatIsNoWeightIsText) {
  EXPECT_EQ(a1111("a: b"), "|a: b=1");
  EXPECT_EQ(a1111("(a:b)"), "|a:b=1.1");
  EXPECT_EQ(comfy("(a:b)"), "|a:b=1.1");
  EXPECT_EQ(comfy("(:1.2)"), "|:1.2=1.1") << "Comfy asks for text before the colon";
  EXPECT_EQ(comfy("(a:1.2:1.5)"), "|a:1.2=1.5");
}

TEST(PromptGrammar, BreakEndsAChunkInA1111Alone) {
  EXPECT_EQ(a1111("a BREAK b"), "|a=1|BREAK|b=1");
  EXPECT_EQ(a1111("BREAK"), "|=1|BREAK|=1");
  EXPECT_EQ(a1111("a BREAK BREAK b"), "|a=1|BREAK|=1|BREAK|b=1");
  EXPECT_EQ(a1111("aBREAK BREAKb \u00e9BREAK BREAK_ break"), "|aBREAK BREAKb \u00e9BREAK BREAK_ break=1");
  EXPECT_EQ(a1111("(a BREAK b)"), "|a=1.1|BREAK=-1.1|b=1.1") << "a word of weight -1.1, as in A1111";
  EXPECT_EQ(comfy("a BREAK b"), "|a BREAK b=1");
}

TEST(PromptGrammar, RefusesWhatMakesSeveralPrompts) {
  for (const auto& [prompt, what] : {std::pair{"a AND b", "AND"},
                                     {"x [cat:dog:0.5]", "[from:to:when]"},
                                     {"[cat: 3]", "[from:to:when]"},
                                     {"[a|b]", "[one|other]"},
                                     {"[(a|b):c:.5]", "[from:to:when]"},
                                     {"x <lora:name:0.8>", "<lora:name:0.8>"}})
    EXPECT_THAT(refusal(prompt, PromptDialect::a1111), HasSubstr(what)) << prompt;
  for (const char* prompt :
       {"sand and ANDROID", "a|b", "[cat:dog]", "\\[a|b\\]", "(a|b)", "1 < 2 > 1", "<b>"})
    EXPECT_EQ(refusal(prompt, PromptDialect::a1111), "accepted") << prompt;
  EXPECT_EQ(refusal("a AND [b|c]", PromptDialect::comfy), "accepted");
  for (const char* prompt : {"embedding:bad", "a embedding:bad", "(x\nembedding:bad:1.2)"})
    EXPECT_THAT(refusal(prompt, PromptDialect::comfy), HasSubstr("embedding")) << prompt;
}

TEST(PromptGrammar, RefusesWeightsThatAreNoFiniteNumber) {
  EXPECT_THAT(refusal("(a:1.2.3)", PromptDialect::a1111), HasSubstr("is no number"));
  EXPECT_THAT(refusal("(a:nan)", PromptDialect::comfy), HasSubstr("not finite"));
  EXPECT_THAT(refusal("(a:1e999)", PromptDialect::comfy), HasSubstr("not finite"));
}

TEST(PromptGrammar, RefusesWhatIsNoUtf8) {
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy, PromptDialect::plain})
    EXPECT_THAT(refusal("a \xff", dialect), HasSubstr("not UTF-8 from byte 2 on"));
}

TEST(PromptGrammar, ManyBracketsAreDealtWith) {
  const std::string deep(20'000, '('), closed(20'000, ')');
  for (const PromptDialect dialect : {PromptDialect::a1111, PromptDialect::comfy})
    EXPECT_THAT(refusal(deep + "a" + closed, dialect), HasSubstr("nested more than 500 deep"));
  EXPECT_EQ(comfy(deep), "|" + deep + "=1");
  EXPECT_THAT(refusal("(((a:1e300):1e300):1e300)", PromptDialect::comfy), "accepted")
      << "each replaces the other";
  EXPECT_THAT(
      refusal("((a:" + std::string(300, '9') + "):" + std::string(300, '9') + ")", PromptDialect::a1111),
      HasSubstr("not finite"));
}

}  // namespace
}  // namespace upbench
