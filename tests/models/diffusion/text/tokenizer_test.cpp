#include "models/diffusion/text/tokenizer.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "models/diffusion/text/unicode.h"
#include "models/diffusion/text/vocabulary.h"
#include "tests/models/diffusion/peers/peer.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string refusal(const std::filesystem::path& file) {
  try {
    Tokenizer::from_file(file);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

void write_packed(const std::filesystem::path& file, const std::string& text) {
  const gzFile opened = gzopen(file.c_str(), "wb1");
  gzwrite(opened, text.data(), static_cast<unsigned>(text.size()));
  gzclose(opened);
}

TEST(Tokenizer, MergesTheLowestRankFirst) {
  const Tokenizer tokenizer = test::small_tokenizer();
  // Byte i of GPT-2's table: '!' is 0, so that a letter is its code less 33.
  const int l = 'l' - '!', o = 'o' - '!', w = 'w' - '!', e = 'e' - '!', r = 'r' - '!';
  EXPECT_THAT(tokenizer.encode("low"), ElementsAre(513));
  EXPECT_THAT(tokenizer.encode("lower"), ElementsAre(512, w, e, 256 + r));
  EXPECT_THAT(tokenizer.encode("lol"), ElementsAre(512, 256 + l));
  EXPECT_THAT(tokenizer.encode("lo"), ElementsAre(l, 256 + o)) << "the o that ends a word is another symbol";
}

TEST(Tokenizer, WhiteSpaceSeparatesAndIsNoToken) {
  const Tokenizer tokenizer = test::small_tokenizer();
  EXPECT_THAT(tokenizer.encode(""), IsEmpty());
  EXPECT_THAT(tokenizer.encode(" \t\n\u3000\u2009\u0085"), IsEmpty());
  EXPECT_EQ(tokenizer.encode("  low\n\nlow "), (std::vector<int>{513, 513}));
}

TEST(Tokenizer, CapitalsAreLowerCase) {
  EXPECT_THAT(test::small_tokenizer().encode("LOW"), ElementsAre(513));
}

TEST(Tokenizer, SpecialTokensCountOnlyAsTheyAreSpelled) {
  const Tokenizer tokenizer = test::small_tokenizer();
  EXPECT_THAT(tokenizer.encode("low<|endoftext|>low<|startoftext|>"), ElementsAre(513, 515, 513, 514));
  EXPECT_THAT(tokenizer.encode("<|ENDOFTEXT|>"), testing::Not(testing::Contains(515)));
}

TEST(Tokenizer, ABangMayBePadding) {
  const Tokenizer tokenizer = test::small_tokenizer();
  EXPECT_THAT(tokenizer.encode("low!! !"), ElementsAre(513, 0, 256, 256));
  EXPECT_THAT(tokenizer.encode("low!! !<|endoftext|>", true), ElementsAre(513, 0, 0, 0, 515));
}

TEST(Tokenizer, KnowsItsSpecialTokens) {
  const Tokenizer tokenizer = test::small_tokenizer();
  EXPECT_EQ(tokenizer.begin(), 514);
  EXPECT_EQ(tokenizer.end(), 515);
  EXPECT_EQ(tokenizer.comma(), 256 + ',' - '!');
  EXPECT_EQ(tokenizer.size(), 516);
}

TEST(Tokenizer, RefusesWhatIsNoUtf8) {
  const Tokenizer tokenizer = test::small_tokenizer();
  for (const char* text : {"ok \xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82"})
    EXPECT_THROW(tokenizer.encode(text), std::invalid_argument);
}

TEST(Tokenizer, RefusesEndlessMarksInsteadOfHanging) {
  std::string text = "a";
  for (int i = 0; i < 100'000; ++i) text += i % 2 ? "\u0301" : "\u0316";
  EXPECT_THROW(test::small_tokenizer().encode(text), std::invalid_argument);
}

TEST(Tokenizer, TheTableOfBytesIsGpt2s) {
  EXPECT_EQ(written_byte('!'), "!");
  EXPECT_EQ(written_byte(' '), "\u0120");
  EXPECT_EQ(written_byte('\n'), "\u010A");
  EXPECT_EQ(written_byte(0xAD), "\u0143");
  EXPECT_EQ(written_byte(0xE9), "\u00E9");
}

TEST(Tokenizer, AFileAndItsFolderAreOne) {
  const test::TemporaryFolder folder;
  test::write_small_vocabulary(folder.path());
  EXPECT_THAT(Tokenizer::from_file(folder.path()).encode("low"), ElementsAre(513));
  EXPECT_THAT(Tokenizer::from_file(folder / "merges.txt").encode("low"), ElementsAre(513));
}

TEST(Tokenizer, ReadsTokenizerJson) {
  const test::TemporaryFolder folder;
  test::write_small_vocabulary(folder.path());
  const std::string ids = test::read_bytes(folder / "vocab.json");
  for (const char* merges : {R"(["l o", "lo w</w>"])", R"([["l", "o"], ["lo", "w</w>"]])"}) {
    test::write_bytes(folder / "tokenizer.json",
                      R"({"model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": )" + ids +
                          R"(, "merges": )" + merges + "}}");
    EXPECT_THAT(Tokenizer::from_file(folder / "tokenizer.json").encode("low"), ElementsAre(513));
  }
}

TEST(Tokenizer, RefusesForeignAndCutFiles) {
  const test::TemporaryFolder folder;
  const auto refusal_of = [&](const std::string& name, const std::string& text) {
    test::write_bytes(folder / name, text);
    return refusal(folder / name);
  };
  EXPECT_THAT(refusal(folder / "none.txt"), HasSubstr("no such file"));
  EXPECT_THAT(refusal(folder.path()), HasSubstr("the folder holds no merges.txt"));
  EXPECT_THAT(refusal_of("a.txt", "#version: 0.2\ni n\nt h\n"),
              HasSubstr("holds 2 merges; expected 48894 or more"));
  EXPECT_THAT(refusal_of("b.txt", "once upon a time\n"), HasSubstr("line 1 is not two symbols"));
  EXPECT_THAT(refusal_of("tokenizer.json", "{"), HasSubstr("is no JSON"));
  EXPECT_THAT(refusal_of("tokenizer.json", "[]"), HasSubstr("is no tokenizer of CLIP's"));
  EXPECT_THAT(refusal_of("tokenizer.json",
                         R"({"model": {"vocab": {"a": -1}, "merges": [], "end_of_word_suffix": "</w>"}})"),
              HasSubstr("the id of a symbol is -1"));
  test::write_small_vocabulary(folder.path());
  EXPECT_THAT(refusal_of("merges.txt", "l o\nx yz\n"), HasSubstr("there is no id for \"yz\""));
  test::write_small_vocabulary(folder.path());
  EXPECT_THAT(refusal_of("vocab.json", "{}").substr(folder.path().string().size()),
              HasSubstr("is no tokenizer"));
  EXPECT_THAT(refusal(folder / "merges.txt"), HasSubstr("there is no id for \"<|startoftext|>\""));
}

TEST(Tokenizer, RefusesCutAndBoundlessPacks) {
  const test::TemporaryFolder folder;
  write_packed(folder / "bomb.gz", std::string(65 << 20, 'a'));
  EXPECT_THAT(refusal(folder / "bomb.gz"), HasSubstr("more than 64 MB unpacked"));
  write_packed(folder / "cut.gz", "#version\n" + std::string(1000, 'a') + " b\n");
  const std::string whole = test::read_bytes(folder / "cut.gz");
  test::write_bytes(folder / "cut.gz", whole.substr(0, whole.size() - 6));
  EXPECT_THAT(refusal(folder / "cut.gz"), HasSubstr("cut or damaged"));
}

TEST(Tokenizer, KnownIdsOfClip) {
  UPBENCH_NEEDS_ASSETS();
  const Tokenizer tokenizer = Tokenizer::from_file(test::clip_vocabulary());
  EXPECT_EQ(tokenizer.begin(), 49406);
  EXPECT_EQ(tokenizer.end(), 49407);
  EXPECT_EQ(tokenizer.comma(), 267);
  EXPECT_EQ(tokenizer.size(), 49408);
  // "a photo of a cat" of CLIP's model cards.
  EXPECT_THAT(tokenizer.encode("a photo of a cat"), ElementsAre(320, 1125, 539, 320, 2368));
  EXPECT_THAT(tokenizer.encode("!"), ElementsAre(256)) << "OpenCLIP pads with 0, the ! inside of a word";
}

// What the peer was asked, and its answers.
TEST(TokenizerPeer, EqualsTransformersOnGeneratedTexts) {
  UPBENCH_NEEDS_ASSETS();
  UPBENCH_NEEDS_PEERS("transformers, tokenizers");
  setenv("UPBENCH_CLIP_VOCABULARY", test::clip_vocabulary().c_str(), 1);
  const NamedTensors peer = test::below(test::run_peer("text_peer"), "tokenizer.");
  const Tokenizer tokenizer = Tokenizer::from_file(test::clip_vocabulary());
  const at::Tensor &bytes = peer.at("texts"), &ids = peer.at("ids"), &text_ends = peer.at("texts_ends"),
                   &id_ends = peer.at("ids_ends");
  ASSERT_GE(text_ends.numel(), 1000);
  std::int64_t text_begin = 0, id_begin = 0;
  for (std::int64_t i = 0; i < text_ends.numel(); ++i) {
    const std::int64_t text_end = text_ends[i].item<std::int64_t>(), id_end = id_ends[i].item<std::int64_t>();
    const std::string text(reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>()) + text_begin,
                           static_cast<std::size_t>(text_end - text_begin));
    const std::vector<int> expected(ids.const_data_ptr<std::int64_t>() + id_begin,
                                    ids.const_data_ptr<std::int64_t>() + id_end);
    EXPECT_EQ(tokenizer.encode(text), expected) << "text " << i << ": " << text.substr(0, 200);
    text_begin = text_end;
    id_begin = id_end;
  }
}

}  // namespace
}  // namespace upbench
