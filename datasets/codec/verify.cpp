#include <stdexcept>

#include <fmt/format.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "datasets/codec/picture_check.h"

namespace upbench {

void require_decodes_to(std::span<const std::uint8_t> file, const Raster& raster) {
  const Raster read = decode(file, "what was written", kNoDecodeLimits);
  const bool same = read.width == raster.width && read.height == raster.height &&
                    read.channels == raster.channels && read.bit_depth == raster.bit_depth &&
                    read.samples == raster.samples;
  if (same) return;
  throw std::runtime_error(fmt::format(
      "what was written decodes to another picture: {}x{}, {} channels of {} bit, expected {}x{}, {} "
      "channels of {} bit and the same samples",
      read.width, read.height, read.channels, read.bit_depth, raster.width, raster.height, raster.channels,
      raster.bit_depth));
}

ReadBackCheck read_back_check(const PictureCheck& check, const Raster& raster) {
  if (!check) return {};
  return [&](std::span<const std::uint8_t> read) { check(read, raster); };
}

}  // namespace upbench
