#pragma once

#include <functional>
#include <map>
#include <string>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/unpickler.h"

namespace upbench {

// Fills `to` (elements x element size bytes) with a storage's bytes.
using StorageReader = std::function<void(const StorageRef& storage, void* to)>;

// Reads each storage once, one after the other, and makes contiguous tensors of the views. Refuses when they
// would have more than 8 times the file's bytes (1 MiB is always granted): a stride of 0 makes terabytes of
// one number.
NamedTensors make_tensors(const std::map<std::string, TensorRef>& views, const StorageReader& read,
                          std::uint64_t file_bytes);

std::map<std::string, TensorEntry> entries_of(const std::map<std::string, TensorRef>& views);

}  // namespace upbench
