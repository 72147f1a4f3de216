// Lit solids before a gradient: long ramps that banding and blocking show on, with sharp outlines and soft
// shadows.
#include "datasets/procedural/painters.h"

namespace upbench::procedural {
namespace {

struct Light {
  float x, y, z;  // unit vector towards it
};

Light make_light(Random& random) {
  const Point round = direction(random.uniform());
  const float z = random.range(0.3F, 0.9F), rest = std::sqrt(1 - z * z);
  return {round.x * rest, round.y * rest, z};
}

// An ellipsoid seen from above, with diffuse light and a highlight.
void paint_ball(Canvas& canvas, Random& random, const Light& light, Point centre, float radius) {
  const Ellipse outline{centre, direction(random.uniform()), radius, radius * random.range(0.5F, 1)};
  const Colour colour = natural_colour(random, 0.3F, 0.95F);
  const float gloss = random.chance(0.5F) ? random.range(0.2F, 0.8F) : 0, ambient = random.range(0.1F, 0.4F);
  canvas.fill(outline, [&](int x, int y) {
    const float dx = Canvas::position(x) - centre.x, dy = Canvas::position(y) - centre.y;
    const float u = (dx * outline.axis.x + dy * outline.axis.y) / outline.a;
    const float v = (dy * outline.axis.x - dx * outline.axis.y) / outline.b;
    const float nx = u * outline.axis.x - v * outline.axis.y, ny = u * outline.axis.y + v * outline.axis.x;
    const float nz = std::sqrt(std::max(0.0F, 1 - u * u - v * v));
    const float lit = std::max(0.0F, nx * light.x + ny * light.y + nz * light.z);
    const float mirrored = std::max(0.0F, 2 * lit * nz - light.z);  // towards the eye
    const float shine = mirrored * mirrored * mirrored * mirrored;
    return colour * (ambient + (1 - ambient) * lit) + gloss * shine * shine * shine;
  });
}

// Darkest under the object, fading to the shadow's rim.
void paint_shadow(Canvas& canvas, Point centre, float radius) {
  canvas.fill(Ellipse{centre, {1, 0}, radius, radius}, [&](int x, int y) {
    const float dx = (Canvas::position(x) - centre.x) / radius,
                dy = (Canvas::position(y) - centre.y) / radius;
    return canvas.at(x, y) * (1 - 0.6F * std::max(0.0F, 1 - dx * dx - dy * dy));
  });
}

// A flat card whose colour runs from one end to the other.
void paint_card(Canvas& canvas, Random& random, Point centre, float radius) {
  const Colour from = natural_colour(random), to = natural_colour(random);
  const Point along = direction(random.uniform());
  const auto ramp = [&](int x, int y) {
    const float t =
        ((Canvas::position(x) - centre.x) * along.x + (Canvas::position(y) - centre.y) * along.y) /
        (2 * radius);
    return mixed(from, to, std::clamp(0.5F + t, 0.0F, 1.0F));
  };
  if (random.chance(0.5F)) {
    const Point axis = direction(random.uniform());
    canvas.fill(rectangle(centre, axis, radius, radius * random.range(0.1F, 1)), ramp);
  } else {
    canvas.fill(regular_polygon(random, centre, radius, random.integer(3, 6)), ramp);
  }
}

}  // namespace

void paint_smooth_shading(Canvas& canvas, Random random) {
  const float size = static_cast<float>(canvas.size());
  const Light light = make_light(random);
  const Colour top = natural_colour(random), bottom = natural_colour(random);
  canvas.fill_all([&](int x, int y) {
    const float t = (Canvas::position(y) + 0.3F * Canvas::position(x)) / (1.3F * size);
    return mixed(top, bottom, t);
  });
  const int objects = random.integer(8, 40);
  const int sharp_from = random.integer(0, objects);  // what comes later lies before the blurred rest
  for (int i = 0; i < objects; ++i) {
    if (i == sharp_from) canvas.blur(random.range(0, 4));
    const float radius = random.power_law(size * 0.06F, size * 0.5F);
    const Point centre{random.range(0, size), random.range(0, size)};
    if (random.chance(0.5F))
      paint_shadow(canvas, {centre.x - 0.4F * radius * light.x, centre.y - 0.4F * radius * light.y},
                   radius * 1.3F);
    if (random.chance(0.6F)) {
      paint_ball(canvas, random, light, centre, radius);
    } else {
      paint_card(canvas, random, centre, radius);
    }
  }
}

}  // namespace upbench::procedural
