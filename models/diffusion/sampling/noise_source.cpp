#include "models/diffusion/sampling/noise_source.h"

#include <cmath>
#include <numbers>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "datasets/procedural/random.h"
#include "models/diffusion/sampling/named_row.h"
#include "models/diffusion/sampling/philox.h"

namespace upbench {
namespace {

constexpr auto low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
constexpr auto high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32U);
}

// Box and Muller (1958), the sine branch, from two 32 bit numbers taken as the middles of 2^32 equal parts of
// (0, 1), as NVIDIA's cuRAND; in double precision, where that computes in single.
float normal(std::uint32_t radius, std::uint32_t angle) {
  const double u = (radius + 0.5) * 0x1p-32, v = (angle + 0.5) * 0x1p-32;
  return static_cast<float>(std::sqrt(-2 * std::log(u)) * std::sin(2 * std::numbers::pi * v));
}

}  // namespace

const std::vector<NoiseKindRow>& noise_kinds() {
  static const std::vector<NoiseKindRow> rows = {
      {NoiseKind::philox, "philox", "Philox 4x32-10, torch's numbers on CUDA (\"NV\" in A1111)"},
      {NoiseKind::torch_cpu, "torch-cpu", "torch's CPU generator (\"CPU\" in A1111, ComfyUI)"},
  };
  return rows;
}

NoiseKind parse_noise_kind(std::string_view name) {
  return named_row(noise_kinds(), name, "noise source").kind;
}

std::uint64_t stream_seed(std::uint64_t seed, std::string_view purpose, std::uint64_t tile) {
  if (purpose == kStartNoise && tile == 0) return seed;
  std::uint64_t state = procedural::mixed(seed ^ 0x5851f42d4c957f2dU);
  for (const char letter : purpose)
    state = procedural::mixed(state + static_cast<unsigned char>(letter) + 0x9e3779b97f4a7c15U);
  return procedural::mixed(state ^ procedural::mixed(tile + 0x2545f4914f6cdd1dU));
}

NoiseSource::NoiseSource(NoiseKind kind, std::uint64_t seed) : kind_(kind), seed_(seed) {
  if (kind == NoiseKind::torch_cpu) torch_cpu_ = at::detail::createCPUGenerator(seed);
}

at::Tensor NoiseSource::draw(at::IntArrayRef shape) {
  return kind_ == NoiseKind::philox ? draw_philox(shape) : at::randn(shape, torch_cpu_, at::kFloat);
}

// As torch's CUDA kernel while every number has a thread of its own: the key is the seed, the counter's
// halves are the draw and the number's place (cuRAND's offset and subsequence); of the four outputs two are
// used. On larger shapes a GPU gives each thread several numbers, how many depends on the GPU; A1111's "NV"
// and this source do not follow it there.
at::Tensor NoiseSource::draw_philox(at::IntArrayRef shape) {
  at::Tensor numbers = at::empty(shape, at::kFloat);
  const auto count = static_cast<std::uint64_t>(numbers.numel());
  float* out = numbers.mutable_data_ptr<float>();
  const PhiloxKey key = {low(seed_), high(seed_)};
  for (std::uint64_t i = 0; i < count; ++i) {
    const PhiloxCounter bits = philox({low(draws_), high(draws_), low(i), high(i)}, key);
    out[i] = normal(bits[0], bits[1]);
  }
  ++draws_;
  return numbers;
}

}  // namespace upbench
