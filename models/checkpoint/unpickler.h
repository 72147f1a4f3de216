#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <c10/core/ScalarType.h>

namespace upbench {

// A run of elements of one type, kept outside the pickle under `key`.
struct StorageRef {
  std::string key;
  at::ScalarType dtype = at::kFloat;
  std::int64_t elements = 0;
  bool operator==(const StorageRef&) const = default;
};

// A strided view of a storage; every element lies inside it, and no extent overflows. In elements.
struct TensorRef {
  StorageRef storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> sizes, strides;
};

struct PickleValue;
struct PickleNone {};
struct PickleBigInteger {
  std::string little_endian;
};  // more than 8 bytes
struct PickleGlobal {
  std::string name;
};  // "module.attribute": a name, never imported
struct PickleSet {};
struct PickleList {
  std::vector<const PickleValue*> items;
};
struct PickleTuple {
  std::vector<const PickleValue*> items;
};
struct PickleDict {
  std::vector<std::pair<const PickleValue*, const PickleValue*>> items;
};

struct PickleValue {
  std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleBigInteger, PickleGlobal, PickleSet,
               PickleList, PickleTuple, PickleDict, StorageRef, TensorRef>
      content;
  template <class T>
  const T* as() const {
    return std::get_if<T>(&content);
  }
};

// The values of one pickle. They live in one place and point at each other, so a pickle that holds itself is
// no leak and no recursion.
struct Pickle {
  std::deque<PickleValue> values;
  const PickleValue* root = nullptr;
  std::map<std::string, StorageRef> storages;  // every storage that is named, by key
  std::size_t bytes = 0;                       // how many the pickle took
};

// Interprets the pickle at the start of `bytes`. An interpreter of its own, in which nothing can run: 38 of
// the 68 opcodes are known (those that torch.save uses with protocols 2 and 4), and the names that a pickle
// may mention are the tensor rebuilders, the storage classes, the dtypes and OrderedDict. Everything else is
// refused by name: std::invalid_argument "pickle byte 17: global 'os.system' is not allowed, ...".
Pickle unpickle(std::span<const std::uint8_t> bytes);

}  // namespace upbench
