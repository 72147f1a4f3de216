#include "datasets/resampling/pick.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>
#include <vector>

#include "datasets/resampling/levels.h"
#include "datasets/vector_clones.h"
#include "datasets/wide_vectors.h"

namespace upbench {
namespace {

// One shuffle of bytes moves this many outputs.
constexpr std::size_t kBytes = 16;
using Bytes [[gnu::vector_size(kBytes)]] = std::uint8_t;

// The columns of a row by blocks of kCount outputs: where a block's inputs begin, and each output byte's
// distance from there.
template <typename Sample>
struct Columns {
  static constexpr std::size_t kCount = kBytes / sizeof(Sample);
  // As many registers as are faster than one sample at a time.
  static constexpr std::size_t kMostRegisters = sizeof(Sample) == 1 ? 4 : 2;

  const std::vector<int>& picked;
  std::vector<std::size_t> starts;
  std::vector<std::array<std::uint8_t, kBytes>> offsets;
  std::size_t registers = 0;  // that hold the inputs of any block; 0: blocks reach too far to shuffle

  Columns(const std::vector<int>& columns, std::size_t width) : picked(columns) {
    const std::size_t whole = columns.size() / kCount * kCount;
    int reach = 0;
    for (std::size_t x = 0; x < whole; x += kCount)
      reach = std::max(reach, columns[x + kCount - 1] - columns[x]);
    const std::size_t wanted = static_cast<std::size_t>(reach) / kCount + 1;
    if (wanted > kMostRegisters || width < wanted * kCount) return;
    registers = wanted;
    for (std::size_t x = 0; x < whole; x += kCount) {
      starts.push_back(std::min(static_cast<std::size_t>(columns[x]), width - registers * kCount));
      auto& block = offsets.emplace_back();
      for (std::size_t i = 0; i < kBytes; ++i) {
        const std::size_t input = static_cast<std::size_t>(columns[x + i / sizeof(Sample)]) - starts.back();
        block[i] = static_cast<std::uint8_t>(input * sizeof(Sample) + i % sizeof(Sample));
      }
    }
  }
};

// samples[offsets[i] modulo kBytes] in place i.
UPBENCH_ALWAYS_INLINE Bytes shuffle(Bytes samples, Bytes offsets) {
#ifdef __clang__  // has no shuffle by offsets only known at run time
  Bytes shuffled;
  for (std::size_t i = 0; i < kBytes; ++i) shuffled[i] = samples[offsets[i] % kBytes];
  return shuffled;
#else
  return __builtin_shuffle(samples, offsets);
#endif
}

template <typename Sample, typename Registers>
UPBENCH_ALWAYS_INLINE void shuffle_blocks(const Sample* row, const Columns<Sample>& columns,
                                          Registers registers, Sample* out) {
  for (std::size_t block = 0; block < columns.starts.size(); ++block, out += Columns<Sample>::kCount) {
    const Sample* from = row + columns.starts[block];
    Bytes offsets, picked{};
    std::memcpy(&offsets, columns.offsets[block].data(), kBytes);
    for (std::size_t i = 0; i < registers; ++i, from += Columns<Sample>::kCount) {
      Bytes samples;
      std::memcpy(&samples, from, kBytes);
      samples = shuffle(samples, offsets);
      picked = offsets >= static_cast<std::uint8_t>(i * kBytes) ? samples : picked;
    }
    std::memcpy(out, &picked, kBytes);
  }
}

template <typename Sample>
UPBENCH_ALWAYS_INLINE void pick_row(const Sample* row, const Columns<Sample>& columns, Sample* out) {
  if (columns.registers == 1)
    shuffle_blocks(row, columns, std::integral_constant<std::size_t, 1>{}, out);
  else
    shuffle_blocks(row, columns, columns.registers, out);
  const int* const picked = columns.picked.data();
  const std::size_t done = columns.starts.size() * Columns<Sample>::kCount;
  const Sample* __restrict from = row;
  Sample* __restrict to = out;
  for (std::size_t x = done; x < columns.picked.size(); ++x) to[x] = from[picked[x]];
}

UPBENCH_VECTOR_CLONES void pick(const float* row, const Columns<float>& columns, float* out) {
  pick_row(row, columns, out);
}

UPBENCH_VECTOR_CLONES void pick(const std::uint8_t* row, const Columns<std::uint8_t>& columns,
                                std::uint8_t* out) {
  pick_row(row, columns, out);
}

// pick_one(row, out) makes one output row; rows that repeat are copied.
template <typename Sample, typename PickOne>
void pick_rows(const Sample* in, int planes, int height, int width, const AxisWeights& vertical,
               const AxisWeights& horizontal, Sample* out, PickOne pick_one) {
  const auto in_width = static_cast<std::size_t>(width);
  const std::size_t out_width = horizontal.first.size();
  for (int plane = 0; plane < planes; ++plane, in += static_cast<std::size_t>(height) * in_width) {
    int before = -1;
    for (const int row : vertical.first) {
      if (row == before)
        std::copy(out - out_width, out, out);
      else
        pick_one(in + static_cast<std::size_t>(row) * in_width, out);
      before = row;
      out += out_width;
    }
  }
}

template <typename Sample>
void pick_samples(const Sample* in, int planes, int height, int width, const AxisWeights& vertical,
                  const AxisWeights& horizontal, Sample* out) {
  const Columns<Sample> columns(horizontal.first, static_cast<std::size_t>(width));
  pick_rows(in, planes, height, width, vertical, horizontal, out,
            [&](const Sample* row, Sample* to) { pick(row, columns, to); });
}

}  // namespace

bool picks(const AxisWeights& vertical, const AxisWeights& horizontal) {
  return vertical.taps == 1 && horizontal.taps == 1;
}

void pick_pixels(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                 const AxisWeights& horizontal, float* out) {
  pick_samples(in, planes, height, width, vertical, horizontal, out);
}

void pick_pixels(const std::uint8_t* in, int planes, int height, int width, const AxisWeights& vertical,
                 const AxisWeights& horizontal, std::uint8_t* out) {
  pick_samples(in, planes, height, width, vertical, horizontal, out);
}

void pick_rounded_pixels(const float* in, int planes, int height, int width, const AxisWeights& vertical,
                         const AxisWeights& horizontal, float* out) {
  const auto in_width = static_cast<std::size_t>(width);
  const std::size_t out_width = horizontal.first.size();
  const Columns<float> columns(horizontal.first, in_width);
  std::vector<float> rounded(in_width);
  pick_rows(in, planes, height, width, vertical, horizontal, out, [&](const float* row, float* to) {
    if (out_width < in_width) {  // the smaller of the two rows is rounded
      pick(row, columns, to);
      round_to_levels(to, out_width);
    } else {
      std::copy(row, row + in_width, rounded.begin());
      round_to_levels(rounded.data(), in_width);
      pick(rounded.data(), columns, to);
    }
  });
}

}  // namespace upbench
