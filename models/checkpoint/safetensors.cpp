#include "models/checkpoint/checkpoint.h"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/encode.h"
#include "models/checkpoint/dialect.h"
#include "models/checkpoint/dtype.h"
#include "models/checkpoint/opened_checkpoint.h"
#include "models/checkpoint/refuse.h"
#include "models/checkpoint/safetensors_header.h"

namespace upbench {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // as the reference implementation
constexpr std::size_t kLengthBytes = 8;

std::uint64_t header_bytes(const ByteSource& source) {
  std::array<std::uint8_t, kLengthBytes> length{};
  source.read(0, length.data(), length.size());
  return little_endian_64(length.data());
}

}  // namespace

bool looks_like_safetensors(const ByteSource& source) {
  if (source.size() <= kLengthBytes) return false;
  char first = 0;
  source.read(kLengthBytes, &first, 1);
  return first == '{';
}

OpenedCheckpoint open_safetensors(const ByteSource& source, std::string_view param_key) {
  const std::uint64_t length = header_bytes(source), rest = source.size() - kLengthBytes;
  if (length > kMaxHeaderBytes)
    refuse("its header would have {} bytes, expected at most {}", length, kMaxHeaderBytes);
  if (length > rest) refuse("truncated: its header would have {} bytes, but {} follow", length, rest);
  std::string json(length, '\0');
  source.read(kLengthBytes, json.data(), length);
  const std::uint64_t start = kLengthBytes + length;

  SafetensorsHeader parsed = parse_safetensors_header(json, source.size() - start);
  OpenedCheckpoint opened;
  opened.header = {
      .format = "safetensors", .dialect = "plain", .tensors = {}, .metadata = std::move(parsed.metadata)};
  std::map<std::string, std::uint64_t> offsets;
  for (SafetensorsEntry& entry : parsed.entries) {
    offsets.emplace(entry.name, start + entry.begin);
    opened.header.tensors.emplace(std::move(entry.name), TensorEntry{entry.dtype, std::move(entry.shape)});
  }
  opened.prefix_bytes = select_names(opened.header, param_key);
  opened.load = [&source, offsets = std::move(offsets), entries = opened.header.tensors] {
    NamedTensors tensors;
    for (const auto& [name, entry] : entries) {
      at::Tensor tensor = at::empty(entry.shape, entry.dtype);
      source.read(offsets.at(name), tensor.data_ptr(), tensor.nbytes());
      tensors.emplace(name, std::move(tensor));
    }
    return tensors;
  };
  return opened;
}

void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  // Wide elements first, then by name, so that every tensor lies aligned.
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : tensors) {
    check_tensor_name(name);
    if (name == "__metadata__") refuse("tensor name '{}' is reserved", name);
    ordered.emplace_back(name, tensor.detach().cpu().contiguous());
  }
  std::ranges::stable_sort(ordered, [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t end = 0;
  for (const auto& [name, tensor] : ordered) {
    const std::uint64_t begin = end;
    end += tensor.nbytes();
    header[name] = {{"dtype", dtype_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

  std::vector<std::uint8_t> bytes;
  bytes.reserve(kLengthBytes + text.size() + end);
  for (std::size_t i = 0; i < kLengthBytes; ++i)
    bytes.push_back(static_cast<std::uint8_t>(text.size() >> 8 * i));
  bytes.insert(bytes.end(), text.begin(), text.end());
  for (const auto& [name, tensor] : ordered) {
    const auto* data = static_cast<const std::uint8_t*>(tensor.const_data_ptr());
    bytes.insert(bytes.end(), data, data + tensor.nbytes());
  }
  write_file_atomically(file, bytes);
}

}  // namespace upbench
