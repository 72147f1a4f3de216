#pragma once

#include <cstdint>
#include <string>

#include "datasets/degradation/settings.h"
#include "datasets/digest.h"
#include "datasets/image_fwd.h"

namespace upbench {

// Part of the hash of every degraded picture: rises whenever the pixels of any of them may change.
inline constexpr int kDegradationVersion = 1;

// The picture as a camera, a network and a format would leave it: see DegradeSettings. Of size
// degraded_size(); whole 8-bit levels, as it would be saved, so that a stage and a written file are the same
// picture. Random numbers follow from `seed` and `content`, which stands for the picture (the hash of its
// file, say): the same picture gives the same result in any set, any order and on any machine. Computed on
// the CPU; the result is on the image's device. Throws std::invalid_argument for settings out of range,
// std::runtime_error for a picture too large for JPEG or WebP.
Image degrade(const Image& image, const DegradeSettings& settings, std::uint64_t seed, const Digest& content);

// What degrade() draws and does, in words, for a record; the same for all pictures of one size and content.
std::string describe_degradation(const DegradeSettings& settings, std::uint64_t seed, const Digest& content);

}  // namespace upbench
