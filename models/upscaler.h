#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "datasets/digest.h"
#include "datasets/image_fwd.h"
#include "models/padding.h"

namespace upbench {

enum class Precision { fp32, fp16, bf16 };

// Every fact that a caller needs about an upscaler, and nothing else.
struct UpscalerInfo {
  std::string name;           // as the request wrote it
  std::string architecture;   // "RRDBNet", "SRVGGNetCompact", "interpolator", "chain", "null"
  std::string recognised_by;  // the keys and shapes that decided, for people
  int scale = 0;              // 0: the caller chooses it
  std::vector<int> scales;    // where the caller chooses: among these, ascending; empty: any (interpolators)
  int size_multiple = 1;      // height and width of a batch must be multiples of this
  int minimum_size = 1;       // and at least this, as the authors pad; forward takes what either rule gives
  std::optional<PaddingRule> spandrel_padding;  // where spandrel pads otherwise
  int receptive_radius =
      -1;  // input pixels that an output pixel depends on, to each side; -1: unbounded or unknown
  std::int64_t parameters = 0;
  double macs_per_pixel =
      0;  // multiply-accumulates per *input* pixel, at the greatest of macs_by_scale if any
  std::map<int, double> macs_by_scale;  // of a network whose caller chooses the scale
  Digest tensor_hash;                   // over name-sorted (name, dtype, shape, bytes); zero: no weights
  std::string dialect;                  // "params_ema", "params", "plain": where in the file the tensors were
  std::string licence;                  // as the file states it; empty: it does not, or there is none
  bool supports_half = true;
  std::string input_range;  // "0..255", "0..1": of what its layers compute on, where its file does not tell
  std::vector<std::pair<std::string, std::string>> hyper_parameters;  // "blocks" -> "23"
};

// Models implement forward; only upscale() calls it, and it alone checks, pads, tiles, disables gradients,
// crops. Thread-compatible: forward is const and may run in several threads at once.
class Upscaler {
 public:
  virtual ~Upscaler() = default;
  virtual const UpscalerInfo& info() const = 0;
  // batch [N, 3, H, W], float32, RGB [0, 1], padded by one of the rules of info(); scale: info().scale, or
  // where that is 0 one of info().scales. Returns [N, 3, H * scale, W * scale], neither clamped nor rounded.
  virtual at::Tensor forward(const at::Tensor& batch, int scale) const = 0;
  // The same network with its weights on `device` ("cpu", "cuda:0") in `precision`; interpolators return
  // themselves.
  virtual std::shared_ptr<const Upscaler> to(const std::string& device, Precision precision) const = 0;
};

using UpscalerPtr = std::shared_ptr<const Upscaler>;

}  // namespace upbench
