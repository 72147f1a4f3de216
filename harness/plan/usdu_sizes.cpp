#include "harness/plan/usdu_sizes.h"

#include <algorithm>

namespace upbench {
namespace {

int rounded_up(int value, int multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// 0: none divides it.
int part_of(int factor) {
  for (const int part : {4, 3, 2})
    if (factor % part == 0) return part;
  return 0;
}

}  // namespace

std::vector<PictureSize> usdu_sizes(PictureSize input, PictureSize target) {
  const PictureSize end{rounded_up(target.width, 64), rounded_up(target.height, 64)};
  const int long_side = std::max(input.width, input.height);
  int factor = (std::max(end.width, end.height) + long_side - 1) / long_side;
  while (factor > 1 && part_of(factor) == 0) ++factor;
  std::vector<PictureSize> sizes;
  PictureSize now = input;
  while (factor > 1) {
    const int part = part_of(factor);
    if (part == 0) break;  // 10 = 2 x 5: the rest is left to Lanczos
    now = {now.width * part / 8 * 8, now.height * part / 8 * 8};
    sizes.push_back(now);
    factor /= part;
  }
  sizes.push_back(end);
  return sizes;
}

}  // namespace upbench
