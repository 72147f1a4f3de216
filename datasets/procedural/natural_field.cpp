// Fields with the 1/f^a spectrum of photographs (Field 1987), cut by edges that wind as level sets of smooth
// fields do.
#include <array>

#include "datasets/procedural/painters.h"
#include "datasets/procedural/texture.h"

namespace upbench::procedural {
namespace {

// One material: brightness follows a field, colour follows brightness.
struct Material {
  Material(const Canvas& canvas, Random random)
      : spec(random_spec(random)),
        field(canvas.side(), canvas.side(), spec, random.fork(7)),
        dark(natural_colour(random, 0.02F, 0.5F)),
        bright(natural_colour(random, 0.4F, 0.98F)),
        contrast(random.range(0.05F, 0.3F)),
        turned(random.chance(0.5F)) {}

  static NoiseSpec random_spec(Random& random) {
    NoiseSpec spec{.largest = 96, .persistence = random.range(0.55F, 0.9F)};
    if (random.chance(0.3F)) spec.stretch = random.range(2, 10);
    if (random.chance(0.3F)) spec.smallest = random.range(1, 5);  // out of focus
    if (random.chance(0.3F)) spec.largest = 12;
    return spec;
  }

  Colour operator()(int x, int y) const {
    const float share = 0.5F + contrast * (turned ? field.at(y, x) : field.at(x, y));
    return mixed(dark, bright, std::clamp(share, -0.1F, 1.1F));
  }

  NoiseSpec spec;
  Field field;
  Colour dark, bright;
  float contrast;
  bool turned;
};

}  // namespace

void paint_natural_field(Canvas& canvas, Random random) {
  const auto materials = static_cast<std::uint64_t>(random.integer(3, 4));
  for (std::uint64_t i = 0; i < materials; ++i) {
    const Material material(canvas, random.fork(100 + i));
    if (i == 0) {
      canvas.fill_all(material);
      continue;
    }
    const NoiseSpec outline{.largest = random.range(12, 80),
                            .smallest = random.range(1.5F, 20),
                            .persistence = random.range(0.4F, 0.65F)};
    const Field region(canvas.side(), canvas.side(), outline, random.fork(200 + i));
    const float level = random.range(0, 0.9F);
    const float width = random.chance(0.3F) ? 0.15F : 10;  // the region, or a band along its edge
    canvas.fill_all([&](int x, int y) {
      const float above = region.at(x, y) - level;
      return above > 0 && above < width ? material(x, y) : canvas.at(x, y);
    });
    if (random.chance(0.3F)) canvas.blur(random.range(0.3F, 1.5F));
  }
}

}  // namespace upbench::procedural
