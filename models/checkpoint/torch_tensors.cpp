#include "models/checkpoint/torch_tensors.h"

#include <vector>

#include <ATen/ATen.h>

#include "models/checkpoint/dtype.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr std::uint64_t kMaxExpansion = 8, kAlwaysGranted = 1 << 20;

void check_total(const std::map<std::string, TensorRef>& views, std::uint64_t file_bytes) {
  const std::uint64_t limit = kMaxExpansion * file_bytes + kAlwaysGranted;
  std::uint64_t total = 0;
  for (const auto& [name, view] : views) {
    const std::uint64_t bytes = bytes_of(view.sizes, view.storage.dtype);
    if (bytes > limit - total) {
      refuse(
          "tensor '{}' has {} bytes, and all of them together more than {} times the file: repeated by "
          "strides, not stored",
          printable(name), bytes, kMaxExpansion);
    }
    total += bytes;
  }
}

using View = std::pair<const std::string, TensorRef>;

// The views of one storage.
void add_tensors(const std::vector<const View*>& views, const at::Tensor& storage, NamedTensors& tensors) {
  std::int64_t used = 0;
  for (const View* view : views) {
    const at::Tensor tensor =
        storage.as_strided(view->second.sizes, view->second.strides, view->second.offset);
    if (tensor.is_contiguous()) used += tensor.numel();
    tensors.emplace(view->first, tensor);
  }
  // A small part of a storage would keep the whole of it in memory.
  const bool keeps_storage = used >= storage.numel() / 2;
  for (const View* view : views) {
    at::Tensor& tensor = tensors.at(view->first);
    if (!keeps_storage || !tensor.is_contiguous()) tensor = tensor.clone(at::MemoryFormat::Contiguous);
  }
}

}  // namespace

NamedTensors make_tensors(const std::map<std::string, TensorRef>& views, const StorageReader& read,
                          std::uint64_t file_bytes) {
  check_total(views, file_bytes);
  std::map<std::string, std::vector<const View*>> by_storage;
  for (const View& view : views) by_storage[view.second.storage.key].push_back(&view);
  NamedTensors tensors;
  for (const auto& [key, parts] : by_storage) {
    const StorageRef& storage = parts.front()->second.storage;
    const at::Tensor elements = at::empty({storage.elements}, storage.dtype);
    read(storage, elements.data_ptr());
    add_tensors(parts, elements, tensors);
  }
  return tensors;
}

std::map<std::string, TensorEntry> entries_of(const std::map<std::string, TensorRef>& views) {
  std::map<std::string, TensorEntry> entries;
  for (const auto& [name, view] : views) entries.emplace(name, TensorEntry{view.storage.dtype, view.sizes});
  return entries;
}

}  // namespace upbench
