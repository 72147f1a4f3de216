#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <c10/core/ScalarType.h>

namespace upbench {

// Element types that a checkpoint may hold, by the names that safetensors gives them ("F32", "BF16", "I64",
// "BOOL").
std::optional<at::ScalarType> dtype_from_name(std::string_view name);
std::string_view dtype_name(
    at::ScalarType type);   // throws std::invalid_argument for a type that no checkpoint may hold
std::string dtype_names();  // "F64, F32, ...", for messages

// Bytes of a tensor of this shape. Throws std::invalid_argument where a size is negative or the product of
// the sizes (an empty one counted as 1) leaves 63 bits.
std::uint64_t bytes_of(std::span<const std::int64_t> shape, at::ScalarType type);

// The storage classes and dtypes that a torch pickle may name: "torch.FloatStorage", "torch.float32".
std::optional<at::ScalarType> dtype_from_torch_storage(std::string_view global);
bool is_torch_dtype(std::string_view global);

}  // namespace upbench
