#include "models/checkpoint/torch_tensors.h"

#include <ATen/ATen.h>

#include "models/checkpoint/dtype.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr std::uint64_t kMaxExpansion = 8, kAlwaysGranted = 1 << 20;

void check_total(const std::map<std::string, const TensorRef*>& views, std::uint64_t file_bytes) {
  const std::uint64_t limit = kMaxExpansion * file_bytes + kAlwaysGranted;
  std::uint64_t total = 0;
  for (const auto& [name, view] : views) {
    const std::uint64_t bytes = bytes_of(view->sizes, view->storage.dtype);
    if (bytes > limit - total) {
      refuse(
          "tensor '{}' has {} bytes, and all of them together more than {} times the file: repeated by "
          "strides, not stored",
          printable(name), bytes, kMaxExpansion);
    }
    total += bytes;
  }
}

}  // namespace

NamedTensors make_tensors(const std::map<std::string, const TensorRef*>& views, const StorageReader& read,
                          std::uint64_t file_bytes) {
  check_total(views, file_bytes);
  std::map<std::string, at::Tensor> storages;
  NamedTensors tensors;
  for (const auto& [name, view] : views) {
    const auto [storage, is_new] = storages.try_emplace(view->storage.key);
    if (is_new) {
      storage->second = at::empty({view->storage.elements}, view->storage.dtype);
      read(view->storage, storage->second.data_ptr());
    }
    at::Tensor tensor = storage->second.as_strided(view->sizes, view->strides, view->offset);
    // A part of a storage would keep the whole of it in memory.
    const bool is_whole = tensor.is_contiguous() && tensor.numel() == view->storage.elements;
    tensors.emplace(name, is_whole ? tensor : tensor.clone(at::MemoryFormat::Contiguous));
  }
  return tensors;
}

}  // namespace upbench
