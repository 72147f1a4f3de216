#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/codec/byte_order.h"
#include "datasets/codec/decode.h"
#include "datasets/image_set.h"
#include "datasets/procedural.h"

// What listing, identifying and loading share. Torch-free.
namespace upbench {

// A stem that ends in "x2", "x4", ...: what stands before it, and the number (1..99).
struct ScaleSuffix {
  std::string base;
  int scale;
};
std::optional<ScaleSuffix> scale_suffix(std::string_view stem);

// How the set's pictures are decoded.
DecodeLimits decode_limits(const ImageSetSpec& spec);

ImageSetSpec::LowResolution low_resolution(const ImageSetSpec& spec);
ProceduralPicture procedural_picture(const ImageSetSpec& spec, std::uint64_t index);

// The bytes of an item's files; empty where it has none.
struct ItemBytes {
  std::vector<std::uint8_t> lr, hr;
};
ItemBytes read_item(const ImageItem& item);

// Of a picture with 16 bit: as the pipeline gets it, and as metrics do (quantized()).
inline constexpr std::string_view kDeepNote =
    "16 bit a sample, kept; rounded to 8 bit for scoring, but not by metrics with @float";

// identify() without reading.
ItemIdentity identify_bytes(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes);

}  // namespace upbench
