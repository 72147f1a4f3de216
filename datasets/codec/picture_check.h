#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "datasets/codec/encode.h"
#include "datasets/codec/raster.h"

namespace upbench {

// What the file of a written picture is held to, from any thread: require_decodes_to(), or nothing. Throws
// std::runtime_error where the file is not this picture.
using PictureCheck = std::function<void(std::span<const std::uint8_t> file, const Raster& raster)>;

// The check of this picture as write_file_atomically() takes it, empty where `check` is. Both are referred to
// until the file is written.
ReadBackCheck read_back_check(const PictureCheck& check, const Raster& raster);

}  // namespace upbench
