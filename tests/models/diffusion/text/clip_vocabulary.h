#pragma once

#include <filesystem>
#include <string>

#include "models/diffusion/text/tokenizer.h"
#include "tests/support/assets.h"

namespace upbench::test {

// CLIP's own vocabulary; needs the assets.
inline std::filesystem::path clip_vocabulary() {
  return assets() / "weights/clip/bpe_simple_vocab_16e6.txt.gz";
}

// The bytes of a file.
std::string read_bytes(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, const std::string& bytes);

// One of 256 bytes, each inside a word and at its end, "l o" -> "lo", "lo w</w>" -> "low</w>", begin and end,
// as a tokenizer/ folder has it: merges.txt and vocab.json. Ids: byte i of GPT-2's table i, at a word's end
// 256 + i, then 512, 513, begin 514, end 515.
void write_small_vocabulary(const std::filesystem::path& folder);
Tokenizer small_tokenizer();

}  // namespace upbench::test
