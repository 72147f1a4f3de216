#include <array>
#include <utility>

#include "datasets/procedural.h"
#include "datasets/procedural/painters.h"

namespace upbench {
namespace {

using Painter = void (*)(procedural::Canvas&, procedural::Random);

// In the order of procedural_classes(). A class keeps its number for good: it is part of its pictures' random
// streams.
constexpr std::array<Painter, 6> kPainters{
    procedural::paint_dead_leaves,      procedural::paint_text,
    procedural::paint_line_art,         procedural::paint_smooth_shading,
    procedural::paint_periodic_texture, procedural::paint_natural_field};

}  // namespace

Raster render_procedural(const ProceduralPicture& picture) {
  procedural_identity(picture);  // refuses what cannot be painted
  std::size_t cls = 0;
  while (procedural_classes()[cls] != picture.cls) ++cls;
  const auto random = procedural::Random(picture.seed).fork(cls).fork(picture.index);
  procedural::Canvas canvas(picture.size);
  kPainters.at(cls)(canvas, random);
  return canvas.averaged();
}

}  // namespace upbench
