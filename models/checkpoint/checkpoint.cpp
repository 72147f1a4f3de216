#include "models/checkpoint/checkpoint.h"

#include <algorithm>
#include <array>

#include <ATen/ATen.h>

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/dialect.h"
#include "models/checkpoint/dtype.h"
#include "models/checkpoint/foreign.h"
#include "models/checkpoint/opened_checkpoint.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

using namespace std::string_view_literals;

OpenedCheckpoint open_any(const ByteSource& source, std::string_view param_key) {
  if (source.size() == 0) refuse("is empty, expected a checkpoint");
  std::array<char, 512> buffer{};
  const std::size_t count = std::min<std::uint64_t>(source.size(), buffer.size());
  source.read(0, buffer.data(), count);
  const std::string_view head(buffer.data(), count);
  if (head.starts_with("PK\3\4"sv)) return open_torch_zip(source, param_key);
  if (looks_like_safetensors(source)) return open_safetensors(source, param_key);
  if (head.size() > 1 && head[0] == '\x80' && head[1] >= 2 && head[1] <= 5)
    return open_torch_legacy(source, param_key);
  refuse_foreign(head, source.size());
}

// A truth value that is neither 0 nor 1 is undefined behaviour once it is read as one.
void check_truth_values(const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (tensor.scalar_type() != at::kBool || tensor.numel() == 0) continue;
    if (tensor.view(at::kByte).max().item<int>() > 1)
      refuse("tensor '{}' holds truth values other than 0 and 1", printable(name));
  }
}

// Removes the first `count` bytes of every name.
template <class Value>
std::map<std::string, Value> shortened(std::map<std::string, Value> named, std::size_t count) {
  std::map<std::string, Value> renamed;
  while (!named.empty()) {
    auto node = named.extract(named.begin());
    node.key().erase(0, count);
    renamed.insert(std::move(node));
  }
  return renamed;
}

// Opens the file's contents, lets `use` make something of them, and puts the file's name before every
// message.
template <class Use>
auto with_opened(const ByteSource& source, const std::string& name, std::string_view param_key, Use use) {
  try {
    OpenedCheckpoint opened = open_any(source, param_key);
    if (opened.header.tensors.empty()) refuse("holds no tensors");
    for (const std::string_view prefix : shared_prefixes(opened.header.tensors, opened.prefix_bytes)) {
      opened.prefix_bytes += prefix.size();
      opened.header.dialect += ", prefix " + std::string(prefix) + " stripped";
    }
    auto result = use(opened);
    source.check_unchanged();
    return result;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(name + ": " + error.what());
  } catch (const c10::Error& error) {
    throw std::runtime_error(name + ": " + error.what_without_backtrace());
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(name + ": " + error.what());
  }
}

Checkpoint read_named(const ByteSource& source, const std::string& name, std::string_view param_key) {
  return with_opened(source, name, param_key, [](OpenedCheckpoint& opened) {
    NamedTensors tensors = opened.load();
    check_truth_values(tensors);
    return Checkpoint{.format = std::move(opened.header.format),
                      .dialect = std::move(opened.header.dialect),
                      .tensors = shortened(std::move(tensors), opened.prefix_bytes),
                      .metadata = std::move(opened.header.metadata)};
  });
}

std::unique_ptr<ByteSource> open_named(const std::filesystem::path& file) {
  try {
    return open_file(file);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(file.string() + ": " + error.what());
  }
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& file, std::string_view param_key) {
  return read_named(*open_named(file), file.string(), param_key);
}

Checkpoint read_checkpoint(const void* data, std::size_t size, const std::string& name,
                           std::string_view param_key) {
  return read_named(*open_memory(data, size), name, param_key);
}

CheckpointHeader read_checkpoint_header(const std::filesystem::path& file, std::string_view param_key) {
  const auto source = open_named(file);
  return with_opened(*source, file.string(), param_key, [](OpenedCheckpoint& opened) {
    opened.header.tensors = shortened(std::move(opened.header.tensors), opened.prefix_bytes);
    return std::move(opened.header);
  });
}

std::string stated_licence(const std::map<std::string, std::string>& metadata) {
  for (const char* key : {"license", "licence", "modelspec.license"})
    if (const auto found = metadata.find(key); found != metadata.end()) return found->second;
  return {};
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
