#pragma once

#include <functional>
#include <map>
#include <string>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/unpickler.h"

namespace upbench {

// Fills `to` (elements x element size bytes) with a storage's bytes.
using StorageReader = std::function<void(const StorageRef& storage, void* to)>;

// Reads each storage once, and makes contiguous tensors of the views. Refuses when they would have more than
// 8 times the file's bytes (1 MiB is always granted): a stride of 0 makes terabytes of one number.
NamedTensors make_tensors(const std::map<std::string, const TensorRef*>& views, const StorageReader& read,
                          std::uint64_t file_bytes);

// The parts of a .pth file's reader that differ by container. Both throw std::invalid_argument without the
// file's name.
class ByteSource;
Checkpoint read_torch_zip(const ByteSource& source);
Checkpoint read_torch_legacy(const ByteSource& source);

}  // namespace upbench
