#pragma once

#include "reports/gate/picture_change.h"

namespace upbench {

// The tone change that comes nearest: one gamma, gain and offset, or gain and offset of each channel; of
// those that explain about as much (2 %), the simplest. difference: summed over all channels, > 0.
PictureChange best_tone(const PicturePlanes& base, const PicturePlanes& now, double difference);

}  // namespace upbench
