#include "tests/models/diffusion/text/clip_vocabulary.h"

#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "models/diffusion/text/unicode.h"
#include "models/diffusion/text/vocabulary.h"

namespace upbench::test {

std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

void write_small_vocabulary(const std::filesystem::path& folder) {
  nlohmann::json ids;
  int next = 0;
  for (const char* suffix : {"", "</w>"})
    for (const bool is_plain : {true, false})
      for (int byte = 0; byte < 256; ++byte) {
        const std::string written = written_byte(static_cast<unsigned char>(byte));
        if ((decode_utf8(written).front() < 0x100) == is_plain) ids[written + suffix] = next++;
      }
  for (const char* symbol : {"lo", "low</w>", "<|startoftext|>", "<|endoftext|>"}) ids[symbol] = next++;
  write_bytes(folder / "vocab.json", ids.dump());
  write_bytes(folder / "merges.txt", "#version: 0.2\nl o\nlo w</w>\n");
}

Tokenizer small_tokenizer() {
  const TemporaryFolder folder;
  write_small_vocabulary(folder.path());
  return Tokenizer::from_file(folder.path());
}

}  // namespace upbench::test
