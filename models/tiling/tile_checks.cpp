#include "models/tiling/tile_checks.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <numeric>
#include <tuple>

#include <ATen/ATen.h>

#include "datasets/device/pixels.h"

namespace upbench {
namespace {

// Blocks of a fixed length are what makes compilers use vector instructions here; ATen's comparisons and
// count take 25 times as long and two pictures of memory.
std::int64_t count_outside(const float* values, std::int64_t count) {
  constexpr std::int64_t kBlock = 64;
  const auto outside = [](float value) {
    return static_cast<std::int32_t>(value < 0) | static_cast<std::int32_t>(value > 1);
  };
  std::int64_t total = 0, i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    std::int32_t in_block = 0;
    for (std::int64_t k = 0; k < kBlock; ++k) in_block += outside(values[i + k]);
    total += in_block;
  }
  for (; i < count; ++i) total += outside(values[i]);
  return total;
}

std::int64_t count_outside(const at::Tensor& values) {
  if (values.is_contiguous()) return count_outside(values.const_data_ptr<float>(), values.numel());
  if (values.stride(2) != 1) return count_outside(values.contiguous());
  std::int64_t total = 0;
  for (std::int64_t channel = 0; channel < values.size(0); ++channel)
    for (std::int64_t row = 0; row < values.size(1); ++row)
      total += count_outside(values[channel][row].const_data_ptr<float>(), values.size(2));
  return total;
}

const PixelKernels* table_for(const at::Tensor& values) {
  return kernels_for(kernel_choice().statistics, values);
}

// Places of TileStatistics' whole numbers in it, in units of their size.
constexpr std::int64_t kNotFinite = offsetof(TileStatistics, non_finite) / sizeof(std::uint64_t);
constexpr std::int64_t kOutside = offsetof(TileStatistics, outside) / sizeof(std::uint64_t);

// [N, numbers] of int64, of which the two above count.
at::Tensor statistics(const PixelKernels& table, const at::Tensor& batch) {
  constexpr std::int64_t kNumbers = sizeof(TileStatistics) / sizeof(std::uint64_t);
  return kernels::tile_statistics(table, batch).view(at::kLong).view({-1, kNumbers});
}

using Notes = std::vector<at::Tensor>;

// Those that are defined, lists and entries in their order: one transfer.
std::vector<double> brought_here(std::initializer_list<const Notes*> lists) {
  std::vector<at::Tensor> all;
  for (const Notes* notes : lists) {
    Notes defined;
    std::ranges::copy_if(*notes, std::back_inserter(defined), &at::Tensor::defined);
    if (!defined.empty()) all.push_back(at::stack(defined).to(at::kDouble));
  }
  if (all.empty()) return {};
  const at::Tensor here = at::cat(all).cpu();
  return {here.const_data_ptr<double>(), here.const_data_ptr<double>() + here.numel()};
}

}  // namespace

TileChecks::TileChecks(std::size_t tiles)
    : least_(tiles), greatest_(tiles), not_finite_(tiles), outside_(tiles), noted_(tiles, 0) {}

void TileChecks::note_finite(std::span<const std::size_t> tiles, const at::Tensor& batch) {
  const auto count = static_cast<std::int64_t>(tiles.size());
  const PixelKernels* table = table_for(batch);
  const at::Tensor results = table ? statistics(*table, batch.narrow(0, 0, count)) : at::Tensor();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::size_t tile = tiles[static_cast<std::size_t>(i)];
    if (table)
      not_finite_[tile] = results[i][kNotFinite];
    else
      std::tie(least_[tile], greatest_[tile]) = at::aminmax(batch[i]);
  }
}

void TileChecks::note_outside(std::size_t tile, const at::Tensor& values) {
  noted_[tile] = values.numel();
  if (const PixelKernels* table = table_for(values))
    outside_[tile] = statistics(*table, values.unsqueeze(0))[0][kOutside];
  else if (values.is_cpu())
    outside_[tile] = at::full({}, count_outside(values), at::kLong);
  else
    outside_[tile] = values.lt(0).logical_or_(values.gt(1)).count_nonzero();
}

TileChecks::Answer TileChecks::answer() const {
  const std::vector<double> values = brought_here({&least_, &greatest_, &not_finite_, &outside_});
  std::size_t next = 0;
  const auto each = [&](const Notes& notes, const auto& use) {
    for (std::size_t tile = 0; tile < notes.size(); ++tile)
      if (notes[tile].defined()) use(tile, values[next++]);
  };
  Answer answer;
  double outside = 0;
  const auto note = [&](std::size_t tile, bool finite) {
    if (!finite) answer.not_finite = std::min(tile, answer.not_finite.value_or(tile));
  };
  each(least_, [&](std::size_t tile, double value) { note(tile, std::isfinite(value)); });
  each(greatest_, [&](std::size_t tile, double value) { note(tile, std::isfinite(value)); });
  each(not_finite_, [&](std::size_t tile, double count) { note(tile, count == 0); });
  each(outside_, [&](std::size_t, double count) { outside += count; });
  const auto noted = std::accumulate(noted_.begin(), noted_.end(), std::int64_t{0});
  if (noted > 0) answer.outside_share = outside / static_cast<double>(noted);
  return answer;
}

}  // namespace upbench
