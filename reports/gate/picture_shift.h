#pragma once

#include <span>

#include "reports/gate/picture_change.h"

namespace upbench {

// Sum over pixels; both of one length.
double squared_difference(std::span<const float> first, std::span<const float> second);

// The translation of the base that comes nearest to `now`, at most 4.5 px each way. Judged inside a margin of
// 8 pixels and, of large pictures, on the middle 1024 x 1024. explained is 0 where nothing inside differs.
PictureChange best_shift(const PicturePlanes& base, const PicturePlanes& now);

}  // namespace upbench
