#include "tests/models/checkpoint/sparse_safetensors.h"

#include <fstream>

#include <c10/util/accumulate.h>
#include <nlohmann/json.hpp>

#include "tests/models/checkpoint/torch_bytes.h"

namespace upbench::test {

std::int64_t write_sparse_safetensors(
    const std::filesystem::path& file,
    const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors) {
  nlohmann::json header = nlohmann::json::object();
  std::int64_t end = 0;
  for (const auto& [name, shape] : tensors) {
    const std::int64_t begin = end;
    end += 4 * c10::multiply_integers(shape);
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, end}}};
  }
  const std::string head = safetensors_bytes(header.dump(), 0);
  std::ofstream(file, std::ios::binary) << head;
  std::filesystem::resize_file(file, head.size() + static_cast<std::uintmax_t>(end));
  return end;
}

std::vector<std::pair<std::string, std::vector<std::int64_t>>> shapes_of_7_gb() {
  std::vector<std::pair<std::string, std::vector<std::int64_t>>> tensors;
  for (int i = 0; i < 1300; ++i)
    tensors.push_back({"model.diffusion_model.block." + std::to_string(i) + ".weight", {1280, 1052}});
  return tensors;
}

}  // namespace upbench::test
