#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include <ATen/ATen.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/support/assets.h"

namespace upbench {

// Where the environment names no folder of weights, LPIPS with AlexNet gets random ones of the same shapes,
// removed when the program ends: its time does not depend on them, its scores mean nothing. Once, before any
// metric is made.
inline void provide_lpips_weights() {
  if (std::getenv("UPBENCH_ASSETS") || std::getenv("UPBENCH_WEIGHTS")) return;
  static const test::TemporaryFolder folder;
  NamedTensors features, lin;
  const auto add = [&](const char* layer, int stage, std::int64_t outputs, std::int64_t inputs,
                       std::int64_t side) {
    const std::string name = std::string("features.") + layer;
    features[name + ".weight"] = at::randn({outputs, inputs, side, side}).mul_(0.05);
    features[name + ".bias"] = at::zeros({outputs});
    lin["lin" + std::to_string(stage) + ".model.1.weight"] = at::rand({1, outputs, 1, 1});
  };
  add("0", 0, 64, 3, 11);
  add("3", 1, 192, 64, 5);
  add("6", 2, 384, 192, 3);
  add("8", 3, 256, 384, 3);
  add("10", 4, 256, 256, 3);
  write_safetensors(folder / "alexnet_features.pth", features);
  write_safetensors(folder / "lin_v0.1_alex.pth", lin);
  setenv("UPBENCH_WEIGHTS", folder.path().c_str(), 1);
}

}  // namespace upbench
