#include "models/inspect.h"

#include <map>
#include <stdexcept>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/checkpoint.h"
#include "models/checkpoint/dtype.h"
#include "models/networks/registry.h"

namespace upbench {
namespace {

void describe_tensors(const NamedTensors& tensors, nlohmann::json& facts) {
  std::map<std::string, int> dtypes;
  std::int64_t parameters = 0, non_finite = 0;
  for (const auto& [name, tensor] : tensors) {
    ++dtypes[std::string(dtype_name(tensor.scalar_type()))];
    if (!tensor.is_floating_point()) continue;
    parameters += tensor.numel();
    non_finite += tensor.numel() - at::isfinite(tensor).sum().item<std::int64_t>();
  }
  facts["tensors"] = tensors.size();
  facts["parameters"] = parameters;
  facts["dtypes"] = dtypes;
  facts["non_finite_values"] = non_finite;
}

void describe_network(const NamedTensors& tensors, nlohmann::json& facts) {
  try {
    const NetworkMatch match = recognise(tensors);
    facts["architecture"] = match.architecture;
    facts["recognised_by"] = match.recognised_by;
    facts["scale"] = match.scale;
    facts["size_multiple"] = match.size_multiple;
    facts["receptive_radius"] = match.receptive_radius;
    facts["macs_per_input_pixel"] = match.macs_per_pixel;
    facts["hyper_parameters"] = nlohmann::json::object();
    for (const auto& [name, value] : match.hyper_parameters) facts["hyper_parameters"][name] = value;
  } catch (const std::invalid_argument& error) {
    facts["architecture"] = nullptr;
    facts["problem"] = error.what();
  }
}

}  // namespace

nlohmann::json inspect_checkpoint(const std::filesystem::path& file) {
  const Checkpoint checkpoint = read_checkpoint(file);
  nlohmann::json facts{{"file", file.string()},
                       {"bytes", std::filesystem::file_size(file)},
                       {"format", checkpoint.format},
                       {"dialect", checkpoint.dialect},
                       {"tensor_hash", tensor_hash(checkpoint.tensors).hex()},
                       {"metadata", checkpoint.metadata}};
  describe_tensors(checkpoint.tensors, facts);
  describe_network(checkpoint.tensors, facts);
  return facts;
}

}  // namespace upbench
