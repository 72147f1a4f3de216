#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace upbench {

// What a file says about a byte-pair encoding (text/vocabulary.h reads one).
struct Vocabulary;

// CLIP's byte-pair encoding: the ids that transformers' CLIPTokenizer gives. Text is brought to Unicode's
// form C and to lower case (character by character, as no language's own rules would), white space separates,
// and words are cut by CLIP's pattern; nothing else is repaired: "&amp;" stays five characters, as in
// transformers (OpenAI's own script would unescape it). Unicode is 15.0's, that of transformers' tables older
// or newer by script: ids of characters added since 2022, and the order of several marks of scripts added
// since 2017, can differ.
class Tokenizer {
 public:
  // FILE: bpe_simple_vocab_16e6.txt or .txt.gz (OpenAI's), merges.txt with vocab.json beside it,
  // tokenizer.json, or a folder that holds one of these (a diffusers folder's tokenizer/). Throws
  // std::invalid_argument "FILE: what, expected what".
  static Tokenizer from_file(const std::filesystem::path& file);
  // Throws std::invalid_argument where a merge or a special token is missing from the ids.
  explicit Tokenizer(const Vocabulary& vocabulary);

  // Without begin and end. "<|startoftext|>" and "<|endoftext|>", spelled so, are those tokens. bang_pads: so
  // is each
  // "!" the padding token 0, which it becomes in transformers where a tokenizer pads with "!" (diffusers'
  // folders of SD 2 and SDXL's second encoder). Throws std::invalid_argument where the text is not UTF-8, and
  // for more than 4096 combining marks in a row.
  std::vector<int> encode(std::string_view text, bool bang_pads = false) const;

  int begin() const { return begin_; }
  int end() const {
    return end_;
  }  // with which CLIP pads too; OpenCLIP's models are padded with kOpenClipPad
  int comma() const { return comma_; }
  std::int64_t size() const { return size_; }  // one more than the greatest id

 private:
  struct Merged {
    int rank, id;
  };
  void encode_segment(std::string_view text, std::vector<int>& ids) const;
  void encode_word(std::string_view bytes, std::vector<int>& ids) const;
  const Merged* merged(int left, int right) const;

  std::unordered_map<std::uint64_t, Merged> merges_;  // by left << 32 | right
  std::array<int, 256> inner_ids_{}, last_ids_{};     // of one byte inside a word and at its end
  int begin_ = 0, end_ = 0, comma_ = 0;
  std::int64_t size_ = 0;
};

inline constexpr int kOpenClipPad = 0;

}  // namespace upbench
