#pragma once

#include <nlohmann/json.hpp>

#include "harness/stage_kinds.h"

namespace upbench {

// What a hires stage makes of a picture's size.
struct HiresSize {
  PictureSize enlarged;      // what the upscaler is asked for
  PictureSize coded;         // of these, whole latents
  int left = 0, top = 0;     // pixels of `enlarged` before `coded`
  int cut_x = 0, cut_y = 0;  // latents cut away in all; of an odd number one more at the right and bottom
  PictureSize output;        // that remains
};

// settings: scale, resize-x, resize-y (0: not given), order. factor: pixels to a latent.
//
// a1111: int(w scale) x int(h scale) without resize-x and -y; with one of them the other follows from the
// sides by whole division; with both the sides that cover them, and (side - wanted) / factor latents, whole
// division, are cut away. What exceeds whole latents at the right and bottom is not coded.
// comfy: sides in latents times scale, rounded half to even, or resize-x and -y as they are (a side that is
// not given follows, rounded); what exceeds whole latents is cut half at each side (smaller half first).
HiresSize hires_size(const nlohmann::json& settings, PictureSize input, int factor);

}  // namespace upbench
