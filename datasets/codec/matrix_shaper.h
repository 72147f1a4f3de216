#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace upbench {

// 8-bit RGB to 8-bit sRGB for profiles of a curve a channel and a matrix, which are most: light adds up, so
// that three tables of 256 colours say what every colour becomes. Where that comes so close to the edge
// between two codes that floating point may decide otherwise, it does not decide.
class MatrixShaper {
 public:
  // `linear`: the transform (Little CMS, RGB of float to RGB of float) from the profile to linear light of
  // sRGB's primaries. Nothing where light does not add up.
  static std::optional<MatrixShaper> of(void* linear);

  // False: too close, nothing was written. `out` may be `in`.
  bool convert(const std::uint8_t* in, std::uint8_t* out) const {
    std::uint8_t codes[3];
    for (std::size_t c = 0; c < 3; ++c) {
      const float light = table_[0][in[0]][c] + table_[1][in[1]][c] + table_[2][in[2]][c];
      const float within = light < 0 ? 0 : light < kAlmostOne ? light : kAlmostOne;
      // One edge at most lies within a step.
      const std::size_t below = edges_below_[static_cast<std::size_t>(within * kSteps)];
      const std::size_t code = below + (light >= edge_[below + 1]);
      if (light - edge_[code] < kDoubt || edge_[code + 1] - light < kDoubt) return false;
      codes[c] = static_cast<std::uint8_t>(code);
    }
    for (std::size_t c = 0; c < 3; ++c) out[c] = codes[c];
    return true;
  }

 private:
  MatrixShaper();

  static constexpr float kAlmostOne = 0.99999F;
  static constexpr int kSteps = 4096;  // finer than sRGB's codes in the dark, 1 / (255 * 12.92) apart
  // Of light: some fifty times by how much this and the library's arithmetic, both in float, were seen to
  // differ (7e-8).
  static constexpr float kDoubt = 4e-6F;
  using Light = std::array<float, 3>;
  std::array<std::vector<Light>, 3> table_;         // channel, code: its light, the first with that of black
  std::array<float, 257> edge_;                     // of code k: from [k] to [k + 1]
  std::array<std::uint8_t, kSteps> edges_below_{};  // a step's start: how many edges above black's lie below
};

}  // namespace upbench
