#include "models/diffusion/text/vocabulary.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include "models/diffusion/text/unicode.h"

namespace upbench {
namespace {

constexpr std::size_t kMostBytes = 64 << 20;
constexpr std::size_t kClipMerges =
    48'894;  // of OpenAI's file, which holds 262,144: 49,408 ids less 2 * 256 less 2

// Plain or gzip, which zlib tells apart.
std::string read_unpacked(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file))
    throw std::invalid_argument("no such file; expected a vocabulary of CLIP's");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> opened(gzopen(file.c_str(), "rb"), &gzclose);
  if (!opened) throw std::invalid_argument("cannot be read");
  std::string text;
  std::array<char, 1 << 16> buffer{};
  int count = 0;
  while ((count = gzread(opened.get(), buffer.data(), static_cast<unsigned>(buffer.size()))) > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kMostBytes)
      throw std::invalid_argument(
          fmt::format("holds more than {} MB unpacked; no vocabulary", kMostBytes >> 20));
  }
  int error = Z_OK;
  const char* message = gzerror(opened.get(), &error);
  if (error != Z_OK)
    throw std::invalid_argument(fmt::format("its packed data is cut or damaged ({})", message));
  return text;
}

// Merges of at most `most` lines "LEFT RIGHT" behind a line of comment.
std::vector<std::pair<std::string, std::string>> read_merges(std::string_view text, std::size_t most) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (std::size_t line = 1; !text.empty() && merges.size() < most; ++line) {
    const std::size_t end = text.find('\n');
    std::string_view row = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (row.ends_with('\r')) row.remove_suffix(1);
    if (row.empty() || (line == 1 && row.find("#version") != std::string_view::npos)) continue;
    const std::size_t space = row.find(' ');
    if (space == 0 || space + 1 >= row.size() || row.find(' ', space + 1) != std::string_view::npos)
      throw std::invalid_argument(
          fmt::format("line {} is not two symbols with a space between; expected a list of merges", line));
    merges.emplace_back(row.substr(0, space), row.substr(space + 1));
  }
  return merges;
}

std::string shown(const nlohmann::json& value) {
  const std::string text = value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return text.size() > 40 ? text.substr(0, 40) + "..." : text;
}

std::unordered_map<std::string, int> read_ids(const nlohmann::json& object) {
  constexpr std::int64_t kMostIds = 1 << 24;
  if (!object.is_object()) throw std::invalid_argument("expected an object of symbols and their ids");
  std::unordered_map<std::string, int> ids;
  for (const auto& [symbol, id] : object.items()) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= kMostIds)
      throw std::invalid_argument(fmt::format("the id of a symbol is {}", shown(id)));
    ids.emplace(symbol, id.get<int>());
  }
  return ids;
}

nlohmann::json parsed(const std::filesystem::path& file) {
  try {
    return nlohmann::json::parse(read_unpacked(file));
  } catch (const nlohmann::json::exception&) {
    throw std::invalid_argument("is no JSON or is cut");
  }
}

// Ids as OpenAI counts them: 256 bytes, 256 bytes at a word's end, the merges, begin and end. The bytes'
// order is that of GPT-2's table: printable characters first.
Vocabulary from_openai(std::string_view text) {
  Vocabulary vocabulary{.ids = {}, .merges = read_merges(text, kClipMerges)};
  if (vocabulary.merges.size() < kClipMerges)
    throw std::invalid_argument(
        fmt::format("holds {} merges; expected {} or more: the file is cut, or belongs beside "
                    "a vocab.json that is missing",
                    vocabulary.merges.size(), kClipMerges));
  std::vector<std::string> bytes, rest;
  for (int byte = 0; byte < 256; ++byte) {
    const std::string written = written_byte(static_cast<unsigned char>(byte));
    (decode_utf8(written).front() < 0x100 ? bytes : rest).push_back(written);
  }
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  int next = 0;
  for (const char* suffix : {"", "</w>"})
    for (const std::string& byte : bytes) vocabulary.ids.emplace(byte + suffix, next++);
  // A symbol that two merges make has the later id, as in Python's dictionaries.
  for (const auto& [left, right] : vocabulary.merges) vocabulary.ids[left + right] = next++;
  for (const char* special : {"<|startoftext|>", "<|endoftext|>"}) vocabulary.ids[special] = next++;
  return vocabulary;
}

// tokenizer.json of the tokenizers library: the model's part of it; the rest is CLIP's own, as Tokenizer has
// it.
Vocabulary from_tokenizers(const nlohmann::json& root) {
  const nlohmann::json model = root.is_object() ? root.value("model", nlohmann::json()) : nlohmann::json();
  if (!model.is_object() || !model.contains("vocab") || !model.contains("merges") ||
      !model["merges"].is_array() || model.value("end_of_word_suffix", nlohmann::json()) != "</w>")
    throw std::invalid_argument(
        "is no tokenizer of CLIP's: expected byte pairs with \"</w>\" at a word's end");
  Vocabulary vocabulary{.ids = read_ids(model["vocab"]), .merges = {}};
  for (const nlohmann::json& merge : model["merges"]) {
    if (merge.is_string()) {
      const auto one = read_merges(merge.get_ref<const std::string&>(), 1);
      vocabulary.merges.insert(vocabulary.merges.end(), one.begin(), one.end());
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      vocabulary.merges.emplace_back(merge[0], merge[1]);
    } else {
      throw std::invalid_argument(fmt::format("a merge is {}; expected two symbols", shown(merge)));
    }
  }
  return vocabulary;
}

Vocabulary read_file(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) {
    for (const char* name :
         {"merges.txt", "tokenizer.json", "bpe_simple_vocab_16e6.txt.gz", "bpe_simple_vocab_16e6.txt"})
      if (std::filesystem::exists(file / name)) return read_file(file / name);
    throw std::invalid_argument(
        "the folder holds no merges.txt, tokenizer.json or bpe_simple_vocab_16e6.txt(.gz)");
  }
  if (file.extension() == ".json") return from_tokenizers(parsed(file));
  const std::filesystem::path ids = file.parent_path() / "vocab.json";
  if (file.filename() != "merges.txt" || !std::filesystem::exists(ids))
    return from_openai(read_unpacked(file));
  Vocabulary vocabulary{.ids = {}, .merges = read_merges(read_unpacked(file), SIZE_MAX)};
  try {
    vocabulary.ids = read_ids(parsed(ids));
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("vocab.json beside it: {}", error.what()));
  }
  return vocabulary;
}

}  // namespace

std::string written_byte(unsigned char byte) {
  const auto is_printable = [](int b) {
    return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
  };
  char32_t character = byte;
  if (!is_printable(byte)) {
    character = 0x100;
    for (int other = 0; other < byte; ++other) character += is_printable(other) ? 0 : 1;
  }
  std::string written;
  append_utf8(written, character);
  return written;
}

Vocabulary read_vocabulary(const std::filesystem::path& file) {
  try {
    return read_file(file);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", file.string(), error.what()));
  }
}

}  // namespace upbench
