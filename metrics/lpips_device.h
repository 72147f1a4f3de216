#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "metrics/lpips.h"

namespace upbench {

struct LpipsNetwork {
  LpipsTrunk trunk;
  NamedTensors weights;
  std::vector<at::Tensor> lin;  // [C] per stage
};

// LPIPS where the pictures are: the arithmetic of metrics/lpips.cpp in ATen's operators. The two differ by
// less than 1e-5 of the score: float32 in another order. Weights are brought to a device once. Thread-safe.
class LpipsDevices {
 public:
  explicit LpipsDevices(std::shared_ptr<const LpipsNetwork> network) : network_(std::move(network)) {}

  // A float64 on the pictures' device; queued on its current stream, on which the features have to be as
  // well. Exactly 0 for equal pictures.
  at::Tensor distance(const Image& output, const Image& reference, const FeatureSource& features);

 private:
  struct Placed;
  std::shared_ptr<const Placed> placed(const at::Device& device);

  std::shared_ptr<const LpipsNetwork> network_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Placed>> placed_;  // by device
};

}  // namespace upbench
