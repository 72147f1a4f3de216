#pragma once

#include <filesystem>

#include <nlohmann/json_fwd.hpp>

namespace upbench {

// What a checkpoint file holds and what it is taken for: format, bytes, dialect, tensors, parameters, dtypes,
// tensor_hash, metadata, non_finite_values; architecture, recognised_by, scale, size_multiple,
// receptive_radius, macs_per_input_pixel, hyper_parameters. An unknown architecture is null with its
// `problem`. Throws std::invalid_argument for a file that is refused.
nlohmann::json inspect_checkpoint(const std::filesystem::path& file);

}  // namespace upbench
