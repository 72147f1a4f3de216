#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/checkpoint/checkpoint.h"
#include "models/padding.h"

namespace upbench {

// One tensor that a file of a network holds: its shape, and the name that the network's function calls it by.
struct ExpectedTensor {
  enum class Use {
    weight,    // floating point; given to the network
    computed,  // of any type; the network makes it itself, and the file's must hold the same values
    ignored,   // of any type; no pixel depends on it: counters, weights that training left behind
  };
  std::vector<std::int64_t> shape;
  std::string canonical;
  Use use = Use::weight;
  at::Tensor value = {};  // of what is computed
};
using Layout = std::map<std::string, ExpectedTensor>;  // by the file's own names

// batch [N, 3, H, W] -> [N, 3, H * scale, W * scale], in the dtype and on the device of the weights.
using NetworkFunction = std::function<at::Tensor(const at::Tensor&)>;

// What one architecture makes of a set of tensors. The facts are derived from names and shapes alone.
struct NetworkMatch {
  std::string architecture;
  std::string recognised_by;
  int scale = 0;            // 0: the caller chooses it
  std::vector<int> scales;  // where the caller chooses: among these, ascending; empty: any
  int size_multiple = 1;    // as the authors pad
  int minimum_size = 1;
  std::optional<PaddingRule> spandrel_padding;  // where spandrel pads otherwise than the authors
  int receptive_radius = -1;                    // input pixels to each side; -1: unbounded
  // Multiply-accumulates of convolutions, linear layers and products of attention per input pixel; where the
  // caller chooses the scale, at the greatest of macs_by_scale.
  double macs_per_pixel = 0;
  std::map<int, double> macs_by_scale;  // where the caller chooses
  bool supports_half = true;
  // Of the values that the layers compute on, where no tensor tells: "0..255" or "0..1", as the authors' or
  // as set_input_range() was told. Empty: there is no choice.
  std::string input_range;
  std::vector<std::pair<std::string, std::string>> hyper_parameters;
  Layout layout;        // exactly these tensors make the network
  std::string problem;  // not empty: recognised, but not a network that this program runs, and why
  // Weights by canonical name, all of one dtype and device -> the network. Set where `problem` is empty.
  std::function<NetworkFunction(const NamedTensors&)> bind;
  // The same where the caller chooses the scale; `bind` is then empty.
  std::function<NetworkFunction(const NamedTensors&, int scale)> bind_at;
  // Beside `bind`, where there is an input_range: the network on values of 0 to `greatest`.
  std::function<NetworkFunction(const NamedTensors&, double greatest)> bind_on;
};

}  // namespace upbench
