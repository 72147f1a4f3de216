#include "models/catalog.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/resample.h"
#include "models/blend.h"
#include "models/chain.h"
#include "models/embedded_models.h"
#include "models/interpolator.h"
#include "models/model_search.h"
#include "models/network_upscaler.h"
#include "models/networks/layers.h"

namespace upbench {
namespace {

constexpr std::string_view kNull = "nearest";

const EmbeddedModel* find_embedded(std::string_view name) {
  const auto found = std::ranges::find(embedded_models(), name, &EmbeddedModel::name);
  return found == embedded_models().end() ? nullptr : &*found;
}

LoadedNetwork load_embedded(const EmbeddedModel& model) {
  return load_network(read_checkpoint(model.data, model.size, model.name));
}

LoadedNetwork load_file(const std::filesystem::path& file, std::string_view param_key = {}) {
  const Checkpoint checkpoint = read_checkpoint(file, param_key);
  try {
    return load_network(checkpoint);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{}: {}", file.string(), error.what()));
  }
}

[[noreturn]] void refuse_unknown(const std::string& name, const ModelSearch& search) {
  std::vector<std::string> known;
  for (const BuiltinModel& model : builtin_models()) known.push_back(model.name);
  const std::string builtin = fmt::format("{}", fmt::join(known, ", "));
  for (std::string& stem : model_stems(search)) known.push_back(std::move(stem));
  const std::vector<std::string> near = near_misses(name, known);
  const std::string hint = near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, " or "));
  throw std::invalid_argument(
      fmt::format("unknown model '{}': not built in ({}), no such file beside the spec, no such stem under "
                  "the model folders{}",
                  name, builtin, hint));
}

// A network by name: embedded, or in a file. Nothing where the name is an interpolator's.
std::optional<LoadedNetwork> find_network(const std::string& name, const ModelSearch& search) {
  if (const EmbeddedModel* embedded = find_embedded(name)) return load_embedded(*embedded);
  if (std::ranges::find(builtin_models(), name, &BuiltinModel::name) != builtin_models().end()) return {};
  if (const auto file = find_model_file(name, search)) return load_file(*file);
  if (const auto at = name.rfind('@'); at != name.npos && at + 1 < name.size()) {
    if (const auto file = find_model_file(name.substr(0, at), search))
      return load_file(*file, std::string_view(name).substr(at + 1));
  }
  refuse_unknown(name, search);
}

UpscalerPtr network_on_range(const std::string& name, LoadedNetwork network, const std::string& input_range) {
  if (!input_range.empty()) set_input_range(network.match, input_range);
  return make_network_upscaler(name, std::move(network));
}

UpscalerPtr load_single(const std::string& name, const std::string& input_range, const ModelSearch& search) {
  if (std::optional<LoadedNetwork> network = find_network(name, search))
    return network_on_range(name, std::move(*network), input_range);
  return name == kNull ? make_null_upscaler() : make_interpolator(name);
}

UpscalerPtr load_blend(const ModelRequest& request, const ModelSearch& search) {
  std::vector<BlendPart> parts;
  for (const auto& [name, weight] : request.parts) {
    std::optional<LoadedNetwork> network = find_network(name, search);
    if (!network)
      throw std::invalid_argument(
          fmt::format("blend '{}': '{}' has no weights to average", request.label, name));
    parts.push_back({.name = name, .network = std::move(*network), .weight = weight});
  }
  return network_on_range(request.label, blend(request.label, parts), request.input_range);
}

}  // namespace

const std::vector<BuiltinModel>& builtin_models() {
  static const std::vector<BuiltinModel> models = [] {
    std::vector<BuiltinModel> list{
        {std::string(kNull), "null model: repeats pixels; what it costs is what the harness costs"}};
    for (const ResampleKernel& kernel : resample_kernels()) {
      if (kernel.name != kNull) list.push_back({kernel.name, "interpolator: " + kernel.description});
    }
    for (const EmbeddedModel& model : embedded_models()) {
      const NetworkMatch match = load_embedded(model).match;
      list.push_back({model.name, fmt::format("network of this project: {} x{}, {:.0f} MAC per input pixel",
                                              match.architecture, match.scale, match.macs_per_pixel)});
    }
    return list;
  }();
  return models;
}

UpscalerPtr load_upscaler(const ModelRequest& request, const ModelSearch& search) {
  if (request.parts.empty())
    throw std::invalid_argument(fmt::format("model '{}' has no parts", request.label));
  if (request.kind == ModelRequest::Kind::blend) return load_blend(request, search);
  if (request.kind == ModelRequest::Kind::single)
    return load_single(request.parts.front().first, request.input_range, search);
  std::vector<UpscalerPtr> parts;
  for (const auto& [name, weight] : request.parts)
    parts.push_back(load_single(name, request.input_range, search));
  return make_chain(request.label, std::move(parts));
}

UpscalerPtr load_upscaler_file(const std::filesystem::path& file) {
  return make_network_upscaler(file.stem().string(), load_file(file));
}

}  // namespace upbench
