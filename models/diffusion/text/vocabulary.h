#pragma once

#include <filesystem>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace upbench {

// A byte-pair encoding as files state it: bytes are written as the printable characters of GPT-2's table, the
// last one of a word with "</w>" behind it.
struct Vocabulary {
  std::unordered_map<std::string, int> ids;
  std::vector<std::pair<std::string, std::string>> merges;  // by rank
};

// How files write one byte: itself where that is a printable character of Latin-1, else a character from
// U+0100 on.
std::string written_byte(unsigned char byte);

// See Tokenizer::from_file(). Reads at most 64 MB, counted unpacked.
Vocabulary read_vocabulary(const std::filesystem::path& file);

}  // namespace upbench
