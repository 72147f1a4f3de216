#pragma once

#include "datasets/procedural/canvas.h"
#include "datasets/procedural/random.h"

namespace upbench::procedural {

// One painter a class. Each fills the whole canvas and draws its numbers from `random` alone.
void paint_dead_leaves(Canvas& canvas, Random random);
void paint_text(Canvas& canvas, Random random);
void paint_line_art(Canvas& canvas, Random random);
void paint_smooth_shading(Canvas& canvas, Random random);
void paint_periodic_texture(Canvas& canvas, Random random);
void paint_natural_field(Canvas& canvas, Random random);

}  // namespace upbench::procedural
