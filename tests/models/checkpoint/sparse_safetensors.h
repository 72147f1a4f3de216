#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace upbench::test {

// A safetensors file of zeros of these names and shapes in float32, which take no room on the disk. Returns
// their bytes.
std::int64_t write_sparse_safetensors(
    const std::filesystem::path& file,
    const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors);

// As many tensors as the largest diffusion models have, in 7 GB.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes_of_7_gb();

}  // namespace upbench::test
