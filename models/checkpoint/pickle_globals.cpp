#include "models/checkpoint/pickle_globals.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "models/checkpoint/dtype.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

// What a state_dict() calls. Beside these a pickle may name, but not call, storage classes and dtypes.
constexpr std::string_view kDictionary = "collections.OrderedDict";
constexpr std::string_view kTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kParameter = "torch._utils._rebuild_parameter";
// A parameter with attributes of its own, which are dropped.
constexpr std::string_view kParameterWithState = "torch._utils._rebuild_parameter_with_state";
// Tensors and parameters before 0.4.
constexpr std::string_view kOldTensor = "torch._utils._rebuild_tensor";
constexpr std::string_view kOldParameter = "torch.nn.parameter.Parameter";
// Shapes beside the tensors of a training state, or among a module's attributes.
constexpr std::string_view kSize = "torch.Size";
// _non_persistent_buffers_set of a module that was saved whole: which buffers are not its own. Python 3
// and 2.
constexpr std::string_view kSet = "builtins.set", kOldSet = "__builtin__.set";
// An attribute of every module before 1.5: which library computes it. Gives None.
constexpr std::string_view kBackend = "torch.nn.backends.thnn._get_thnn_function_backend";
constexpr std::array kCallable{kDictionary, kTensor,       kParameter, kParameterWithState,
                               kOldTensor,  kOldParameter, kSize,      kSet,
                               kOldSet,     kBackend};
constexpr std::size_t kMaxDimensions = 16;

template <class T>
const T& argument(const PickleTuple& tuple, std::size_t index, std::string_view what) {
  const T* value = index < tuple.items.size() ? tuple.items[index]->as<T>() : nullptr;
  if (!value) refuse("{}: its argument {} is missing or of the wrong type", what, index + 1);
  return *value;
}

std::vector<std::int64_t> integers(const PickleTuple& tuple, const char* what) {
  if (tuple.items.size() > kMaxDimensions)
    refuse("a tensor's {} has {} dimensions, expected at most {}", what, tuple.items.size(), kMaxDimensions);
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < tuple.items.size(); ++i)
    values.push_back(argument<std::int64_t>(tuple, i, what));
  return values;
}

// Refuses a view that reaches outside its storage.
void check_bounds(const TensorRef& tensor) {
  if (tensor.sizes.size() != tensor.strides.size()) {
    refuse("a tensor has {} sizes but {} strides", tensor.sizes.size(), tensor.strides.size());
  }
  if (tensor.offset < 0) refuse("a tensor begins at element {} of its storage", tensor.offset);
  const bool empty = bytes_of(tensor.sizes, tensor.storage.dtype) == 0;
  std::int64_t last = tensor.offset;
  for (std::size_t i = 0; i < tensor.sizes.size(); ++i) {
    if (tensor.strides[i] < 0)
      refuse("a tensor has a stride of {}, expected none below 0", tensor.strides[i]);
    std::int64_t reach = 0;
    const std::int64_t steps = empty ? 0 : tensor.sizes[i] - 1;
    if (__builtin_mul_overflow(steps, tensor.strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      refuse("a tensor's strides reach further than 63 bits can count");
    }
  }
  if (empty ? tensor.offset > tensor.storage.elements : last >= tensor.storage.elements) {
    refuse("a tensor reaches element {} of storage '{}', which has {}", last, printable(tensor.storage.key),
           tensor.storage.elements);
  }
}

PickleValue rebuild_tensor(const PickleTuple& arguments) {
  TensorRef tensor{.storage = argument<StorageRef>(arguments, 0, kTensor),
                   .offset = argument<std::int64_t>(arguments, 1, kTensor),
                   .sizes = integers(argument<PickleTuple>(arguments, 2, kTensor), "shape"),
                   .strides = integers(argument<PickleTuple>(arguments, 3, kTensor), "stride")};
  check_bounds(tensor);
  return {std::move(tensor)};
}

// OrderedDict(), or OrderedDict([(key, value), ...]) as Python 2 wrote it.
PickleValue make_dictionary(const PickleTuple& arguments) {
  PickleDict dictionary;
  if (!arguments.items.empty()) {
    for (const PickleValue* item : argument<PickleList>(arguments, 0, kDictionary).items) {
      const auto* list = item->as<PickleList>();
      const auto* tuple = item->as<PickleTuple>();
      const auto* items = list ? &list->items : tuple ? &tuple->items : nullptr;
      if (!items || items->size() != 2) refuse("{}: expected a list of pairs", kDictionary);
      dictionary.items.emplace_back((*items)[0], (*items)[1]);
    }
  }
  return {std::move(dictionary)};
}

PickleValue make_set(const PickleTuple& arguments) {
  return {PickleSet{argument<PickleList>(arguments, 0, kSet).items}};
}

}  // namespace

bool is_known_global(const std::string& name) {
  return std::ranges::find(kCallable, name) != kCallable.end() || is_torch_dtype(name) ||
         dtype_from_torch_storage(name);
}

void check_global(const std::string& name) {
  if (is_known_global(name)) return;
  refuse(
      "global '{}' is not allowed: nothing in a checkpoint is executed, and tensors need no such name. A "
      "training state has to be saved anew as a plain state_dict() or as safetensors",
      printable(name));
}

PickleValue call_global(const std::string& function, const PickleTuple& arguments) {
  if (function == kDictionary) return make_dictionary(arguments);
  if (function == kTensor || function == kOldTensor) return rebuild_tensor(arguments);
  if (function == kParameter || function == kParameterWithState || function == kOldParameter)
    return {argument<TensorRef>(arguments, 0, function)};
  if (function == kSize) return {argument<PickleTuple>(arguments, 0, kSize)};
  if (function == kSet || function == kOldSet) return make_set(arguments);
  if (function == kBackend) return {PickleNone{}};
  check_global(function);
  refuse("'{}' is called, expected only {}", printable(function), fmt::join(kCallable, ", "));
}

StorageRef storage_of(const PickleValue& persistent_id) {
  constexpr std::string_view what = "persistent id";
  const auto* id = persistent_id.as<PickleTuple>();
  if (!id || id->items.size() < 5 || id->items.size() > 6 ||
      argument<std::string>(*id, 0, what) != "storage") {
    refuse("persistent id: expected ('storage', class, key, location, elements)");
  }
  const std::string& type = argument<PickleGlobal>(*id, 1, what).name;
  check_global(type);
  const auto dtype = dtype_from_torch_storage(type);
  if (!dtype) refuse("persistent id: '{}' is no storage class", printable(type));
  if (id->items.size() == 6 && !id->items[5]->as<PickleNone>())
    refuse("persistent id: views of storages (PyTorch before 0.4) are not read");
  StorageRef storage{.key = argument<std::string>(*id, 2, what),
                     .dtype = *dtype,
                     .elements = argument<std::int64_t>(*id, 4, what)};
  check_tensor_name(storage.key);
  const std::int64_t shape[] = {storage.elements};
  bytes_of(shape, storage.dtype);  // refuses what is negative or overflows
  return storage;
}

const PickleGlobal* module_class_of(const PickleValue& persistent_id) {
  const auto* id = persistent_id.as<PickleTuple>();
  if (!id || id->items.size() != 4) return nullptr;
  const auto* kind = id->items[0]->as<std::string>();
  return kind && *kind == "module" ? id->items[1]->as<PickleGlobal>() : nullptr;
}

}  // namespace upbench
