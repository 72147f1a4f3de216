#pragma once

#include <cmath>

#include <ATen/ATen.h>

#include "models/networks/network.h"

namespace upbench::test {

// Tensors of a layout, by the file's names (or the canonical ones), so scaled that activations neither vanish
// nor explode.
inline NamedTensors random_tensors(const Layout& layout, std::uint64_t seed, bool canonical = false) {
  at::manual_seed(seed);
  NamedTensors tensors;
  for (const auto& [name, expected] : layout) {
    if (expected.use == ExpectedTensor::Use::computed) {
      tensors[name] = expected.value;
      continue;
    }
    double fan_in = 1;
    for (std::size_t i = 1; i < expected.shape.size(); ++i) fan_in *= static_cast<double>(expected.shape[i]);
    tensors[canonical ? expected.canonical : name] =
        at::randn(expected.shape) * (expected.shape.size() == 1 ? 0.1 : 1 / std::sqrt(fan_in));
    if (name.ends_with(".running_var")) tensors[name].abs_().add_(0.5);
  }
  return tensors;
}

// Tensors of a layout that take no memory, for what is told from shapes alone.
inline NamedTensors hollow_tensors(const Layout& layout) {
  NamedTensors tensors;
  for (const auto& [name, expected] : layout)
    tensors[name] =
        expected.use == ExpectedTensor::Use::computed ? expected.value : at::zeros({}).expand(expected.shape);
  return tensors;
}

// What a network of random weights makes of a random batch [2, 3, height, width].
inline at::Tensor random_output(const NetworkMatch& match, std::int64_t height, std::int64_t width) {
  const NetworkFunction network = match.bind(random_tensors(match.layout, 1, true));
  return network(at::rand({2, 3, height, width}));
}

// The same tensors by canonical name.
inline NamedTensors canonical_tensors(const Layout& layout, const NamedTensors& tensors) {
  NamedTensors renamed;
  for (const auto& [name, expected] : layout) renamed[expected.canonical] = tensors.at(name);
  return renamed;
}

// The largest distance at which a change of one input pixel is seen in the output, in input pixels, and that
// it is seen nowhere farther.
inline int measured_radius(const NetworkFunction& network, int scale, int multiple, int claimed) {
  const int middle = (claimed + 2 + multiple) / multiple * multiple, side = 2 * middle + multiple;
  at::manual_seed(7);
  const at::Tensor input = at::rand({1, 3, side, side});
  int farthest = 0;
  for (int phase = 0; phase < multiple;
       ++phase) {  // a pixel unshuffle treats the pixels of a block differently
    at::Tensor changed = input.clone();
    changed[0].select(1, middle + phase).select(1, middle + phase).add_(1.0);
    const at::Tensor rows =
        (network(changed) - network(input)).abs().amax({0, 1, 3}).reshape({side, scale}).amax(1);
    for (int row = 0; row < side; ++row) {
      if (rows[row].item<float>() != 0) farthest = std::max(farthest, std::abs(row - middle - phase));
    }
  }
  return farthest;
}

}  // namespace upbench::test
