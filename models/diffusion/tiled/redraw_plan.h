#pragma once

#include <string_view>
#include <vector>

#include "models/diffusion/tiled/pixel_box.h"
#include "models/tiling/tile_plan.h"

// Ultimate SD Upscale: a picture is redrawn tile by tile, each tile "inpainted, only masked" by the model on
// its own; then, if asked, its seams are. Which tiles, in which order, by which masks; torch-free. From the
// description of Coyote-A/ultimate-upscale-for-automatic1111 and of its ComfyUI port.
namespace upbench {

enum class RedrawOrder {
  linear,  // row by row
  chess,   // cells with an even column + row, row by row, then the others
  none     // no tile: seams only
};

enum class SeamFix {
  none,
  band,                  // bands across the whole picture, centred on the seams
  half_tile,             // tiles half a tile lower, then half a tile further right
  half_tile_and_corners  // and tiles half a tile in both directions over their intersections
};

// How much of the picture is read for a tile, and at which size it is processed.
enum class CropRule {
  // A1111's "only masked": the box of the blurred mask and the padding, grown to the shape of the processing
  // size and resampled to it. What is not under the mask is kept in latents too. Redrawn tiles are processed
  // at side + padding, rounded up to 64.
  a1111,
  // The ComfyUI port with force_uniform_tiles: the box of the mask before blurring and the padding, grown and
  // shifted to the processing size, so that nothing is resampled where it fits. The whole crop is denoised.
  // Redrawn tiles are processed at side + 2 padding, rounded up to 8.
  comfy,
  // The same without force_uniform_tiles: grown only to sides that are multiples of 8.
  comfy_minimal
};

enum class MaskShape {
  rectangle,    // white
  across,       // from black at the left to white in the middle and back
  down,         // the same from top to bottom
  from_centre,  // white in the middle, black in the corners
};

enum class RedrawPass { tiles, bands, half_tiles, corners };
std::string_view to_string(RedrawPass pass);  // "redraw", "band", "half-tile", "intersection"

struct RedrawSettings {
  int tile_width = 512, tile_height = 512;  // pixels
  RedrawOrder order = RedrawOrder::linear;
  CropRule crops = CropRule::a1111;
  int blur = 8, padding = 32;  // pixels
  SeamFix seam_fix = SeamFix::none;
  int seam_width = 64;                   // of `band`
  int seam_blur = 4, seam_padding = 16;  // of seam passes
};

// One call of the model. The picture that it makes is what the next one reads.
struct RedrawJob {
  RedrawPass pass = RedrawPass::tiles;
  MaskShape shape = MaskShape::rectangle;
  PixelBox mask;              // may reach beyond the picture
  int width = 0, height = 0;  // processed at; with comfy_minimal 0: as large as the crop
  int blur = 0, padding = 0;
};

// In the order in which they run. Tiles begin in the corner at 0, 0; the last ones may hang over the edge. A
// mask of a tile covers one pixel more to the right and below, as the drawing of the script does. width,
// height: of the picture. Throws std::invalid_argument for settings out of range.
std::vector<RedrawJob> redraw_jobs(int width, int height, const RedrawSettings& settings);

// What a job is processed at in a picture of width x height; of seam passes with comfy_minimal to 8 pixels,
// since the ends of their ramps may be black.
struct ProcessingSize {
  int width = 0, height = 0;
};
ProcessingSize processing_size(const RedrawJob& job, CropRule rule, int width, int height);

// Where pixels of two redrawn tiles meet, wherever seams are fixed or not, and how far they are mixed: 2.5
// blur (semantics of the mask's Gaussian). Seam fixes add the lines at which their own masks are half
// transparent, intersections the edges of their masks, which are not black there.
std::vector<Boundary> redraw_boundaries(int width, int height, const RedrawSettings& settings);

// The mask inside the picture as ComfyUI's rules see it: without the pixel more of a tile's drawing.
PixelBox seen_by_comfy(const RedrawJob& job, const PixelBox& mask);

// A1111's expand_crop_region: the side that is short of the shape width : height grows by an even share to
// both sides, is moved inside the picture, and is cut where that cannot be.
PixelBox grown_to_shape(const PixelBox& crop, int width, int height, int picture_width, int picture_height);

// The smallest box of the shape width : height, at least of this size, around a crop, moved inside the
// picture and cut where that cannot be.
PixelBox grown_to_size(const PixelBox& crop, int width, int height, int picture_width, int picture_height);

// Pixels to each side that the blur of A1111's masks reaches: int(2.5 b + 0.5).
int blur_reach(int blur);

}  // namespace upbench
