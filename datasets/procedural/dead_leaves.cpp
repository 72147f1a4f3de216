// Dead leaves (Matheron 1968; Lee, Mumford, Huang 2001): objects of power-law size that hide each other, the
// simplest model with the scale invariance and the edges of photographs. Here with texture, shading, and
// depth of field.
#include <array>

#include "datasets/procedural/painters.h"
#include "datasets/procedural/texture.h"

namespace upbench::procedural {
namespace {

using Textures = std::array<Texture, 3>;

Textures make_textures(const Random& random) {
  return {Texture({.largest = 64, .persistence = 0.7F}, random.fork(1)),                 // surfaces
          Texture({.largest = 8, .persistence = 0.95F}, random.fork(2)),                 // grain, foliage
          Texture({.largest = 8, .persistence = 0.85F, .stretch = 8}, random.fork(3))};  // hair, wood
}

// What a leaf looks like: a colour that changes along one direction, and texture.
class Surface {
 public:
  Surface(Random& random, const Textures& textures, Point centre, float radius)
      : texture_(textures[static_cast<std::size_t>(random.integer(0, 2))]), centre_(centre) {
    const Point along = direction(random.uniform());
    slope_ = {along.x / radius, along.y / radius};
    colour_ = natural_colour(random);
    const float change = random.chance(0.5F) ? 0.05F : 0.3F;
    change_ = natural_colour(random) * change + colour_ * -change;
    const float u = random.uniform();
    roughness_ = random.chance(0.25F) ? 0 : 0.12F * u * u * u + 0.015F * u;
    shift_x_ = random.integer(0, Texture::kSide - 1);
    shift_y_ = random.integer(0, Texture::kSide - 1);
    turned_ = random.chance(0.5F);
  }

  Colour operator()(int x, int y) const {
    const float along =
        (Canvas::position(x) - centre_.x) * slope_.x + (Canvas::position(y) - centre_.y) * slope_.y;
    return colour_ + change_ * along + roughness_ * texture_.at(x + shift_x_, y + shift_y_, turned_);
  }

 private:
  const Texture& texture_;
  Point centre_, slope_;
  Colour colour_, change_;
  float roughness_ = 0;
  int shift_x_ = 0, shift_y_ = 0;
  bool turned_ = false;
};

void paint_leaf(Canvas& canvas, Random& random, const Textures& textures, float smallest, float largest) {
  const float radius = random.power_law(smallest, largest);
  const float size = static_cast<float>(canvas.size());
  const Point centre{random.range(-radius, size + radius), random.range(-radius, size + radius)};
  const Point axis = direction(random.uniform());
  const Surface surface(random, textures, centre, radius);
  const float u = random.uniform();
  const float slimness =
      random.chance(0.2F) ? 0.04F + 0.2F * u : 0.3F + 0.7F * u;  // some are twigs and hairs
  const int kind = random.integer(0, 3);
  if (kind <= 1)
    return canvas.fill(Ellipse{centre, axis, radius, std::max(radius * slimness, 0.25F)}, surface);
  if (kind == 2)
    return canvas.fill(rectangle(centre, axis, radius, std::max(radius * slimness, 0.25F)), surface);
  canvas.fill(regular_polygon(random, centre, radius, random.integer(3, 7)), surface);
}

}  // namespace

void paint_dead_leaves(Canvas& canvas, Random random) {
  const Textures textures = make_textures(random);
  const float size = static_cast<float>(canvas.size()), largest = std::max(size * 0.5F, 8.0F);
  const float smallest =
      std::min(random.power_law(1.5F, 16), largest / 2);  // near or far: how much is fine detail
  const Surface ground(random, textures, {size / 2, size / 2}, size / 2);
  canvas.fill_all(ground);

  // Mean area of a leaf: shapes fill about half of their circle, and E[radius^2] = 2 smallest^2 ln(largest /
  // smallest).
  const float octaves = static_cast<float>(std::ilogb(largest / smallest)) + 0.5F;
  const float mean_area = 1.6F * 2 * smallest * smallest * 0.69F * octaves;
  const float whole =
      (size + largest) * (size + largest) / mean_area;  // leaves whose areas add up to the picture
  const float focus = random.chance(0.5F) ? 0 : random.range(0.2F, 1.2F);
  struct Layer {
    float coverage, blur;  // the far ones hide the ground and are the least sharp, the near ones stand apart
  };
  const float far_blur = random.chance(0.4F) ? 0 : random.range(0.5F, 3);
  for (const Layer& layer : {Layer{1.6F, far_blur}, Layer{0.8F, 0.4F * far_blur}, Layer{0.4F, focus}}) {
    const int leaves = static_cast<int>(whole * layer.coverage);
    for (int i = 0; i < leaves; ++i) paint_leaf(canvas, random, textures, smallest, largest);
    canvas.blur(layer.blur);
  }
}

}  // namespace upbench::procedural
