#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/codec/raster.h"
#include "datasets/digest.h"

namespace upbench {

// Pictures that the program makes itself, so that a comparison needs no file: part of their identity; rises
// whenever the pixels of any of them may change.
inline constexpr int kProceduralVersion = 1;

// dead-leaves, text, line-art, smooth-shading, periodic-texture, natural-field: the order is the order of a
// set.
const std::vector<std::string>& procedural_classes();

inline constexpr int kSmallestProcedural = 16, kLargestProcedural = 4096;  // side, pixels

struct ProceduralPicture {
  std::string cls;  // one of procedural_classes()
  int size = 192;   // side, pixels; kSmallestProcedural..kLargestProcedural
  std::uint64_t seed = 1;
  std::uint64_t index = 0;  // which picture of its class and seed
};

// Stands for the pixels: version, class, size, seed, index. Both throw std::invalid_argument (naming what is
// wrong) for an unknown class or a size out of range.
Digest procedural_identity(const ProceduralPicture& picture);
std::string procedural_name(const ProceduralPicture& picture);  // "text-003"

// 8-bit RGB, size x size. Painted on 3 x 3 samples a pixel and averaged, so that edges are as sharp as the
// pixel grid can hold. The same bytes on every IEEE machine and in every thread: own random numbers, and no
// arithmetic but
// + - x / sqrt (built without contraction to FMA). A picture depends on its own fields alone, never on its
// neighbours in a set. Thread-safe. Throws as procedural_identity does.
Raster render_procedural(const ProceduralPicture& picture);

}  // namespace upbench
