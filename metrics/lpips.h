#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "metrics/metric.h"
#include "models/checkpoint/checkpoint.h"

namespace upbench {

// A classification network cut into stages, as LPIPS compares pictures by (Zhang et al., CVPR 2018; version
// 0.1 of the weights).
struct LpipsTrunk {
  std::string network;   // for people: "AlexNet"
  std::string features;  // file of the convolutions, torchvision's keys features.N.weight and features.N.bias
  std::string lin;       // file of the learned channel weights, keys linN.model.1.weight of [1, C, 1, 1]
  int smallest_side;     // pixels; below it a stage is empty
  // The stages' outputs [1, C, h, w] for a normalised picture [1, 3, H, W], both channels last.
  std::vector<at::Tensor> (*stages)(const NamedTensors& weights, const at::Tensor& batch);
};

// As at::conv2d, with one weight for height and width. On a GPU in float32 proper and the same bits each
// time, whatever LibTorch's switches say meanwhile for the networks that are being scored.
at::Tensor exact_convolution(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                             std::int64_t stride, std::int64_t padding);

// Reads the two files from $UPBENCH_ASSETS/weights/lpips, else from $UPBENCH_WEIGHTS. Empty with `reason`
// filled when they are not there; throws std::invalid_argument naming the file when one is there but is not
// what it should be.
ScoreFunction make_lpips(const LpipsTrunk& trunk, std::string& reason);

}  // namespace upbench
