#include "models/checkpoint/foreign.h"

#include <algorithm>
#include <array>
#include <string>

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view what;
};

// Files that are met under the names of checkpoints.
constexpr std::array kForeign{
    Signature{0, "GGUF"sv, "a GGUF file"},
    Signature{0, "\x1f\x8b"sv, "a gzip archive"},
    Signature{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    Signature{0, "Rar!"sv, "a RAR archive"},
    Signature{0, "BZh"sv, "a bzip2 archive"},
    Signature{0, "\xfd\x37zXZ"sv, "an xz archive"},
    Signature{0, "\x28\xb5\x2f\xfd"sv, "a zstd archive"},
    Signature{257, "ustar"sv, "a tar archive"},
    Signature{0, "PK\5\6"sv, "an empty zip archive"},
    Signature{0, "\x89HDF"sv, "an HDF5 file"},
    Signature{4, "TFL3"sv, "a TensorFlow Lite model"},
    Signature{0, "7767517"sv, "an ncnn parameter file"},
    Signature{0, "\x47\x6b\x30\x01"sv, "a file of ncnn weights"},
    Signature{0, "name: \""sv, "a Caffe network description"},
    Signature{0, "L119547037146038801333356L"sv, "a file of torch.save with pickle protocol 0 or 1"},
    Signature{0, "\x93NUMPY"sv, "a NumPy array"},
    Signature{0, "\x89PNG"sv, "a PNG picture"},
    Signature{0, "\xff\xd8\xff"sv, "a JPEG picture"},
    Signature{0,
              "\x7f"
              "ELF"sv,
              "a program"},
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer, not the file itself"},
    Signature{0, "<!DOCTYPE"sv, "an HTML page, not the file itself"},
    Signature{0, "<html"sv, "an HTML page, not the file itself"},
    Signature{0, "<?xml"sv, "an XML file"},
};

// An ONNX model is a protocol buffer: field 1 (version, below 32), then field 2 (producer) or field 3 or 7.
bool looks_like_onnx(std::string_view head) {
  return head.size() > 2 && head[0] == '\x08' && head[1] > 0 && head[1] < 32 &&
         (head[2] == '\x12' || head[2] == '\x1a' || head[2] == '\x3a');
}

// A length as protocol buffers write it, in one or two bytes; moves `at` behind it.
std::size_t take_length(std::string_view head, std::size_t& at) {
  const auto byte = [&] { return at < head.size() ? static_cast<std::uint8_t>(head[at++]) : 0u; };
  const std::size_t low = byte();
  return low < 0x80 ? low : (low & 0x7f) | std::size_t{byte()} << 7;
}

// Does a field that holds a printable text begin at `at`? Moves `at` behind it.
bool take_text(std::string_view head, char field, std::size_t& at) {
  if (at >= head.size() || head[at] != field) return false;
  const std::size_t length = take_length(head, ++at);
  if (length == 0 || at >= head.size() || length > head.size() - at) return false;
  const std::string_view text = head.substr(at, length);
  at += length;
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

// A TensorFlow graph is a row of nodes (field 1), each a name (field 1) and an operation (field 2).
bool looks_like_tensorflow(std::string_view head) {
  std::size_t at = 1;
  if (!head.starts_with('\x0a')) return false;
  take_length(head, at);
  return take_text(head, '\x0a', at) && take_text(head, '\x12', at);
}

// A Caffe network is its name (field 1), then layers (field 100, or 2 in old files).
bool looks_like_caffe(std::string_view head) {
  std::size_t at = 0;
  if (!take_text(head, '\x0a', at)) return false;
  const std::string_view rest = head.substr(at);
  return rest.starts_with("\xa2\x06"sv) || rest.starts_with('\x12');
}

std::string_view kind_of(std::string_view head) {
  for (const Signature& signature : kForeign) {
    if (head.size() > signature.offset && head.substr(signature.offset).starts_with(signature.bytes))
      return signature.what;
  }
  if (looks_like_onnx(head)) return "an ONNX model";
  if (looks_like_tensorflow(head)) return "a TensorFlow graph";
  if (looks_like_caffe(head)) return "a Caffe model";
  return {};
}

}  // namespace

void refuse_foreign(std::string_view head, std::uint64_t file_bytes) {
  constexpr std::string_view expected = "expected safetensors, or a state_dict() as torch.save writes it";
  if (const std::string_view kind = kind_of(head); !kind.empty()) refuse("is {}, {}", kind, expected);
  // A header's length that fits the file: safetensors, but for one byte.
  if (head.size() > 8) {
    const std::uint64_t length = little_endian_64(reinterpret_cast<const std::uint8_t*>(head.data()));
    if (length > 0 && length <= file_bytes - 8)
      refuse(
          "is no checkpoint: it begins as safetensors does, but its header begins with '{}', expected '{{'",
          printable(head.substr(8, 1)));
  }
  std::string bytes;
  for (const char byte : head.substr(0, 8)) bytes += fmt::format(" {:02x}", static_cast<unsigned char>(byte));
  refuse("is no checkpoint (its first bytes are{}), {}", bytes, expected);
}

}  // namespace upbench
