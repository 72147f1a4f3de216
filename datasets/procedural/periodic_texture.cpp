// Fields of stripes, checks, dots, bricks and weave, from just above the pixel grid's own frequency to wide,
// with bends and growth: what aliasing, moire and wrong orientations show on.
#include "datasets/procedural/painters.h"
#include "datasets/procedural/texture.h"

namespace upbench::procedural {
namespace {

enum class Pattern { stripes, grating, checks, dots, bricks, weave };

// Maps a sample to the share of the second colour.
struct Tiling {
  Pattern pattern;
  Point across;     // unit vector
  float frequency;  // cycles a pixel
  float growth;     // relative change of the frequency over 100 px
  float bend, bend_frequency;
  float duty;  // share of a period that is dark
  float phase;

  float operator()(float x, float y) const {
    float u = x * across.x + y * across.y, v = y * across.x - x * across.y;
    u += bend * wave(v * bend_frequency);
    u = (u + growth * u * u * 0.005F) * frequency + phase;
    v *= frequency;
    const auto part = [](float t) { return t - std::floor(t); };
    switch (pattern) {
      case Pattern::stripes:
        return part(u) < duty ? 1 : 0;
      case Pattern::grating:
        return 0.5F + 0.5F * wave(u);
      case Pattern::checks:
        return (part(u) < 0.5F) == (part(v) < 0.5F) ? 1 : 0;
      case Pattern::dots: {
        const float du = part(u) - 0.5F, dv = part(v) - 0.5F;
        return du * du + dv * dv < 0.25F * duty ? 1 : 0;
      }
      case Pattern::bricks: {
        const float shift = part(v * 0.5F) < 0.5F ? 0.5F : 0;
        return part(v) < 0.15F || part(u * 0.5F + shift) < 0.08F ? 1 : 0;
      }
      case Pattern::weave:
        return part(u * 0.5F) < 0.5F ? part(u * 2) < duty : part(v * 2) < duty;
    }
    return 0;
  }
};

Tiling make_tiling(Random& random) {
  const float u = random.uniform();
  const float period = 2.2F + 28 * u * u;  // pixels
  const bool bent = random.chance(0.4F);
  return {.pattern = static_cast<Pattern>(random.integer(0, 5)),
          .across = direction(random.chance(0.3F) ? 0.25F * static_cast<float>(random.integer(0, 3))
                                                  : random.uniform()),
          .frequency = 1 / period,
          .growth = random.chance(0.5F) ? random.range(-0.3F, 0.6F) : 0,
          .bend = bent ? random.range(0, 6) : 0,
          .bend_frequency = random.range(0.005F, 0.03F),
          .duty = random.range(0.25F, 0.75F),
          .phase = random.uniform()};
}

}  // namespace

void paint_periodic_texture(Canvas& canvas, Random random) {
  const float size = static_cast<float>(canvas.size());
  const Texture dirt({.largest = 32, .persistence = 0.8F}, random.fork(1));
  const int regions = random.integer(2, 5);
  for (int i = 0; i < regions; ++i) {
    const Tiling tiling = make_tiling(random);
    const Colour first = natural_colour(random);
    const Colour second = random.chance(0.5F) ? natural_colour(random) : first + random.range(-0.3F, 0.3F);
    const float roughness = random.chance(0.5F) ? random.range(0, 0.06F) : 0;
    const Point light = direction(random.uniform());
    const float shade = random.range(0, 0.3F) / size;
    const auto cloth = [&](int x, int y) {
      const float px = Canvas::position(x), py = Canvas::position(y);
      const float lit = 1 - shade * (light.x * (px - size / 2) + light.y * (py - size / 2));
      return mixed(first, second, tiling(px, py)) * lit + roughness * dirt.at(x, y);
    };
    if (i == 0) {
      canvas.fill_all(cloth);
      continue;
    }
    const Point centre{random.range(0, size), random.range(0, size)};
    const float radius = random.range(0.2F, 0.5F) * size;
    if (random.chance(0.5F)) {
      canvas.fill(Ellipse{centre, direction(random.uniform()), radius, radius * random.range(0.4F, 1)},
                  cloth);
    } else {
      canvas.fill(regular_polygon(random, centre, radius, random.integer(3, 6)), cloth);
    }
  }
  if (random.chance(0.3F)) canvas.blur(random.range(0.3F, 0.8F));
}

}  // namespace upbench::procedural
