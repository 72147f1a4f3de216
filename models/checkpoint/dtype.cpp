#include "models/checkpoint/dtype.h"

#include <algorithm>
#include <array>

#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

struct Row {
  at::ScalarType type;
  std::string_view name;     // safetensors
  std::string_view storage;  // torch
};

constexpr std::array kRows{
    Row{at::kDouble, "F64", "torch.DoubleStorage"}, Row{at::kFloat, "F32", "torch.FloatStorage"},
    Row{at::kHalf, "F16", "torch.HalfStorage"},     Row{at::kBFloat16, "BF16", "torch.BFloat16Storage"},
    Row{at::kLong, "I64", "torch.LongStorage"},     Row{at::kInt, "I32", "torch.IntStorage"},
    Row{at::kShort, "I16", "torch.ShortStorage"},   Row{at::kChar, "I8", "torch.CharStorage"},
    Row{at::kByte, "U8", "torch.ByteStorage"},      Row{at::kBool, "BOOL", "torch.BoolStorage"},
};

constexpr std::array<std::string_view, 16> kTorchDtypes{
    "torch.float64",  "torch.double", "torch.float32", "torch.float", "torch.float16", "torch.half",
    "torch.bfloat16", "torch.int64",  "torch.long",    "torch.int32", "torch.int",     "torch.int16",
    "torch.short",    "torch.int8",   "torch.uint8",   "torch.bool"};

template <class Field>
std::optional<at::ScalarType> find(std::string_view text, Field field) {
  const auto row = std::ranges::find(kRows, text, field);
  if (row == kRows.end()) return {};
  return row->type;
}

}  // namespace

std::optional<at::ScalarType> dtype_from_name(std::string_view name) {
  return find(name, &Row::name);
}

std::optional<at::ScalarType> dtype_from_torch_storage(std::string_view global) {
  return find(global, &Row::storage);
}

bool is_torch_dtype(std::string_view global) {
  return std::ranges::find(kTorchDtypes, global) != kTorchDtypes.end();
}

std::string_view dtype_name(at::ScalarType type) {
  const auto row = std::ranges::find(kRows, type, &Row::type);
  if (row == kRows.end())
    refuse("tensors of {} cannot be stored, expected one of {}", c10::toString(type), dtype_names());
  return row->name;
}

std::string dtype_names() {
  std::string names;
  for (const Row& row : kRows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

std::uint64_t bytes_of(std::span<const std::int64_t> shape, at::ScalarType type) {
  auto bytes = static_cast<std::int64_t>(c10::elementSize(type));
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) refuse("a size of {} in its shape, expected none below 0", size);
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes)) {
      refuse("its shape has more bytes than 63 bits can count");
    }
    empty |= size == 0;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

}  // namespace upbench
