#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
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
struct PickleSet {
  std::vector<const PickleValue*> items;
};
struct PickleList {
  std::vector<const PickleValue*> items;
};
struct PickleTuple {
  std::vector<const PickleValue*> items;
};
struct PickleDict {
  std::vector<std::pair<const PickleValue*, const PickleValue*>> items;
};

// A torch.nn.Module that was pickled whole: the name of its class, and its attributes as they were written.
struct PickleModule {
  std::string type;
  const PickleDict* attributes = nullptr;
};

struct PickleValue {
  std::variant<PickleNone, bool, std::int64_t, double, std::string, PickleBigInteger, PickleGlobal, PickleSet,
               PickleList, PickleTuple, PickleDict, PickleModule, StorageRef, TensorRef>
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

// The value under a text key of a dictionary (the last one, as Python would have it); null where there is
// none.
const PickleValue* find_item(const PickleDict& dictionary, std::string_view key);

// Interprets the pickle at the start of `bytes`. An interpreter of its own, in which nothing can run: 39 of
// the 68 opcodes are known (pickle_opcodes.h), and the names that a pickle may call are the tensor rebuilders
// and a few containers (pickle_globals.cpp). Everything else is refused by name: std::invalid_argument
// "pickle byte 17: global 'os.system' is not allowed, ...". docs/weights.md gives the reason for each.
//
// Another name is accepted in one place, as a word and nothing more: as the class of a torch.nn.Module that
// was saved whole, which is NEWOBJ without arguments and then BUILD with one dictionary that holds
// _parameters, _buffers and _modules. It becomes a PickleModule. No class is looked up, imported or made; a
// name that is not used so, or an object that lacks those parts, refuses the whole pickle.
Pickle unpickle(std::span<const std::uint8_t> bytes);

}  // namespace upbench
