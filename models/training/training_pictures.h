#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/procedural/random.h"

namespace upbench {

// A picture and its LR made by matlab-bicubic, both as 8-bit files would hold them: uint8 [3, H, W].
struct TrainingPair {
  at::Tensor lr, hr;
};

// `count` procedural pictures, the classes by their share in training (dead leaves most, then natural
// fields), rendered on all of ATen's threads. Pictures of one seed and of another have nothing in common:
// held-out sets use another seed.
std::vector<TrainingPair> render_training_pairs(int count, int size, int scale, std::uint64_t seed);

// Random crops, each flipped and turned by one of the eight symmetries of the square; float32 [batch, 3,
// side, side].
struct TrainingBatch {
  at::Tensor lr, hr;
};
TrainingBatch draw_batch(const std::vector<TrainingPair>& pairs, int batch, int patch, int scale,
                         procedural::Random& random);

// Mean over the pictures of PSNR on luma (BT.601 limited range) of the 8-bit result, border = scale left out,
// in dB. enlarge: float32 [1, 3, H, W] -> [1, 3, H * scale, W * scale].
double mean_psnr_y(const std::vector<TrainingPair>& pairs, int scale,
                   const std::function<at::Tensor(const at::Tensor&)>& enlarge);

}  // namespace upbench
