#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/faults/fault.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using Shapes = std::map<std::string, std::vector<int>>;

// safetensors of zeros of these shapes.
std::string zeros_of(const Shapes& shapes) {
  std::vector<std::string> entries;
  std::size_t end = 0;
  for (const auto& [name, shape] : shapes) {
    const std::size_t begin = end;
    std::size_t bytes = sizeof(float);
    for (const int size : shape) bytes *= static_cast<std::size_t>(size);
    end += bytes;
    entries.push_back(fmt::format(R"("{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})", name,
                                  fmt::join(shape, ","), begin, end));
  }
  return safetensors_bytes(fmt::format("{{{}}}", fmt::join(entries, ",")), end);
}

Fault as_model(const char* name, const char* input, const Shapes& shapes, const char* message) {
  return {.row = 73,
          .name = name,
          .input = input,
          .make =
              [shapes](const std::filesystem::path& folder) {
                write_text((folder / "w.safetensors").string(), zeros_of(shapes));
              },
          .command = {"upscale", "none.png", "--model", "w.safetensors"},
          .exit_code = 2,
          .message = message};
}

// SRVGGNetCompact of one convolution between the first and the last, x2.
Shapes compact() {
  return {{"body.0.weight", {4, 3, 3, 3}},  {"body.0.bias", {4}}, {"body.1.weight", {4}},
          {"body.2.weight", {4, 4, 3, 3}},  {"body.2.bias", {4}}, {"body.3.weight", {4}},
          {"body.4.weight", {12, 4, 3, 3}}, {"body.4.bias", {12}}};
}

// That network after a change.
Shapes without(const std::string& name) {
  Shapes shapes = compact();
  shapes.erase(name);
  return shapes;
}
Shapes with(const Shapes& more) {
  Shapes shapes = compact();
  for (const auto& [name, shape] : more) shapes[name] = shape;
  return shapes;
}

}  // namespace

FaultTable network_faults() {
  return {
      .title = "Weights of no network that is known",
      .introduction =
          "Up to three candidates are named, the nearest first, and of each the first five tensors that are "
          "missing, that it has not, and that have another shape or type there.",
      .faults = {
          as_model("NoNameInCommon", "a tensor that no network has", {{"w", {4}}},
                   "unknown architecture: no tensor is named as in RRDBNet or SRVGGNetCompact or IMDN"),
          as_model("NearestArchitectures", "two tensors of RRDBNet, whose names PAN and others use too",
                   {{"conv_first.weight", {64, 3, 3, 3}}, {"conv_first.bias", {64}}, {"attention", {1}}},
                   "unknown architecture; nearest: RRDBNet (2 of its 702 names; 700 missing: HRconv.bias, "
                   "HRconv.weight, RRDB_trunk.0.RDB1.conv1.bias, RRDB_trunk.0.RDB1.conv1.weight, "
                   "RRDB_trunk.0.RDB1.conv2.bias, ...; 1 unexpected: attention), PAN (2 of its "),
          as_model("MissingTensor", "a network without one of its tensors", without("body.2.bias"),
                   "looks like SRVGGNetCompact (body.N.weight alternates 3x3 convolutions and PReLU slopes; "
                   "body.4 gives 12 channels = 3 x 2^2), but is not; 1 missing: body.2.bias"),
          as_model("UnexpectedTensors", "a network with six tensors more",
                   with({{"x.0", {1}}, {"x.1", {1}}, {"x.2", {1}}, {"x.3", {1}}, {"x.4", {1}}, {"x.5", {1}}}),
                   "but is not; 6 unexpected: x.0, x.1, x.2, x.3, x.4, ..."),
          as_model(
              "WrongShape", "a network with one tensor of another shape",
              with({{"body.2.weight", {4, 4, 1, 1}}}),
              "but is not; 1 of another shape or type: body.2.weight [4, 4, 1, 1] expected [4, 4, 3, 3]"),
      }};
}

}  // namespace upbench::test
