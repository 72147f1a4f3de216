#pragma once

#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace upbench {

struct InspectOptions {
  std::string param_key;     // replaces the rule by which the tensors are found; see checkpoint/dialect.h
  bool header_only = false;  // reads no tensor: instant for any size
};

// What a checkpoint file holds and what it is taken for: format, bytes, dialect, tensors, parameters, dtypes,
// tensor_hash, metadata, non_finite_values with a `warning` where there are some; architecture,
// recognised_by, scale, size_multiple, receptive_radius, macs_per_input_pixel, hyper_parameters. An unknown
// architecture is null with its `problem`. Of a diffusion model, or a part of one, in a file or a folder of
// diffusers: architecture in words, family, family_by, parts, missing_parts, prediction, latent_scale,
// tensors_left_out. With header_only: format to dtypes, metadata, and `listing`,
// name -> "F32 [64, 3, 3, 3]". Throws std::invalid_argument for a file that is refused.
nlohmann::json inspect_checkpoint(const std::filesystem::path& file, const InspectOptions& options = {});

}  // namespace upbench
