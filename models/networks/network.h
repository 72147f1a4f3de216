#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/checkpoint/checkpoint.h"

namespace upbench {

// One tensor that a network consists of: its shape, and the name that the network's function calls it by.
struct ExpectedTensor {
  std::vector<std::int64_t> shape;
  std::string canonical;
};
using Layout = std::map<std::string, ExpectedTensor>;  // by the file's own names

// batch [N, 3, H, W] -> [N, 3, H * scale, W * scale], in the dtype and on the device of the weights.
using NetworkFunction = std::function<at::Tensor(const at::Tensor&)>;

// What one architecture makes of a set of tensors. The facts are derived from names and shapes alone.
struct NetworkMatch {
  std::string architecture;
  std::string recognised_by;
  int scale = 0;
  int size_multiple = 1;
  int minimum_size = 1;
  int receptive_radius = -1;  // input pixels to each side; -1: unbounded
  double macs_per_pixel = 0;  // multiply-accumulates of convolutions per input pixel
  bool supports_half = true;
  std::vector<std::pair<std::string, std::string>> hyper_parameters;
  Layout layout;        // exactly these tensors make the network
  std::string problem;  // not empty: recognised, but not a network that this program runs, and why
  // Weights by canonical name, all of one dtype and device -> the network. Set where `problem` is empty.
  std::function<NetworkFunction(const NamedTensors&)> bind;
};

}  // namespace upbench
