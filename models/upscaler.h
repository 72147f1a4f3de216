#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datasets/digest.h"
#include "datasets/image_fwd.h"

namespace upbench {

enum class Precision { fp32, fp16, bf16 };

// Every fact that a caller needs about an upscaler, and nothing else.
struct UpscalerInfo {
  std::string name;           // as the request wrote it
  std::string architecture;   // "RRDBNet", "SRVGGNetCompact", "interpolator", "chain", "null"
  std::string recognised_by;  // the keys and shapes that decided, for people
  int scale = 0;              // 0: any (interpolators)
  int size_multiple = 1;      // height and width of a batch must be multiples of this
  int minimum_size = 1;       // and at least this
  int receptive_radius =
      -1;  // input pixels that an output pixel depends on, to each side; -1: unbounded or unknown
  std::int64_t parameters = 0;
  double macs_per_pixel = 0;  // multiply-accumulates per *input* pixel
  Digest tensor_hash;         // over name-sorted (name, dtype, shape, bytes); zero: no weights
  std::string dialect;        // "params_ema", "params", "plain": where in the file the tensors were
  bool supports_half = true;
  std::vector<std::pair<std::string, std::string>> hyper_parameters;  // "blocks" -> "23"
};

// Models implement forward; only upscale() calls it, and it alone checks, pads, tiles, disables gradients,
// crops. Thread-compatible: forward is const and may run in several threads at once.
class Upscaler {
 public:
  virtual ~Upscaler() = default;
  virtual const UpscalerInfo& info() const = 0;
  // batch [N, 3, H, W], float32, RGB [0, 1], H and W multiples of info().size_multiple; scale: info().scale,
  // or any for interpolators. Returns [N, 3, H * scale, W * scale], neither clamped nor rounded.
  virtual at::Tensor forward(const at::Tensor& batch, int scale) const = 0;
  // The same network with its weights on `device` ("cpu", "cuda:0") in `precision`; interpolators return
  // themselves.
  virtual std::shared_ptr<const Upscaler> to(const std::string& device, Precision precision) const = 0;
};

using UpscalerPtr = std::shared_ptr<const Upscaler>;

}  // namespace upbench
