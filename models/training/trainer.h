#pragma once

#include <cstdint>
#include <functional>

#include "models/checkpoint/checkpoint.h"

namespace upbench {

struct TrainingSettings {
  int scale = 2;           // 2..4
  std::uint64_t seed = 1;  // of the pictures, the first weights and the crops
  int steps = 5000;
  int features = 48;     // channels of the inner convolutions
  int convolutions = 6;  // inner convolutions
  int patch = 24;        // side of an LR crop
  int batch = 16;
  int pictures = 900;
  int picture_size = 192;       // HR, a multiple of scale
  double learning_rate = 1e-3;  // highest; falls along a half cosine
  int report_every = 250;       // steps
};

struct TrainingProgress {
  int step;
  double loss;  // mean since the last report: mean absolute error, values in [0, 1]
  double learning_rate;
  double held_out_psnr_y;  // dB, of the averaged weights on pictures that training never sees
};

struct TrainingResult {
  NamedTensors
      weights;  // float32, names and shapes of SRVGGNetCompact; moving average over the last ~1000 steps
  std::int64_t parameters = 0;
  double held_out_psnr_y = 0;   // of `weights` rounded to half precision, as they are shipped
  double held_out_bicubic = 0;  // matlab-bicubic on the same pictures
};

// Adam on the mean absolute error. On one thread the same settings give the same weights bit by bit on the
// same machine and LibTorch; the crops, pictures and first weights are the same everywhere. Throws
// std::invalid_argument for settings that cannot work.
TrainingResult train(const TrainingSettings& settings,
                     const std::function<void(const TrainingProgress&)>& report);

}  // namespace upbench
