#include "models/checkpoint/checkpoint.h"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/dialect.h"
#include "models/checkpoint/dtype.h"
#include "models/checkpoint/refuse.h"
#include "models/checkpoint/safetensors.h"
#include "models/checkpoint/torch_tensors.h"

namespace upbench {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  std::string_view what;
};

// Files that are met under the names of checkpoints, told from their first bytes.
constexpr std::array kForeign{
    Signature{0, "GGUF"sv, "a GGUF file"},
    Signature{0, "\x1f\x8b"sv, "a gzip archive"},
    Signature{0, "7z\xbc\xaf\x27\x1c"sv, "a 7z archive"},
    Signature{0, "Rar!"sv, "a RAR archive"},
    Signature{0, "BZh"sv, "a bzip2 archive"},
    Signature{0,
              "\xfd"
              "7zXZ"sv,
              "an xz archive"},
    Signature{0, "\x28\xb5\x2f\xfd"sv, "a zstd archive"},
    Signature{257, "ustar"sv, "a tar archive"},
    Signature{0, "\x89HDF"sv, "an HDF5 file"},
    Signature{0, "PK\5\6"sv, "an empty zip archive"},
    Signature{0, "7767517"sv, "an ncnn parameter file"},
    Signature{0, "version https://git-lfs"sv, "a Git LFS pointer, not the file itself"},
    Signature{0, "<!DOCTYPE"sv, "an HTML page, not the file itself"},
    Signature{0, "<html"sv, "an HTML page, not the file itself"},
};

std::string_view head_of(const ByteSource& source, std::array<char, 512>& buffer) {
  const std::size_t count = std::min<std::uint64_t>(source.size(), buffer.size());
  source.read(0, buffer.data(), count);
  return {buffer.data(), count};
}

// An ONNX model is a protocol buffer: field 1 (version, below 32), then field 2 (producer) or field 3 or 7.
bool looks_like_onnx(std::string_view head) {
  return head.size() > 2 && head[0] == '\x08' && head[1] > 0 && head[1] < 32 &&
         (head[2] == '\x12' || head[2] == '\x1a' || head[2] == '\x3a');
}

[[noreturn]] void refuse_foreign(std::string_view head) {
  constexpr std::string_view expected = "expected safetensors, or a state_dict() as torch.save writes it";
  for (const Signature& signature : kForeign) {
    if (head.size() > signature.offset && head.substr(signature.offset).starts_with(signature.bytes))
      refuse("is {}, {}", signature.what, expected);
  }
  if (looks_like_onnx(head)) refuse("is an ONNX model, {}", expected);
  std::string bytes;
  for (const char byte : head.substr(0, 8)) bytes += fmt::format(" {:02x}", static_cast<unsigned char>(byte));
  refuse("is no checkpoint (its first bytes are{}), {}", bytes, expected);
}

Checkpoint read_any(const ByteSource& source) {
  if (source.size() == 0) refuse("is empty, expected a checkpoint");
  std::array<char, 512> buffer{};
  const std::string_view head = head_of(source, buffer);
  if (head.starts_with("PK\3\4"sv)) return read_torch_zip(source);
  if (head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5 && !looks_like_safetensors(source))
    return read_torch_legacy(source);
  if (!looks_like_safetensors(source)) refuse_foreign(head);
  Checkpoint checkpoint = read_safetensors(source);
  checkpoint.dialect = "plain";
  return checkpoint;
}

// A truth value that is neither 0 nor 1 is undefined behaviour once it is read as one.
void check_truth_values(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.scalar_type() != at::kBool || tensor.numel() == 0) continue;
    if (tensor.view(at::kByte).max().item<int>() > 1)
      refuse("tensor '{}' holds truth values other than 0 and 1", printable(name));
  }
}

Checkpoint read_named(const ByteSource& source, const std::string& name) {
  try {
    Checkpoint checkpoint = read_any(source);
    source.check_unchanged();
    if (checkpoint.tensors.empty()) refuse("holds no tensors");
    check_truth_values(checkpoint.tensors);
    strip_prefixes(checkpoint);
    return checkpoint;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(name + ": " + error.what());
  } catch (const c10::Error& error) {
    throw std::runtime_error(name + ": " + error.what_without_backtrace());
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(name + ": " + error.what());
  }
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& file) {
  std::unique_ptr<ByteSource> source;
  try {
    source = open_file(file);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(file.string() + ": " + error.what());
  }
  return read_named(*source, file.string());
}

Checkpoint read_checkpoint(const void* data, std::size_t size, const std::string& name) {
  return read_named(*open_memory(data, size), name);
}

Digest tensor_hash(const NamedTensors& tensors) {
  Hasher hasher;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.detach().cpu().contiguous();
    hasher.add_field(name)
        .add_field(dtype_name(plain.scalar_type()))
        .add_field(static_cast<std::uint64_t>(plain.dim()));
    for (const std::int64_t size : plain.sizes()) hasher.add_field(static_cast<std::uint64_t>(size));
    hasher.add_field(std::string_view(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes()));
  }
  return hasher.finish();
}

}  // namespace upbench
