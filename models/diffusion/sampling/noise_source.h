#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Generator.h>
#include <c10/util/ArrayRef.h>

#include "datasets/image_fwd.h"

// Where the noise of a run comes from. Equal seeds and shapes give equal numbers, whatever device computes
// the rest; another shape of the same seed is other noise.
namespace upbench {

enum class NoiseKind {
  philox,    // the numbers of torch's CUDA generator, computed on the CPU ("NV" in AUTOMATIC1111)
  torch_cpu  // torch's CPU generator ("CPU" there; ComfyUI)
};

struct NoiseKindRow {
  NoiseKind kind;
  std::string name, description;
};
const std::vector<NoiseKindRow>& noise_kinds();
NoiseKind parse_noise_kind(std::string_view name);  // throws std::invalid_argument with the known names

// The seed of the stream for one use in a picture and one tile of it; streams of different uses or tiles are
// unrelated. What tools draw, the start noise of the whole picture (and what samplers draw after it from the
// same stream), is the stream of the plain seed: purpose kStartNoise, tile 0.
inline constexpr std::string_view kStartNoise = "start";
std::uint64_t stream_seed(std::uint64_t seed, std::string_view purpose = kStartNoise, std::uint64_t tile = 0);

// One stream of standard normal numbers. As in the tools each draw goes on where the last one ended: in units
// of whole draws for `philox`, of numbers for `torch_cpu`, which below 16 numbers computes them otherwise.
class NoiseSource {
 public:
  NoiseSource(NoiseKind kind, std::uint64_t seed);

  at::Tensor draw(at::IntArrayRef shape);  // float32, on the CPU

 private:
  at::Tensor draw_philox(at::IntArrayRef shape);

  NoiseKind kind_;
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
  at::Generator torch_cpu_;
};

}  // namespace upbench
