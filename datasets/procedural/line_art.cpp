// Ink on paper: curves of changing width, outlines, hatching and flat fills.
#include "datasets/procedural/painters.h"

namespace upbench::procedural {
namespace {

// A disc of ink at each step and a bar between two of them.
void draw_stroke(Canvas& canvas, const std::vector<Point>& line, float width, float end_width, Colour ink) {
  const auto flat = [&](int, int) { return ink; };
  const float steps = static_cast<float>(std::max<std::size_t>(line.size() - 1, 1));
  for (std::size_t i = 0; i < line.size(); ++i) {
    const float radius = 0.5F * (width + (end_width - width) * static_cast<float>(i) / steps);
    canvas.fill(Ellipse{line[i], {1, 0}, radius, radius}, flat);
    if (i == 0) continue;
    const Point from = line[i - 1], to = line[i];
    const float dx = to.x - from.x, dy = to.y - from.y, length = std::sqrt(dx * dx + dy * dy);
    if (length < 1e-3F) continue;
    canvas.fill(
        rectangle({(from.x + to.x) / 2, (from.y + to.y) / 2}, {dx / length, dy / length}, length / 2, radius),
        flat);
  }
}

Point random_point(Random& random, float size) {
  return {random.range(-0.1F, 1.1F) * size, random.range(-0.1F, 1.1F) * size};
}

// A cubic Bezier curve.
std::vector<Point> curve(Random& random, float size) {
  const Point start = random_point(random, size);
  const float reach = random.range(0.1F, 0.7F) * size;
  const auto near = [&] {
    return Point{start.x + random.range(-reach, reach), start.y + random.range(-reach, reach)};
  };
  const Point p1 = near(), p2 = near(), p3 = near();
  std::vector<Point> line;
  const int steps = 32;
  for (int i = 0; i <= steps; ++i) {
    const float t = static_cast<float>(i) / steps, s = 1 - t;
    const float a = s * s * s, b = 3 * s * s * t, c = 3 * s * t * t, d = t * t * t;
    line.push_back(
        {a * start.x + b * p1.x + c * p2.x + d * p3.x, a * start.y + b * p1.y + c * p2.y + d * p3.y});
  }
  return line;
}

std::vector<Point> ring(Point centre, Point axis, float a, float b) {
  std::vector<Point> line;
  const int steps = 48;
  for (int i = 0; i <= steps; ++i) {
    const Point at = direction(static_cast<float>(i) / steps);
    line.push_back(
        {centre.x + a * at.x * axis.x - b * at.y * axis.y, centre.y + a * at.x * axis.y + b * at.y * axis.x});
  }
  return line;
}

// A filled and outlined ellipse or polygon.
void draw_figure(Canvas& canvas, Random& random, float size, float width, Colour ink) {
  const Point centre = random_point(random, size);
  const float radius = random.power_law(size * 0.03F, size * 0.3F);
  const Colour paint = natural_colour(random, 0.2F, 0.98F);
  const auto flat = [&](int, int) { return paint; };
  if (random.chance(0.5F)) {
    const Ellipse shape{centre, direction(random.uniform()), radius, radius * random.range(0.4F, 1)};
    canvas.fill(shape, flat);
    draw_stroke(canvas, ring(centre, shape.axis, shape.a, shape.b), width, width, ink);
  } else {
    Polygon shape = regular_polygon(random, centre, radius, random.integer(3, 7));
    canvas.fill(shape, flat);
    shape.corners.push_back(shape.corners.front());
    draw_stroke(canvas, shape.corners, width, width, ink);
  }
}

void draw_hatching(Canvas& canvas, Random& random, float size, Colour ink) {
  const Point centre = random_point(random, size), along = direction(random.uniform());
  const float length = random.range(0.05F, 0.25F) * size, gap = random.range(2, 8),
              width = random.range(0.5F, 1.5F);
  const int lines = random.integer(4, 20);
  for (int i = 0; i < lines; ++i) {
    const float offset = gap * static_cast<float>(i), slip = random.range(-2, 2);
    const Point from{centre.x - along.y * offset + along.x * slip,
                     centre.y + along.x * offset + along.y * slip};
    draw_stroke(canvas, {from, {from.x + along.x * length, from.y + along.y * length}}, width, width, ink);
  }
}

}  // namespace

void paint_line_art(Canvas& canvas, Random random) {
  const float size = static_cast<float>(canvas.size());
  const bool negative = random.chance(0.15F);
  const Colour paper = negative ? natural_colour(random, 0.02F, 0.2F) : natural_colour(random, 0.8F, 0.99F);
  const Colour ink = negative ? natural_colour(random, 0.8F, 0.99F) : natural_colour(random, 0.01F, 0.25F);
  canvas.fill_all([&](int, int) { return paper; });

  const float area = size * size / (192 * 192);  // as many strokes a pixel in large pictures as in small ones
  const auto count = [&](int low, int high) {
    return std::max(2, static_cast<int>(area * static_cast<float>(random.integer(low, high))));
  };
  const float width = random.range(0.8F, 3);
  for (int i = count(5, 25); i > 0; --i) draw_figure(canvas, random, size, width, ink);
  for (int i = count(1, 5); i > 0; --i) draw_hatching(canvas, random, size, ink);
  for (int i = count(5, 25); i > 0; --i) {
    const float from = random.range(0.5F, 2) * width, to = random.chance(0.5F) ? 0.4F : from;
    const std::vector<Point> line = curve(random, size);
    draw_stroke(canvas, line, from, to, random.chance(0.8F) ? ink : natural_colour(random));
  }
  if (random.chance(0.25F)) canvas.blur(random.range(0.3F, 0.8F));
}

}  // namespace upbench::procedural
