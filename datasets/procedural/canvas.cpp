#include "datasets/procedural/canvas.h"

namespace upbench::procedural {
namespace {

Interval hull(const std::vector<Point>& corners) {
  Interval rows{corners[0].y, corners[0].y};
  for (const Point& corner : corners) {
    rows.begin = std::min(rows.begin, corner.y);
    rows.end = std::max(rows.end, corner.y);
  }
  return rows;
}

// Running mean over 2 * radius + 1 of the `count` values at line[i * stride], edges repeated, for `lanes`
// neighbouring lines at once (columns are walked row by row: a cache line holds several of them).
void box_blur_lines(float* line, int count, std::ptrdiff_t stride, int lanes, int radius,
                    std::vector<float>& copy) {
  const auto lane_count = static_cast<std::size_t>(lanes);
  copy.resize((static_cast<std::size_t>(count) + 1) * lane_count);
  float* sum = copy.data() + static_cast<std::size_t>(count) * lane_count;
  for (int i = 0; i < count; ++i) std::copy_n(line + i * stride, lane_count, copy.data() + i * lane_count);
  const auto values = [&](int i) {
    return copy.data() + static_cast<std::size_t>(std::clamp(i, 0, count - 1)) * lane_count;
  };
  std::fill_n(sum, lane_count, 0.0F);
  for (int i = -radius; i <= radius; ++i) {
    for (std::size_t k = 0; k < lane_count; ++k) sum[k] += values(i)[k];
  }
  const float share = 1 / static_cast<float>(2 * radius + 1);
  for (int i = 0; i < count; ++i) {
    const float *enters = values(i + radius + 1), *leaves = values(i - radius);
    for (std::size_t k = 0; k < lane_count; ++k) {
      line[i * stride + static_cast<std::ptrdiff_t>(k)] = sum[k] * share;
      sum[k] += enters[k] - leaves[k];
    }
  }
}

}  // namespace

Colour natural_colour(Random& random, float low, float high) {
  const float grey = random.range(low, high);
  const float saturation = random.chance(0.15F) ? 0.6F : 0.2F;
  const float red = random.range(-1, 1), blue = random.range(-1, 1);
  const float room = saturation * std::min(grey, 1 - grey) * 1.5F;
  return {grey + room * red, grey - room * (0.5F * red + 0.2F * blue), grey + room * blue};
}

Interval Ellipse::rows() const {
  const float half = std::sqrt(a * a * axis.y * axis.y + b * b * axis.x * axis.x);
  return {centre.y - half, centre.y + half};
}

// Points (x, y) with ((d . axis) / a)^2 + ((d x axis) / b)^2 <= 1, a quadratic in x.
Interval Ellipse::row(float y) const {
  const float dy = y - centre.y, ia = 1 / (a * a), ib = 1 / (b * b);
  const float p = axis.x * axis.x * ia + axis.y * axis.y * ib;
  const float q = axis.x * axis.y * (ia - ib) * dy;
  const float r = (axis.y * axis.y * ia + axis.x * axis.x * ib) * dy * dy - 1;
  const float discriminant = q * q - p * r;
  if (discriminant < 0) return {};
  const float root = std::sqrt(discriminant);
  return {centre.x + (-q - root) / p, centre.x + (-q + root) / p};
}

Interval Polygon::rows() const {
  return hull(corners);
}

Interval Polygon::row(float y) const {
  Interval found;
  Point from = corners.back();
  for (const Point& to : corners) {
    if ((from.y <= y) != (to.y <= y)) {
      const float x = from.x + (to.x - from.x) * ((y - from.y) / (to.y - from.y));
      found = found.begin > found.end ? Interval{x, x}
                                      : Interval{std::min(found.begin, x), std::max(found.end, x)};
    }
    from = to;
  }
  return found;
}

Polygon rectangle(Point centre, Point axis, float half_length, float half_width) {
  const auto corner = [&](float along, float across) {
    return Point{centre.x + along * axis.x - across * axis.y, centre.y + along * axis.y + across * axis.x};
  };
  return {{corner(-half_length, -half_width), corner(half_length, -half_width),
           corner(half_length, half_width), corner(-half_length, half_width)}};
}

Polygon regular_polygon(Random& random, Point centre, float radius, int corners) {
  Polygon polygon;
  const float turn = random.uniform(), step = 1 / static_cast<float>(corners);
  for (int i = 0; i < corners; ++i) {
    const Point to = direction(turn + step * (static_cast<float>(i) + random.range(-0.33F, 0.33F)));
    polygon.corners.push_back({centre.x + radius * to.x, centre.y + radius * to.y});
  }
  return polygon;
}

void Canvas::blur(float sigma) {
  if (sigma < 0.2F) return;
  // Three boxes of width w have variance (w^2 - 1) / 4.
  const float width = std::sqrt(4 * sigma * sigma * kSamples * kSamples + 1);
  const int radius = std::max(1, static_cast<int>(std::floor((width - 1) / 2 + 0.5F)));
  static_assert(sizeof(Colour) == 3 * sizeof(float));
  constexpr int kStrip = 32;  // columns at once: their copy stays in the cache
  std::vector<float> copy;
  for (int pass = 0; pass < 3; ++pass) {
    for (int y = 0; y < side_; ++y) box_blur_lines(&at(0, y).r, side_, 3, 3, radius, copy);
    for (int x = 0; x < side_; x += kStrip) {
      const int columns = std::min(kStrip, side_ - x);
      box_blur_lines(&at(x, 0).r, side_, std::ptrdiff_t{3} * side_, 3 * columns, radius, copy);
    }
  }
}

Raster Canvas::averaged() const {
  Raster raster{.width = size_, .height = size_, .channels = 3, .bit_depth = 8, .samples = {}, .notes = {}};
  raster.samples.reserve(static_cast<std::size_t>(size_) * size_ * 3);
  const auto byte = [](float value) {
    return static_cast<std::uint8_t>(std::floor(std::clamp(value, 0.0F, 1.0F) * 255 + 0.5F));
  };
  for (int y = 0; y < size_; ++y) {
    for (int x = 0; x < size_; ++x) {
      Colour sum;
      for (int i = 0; i < kSamples * kSamples; ++i) {
        const int row = y * kSamples + i / kSamples, column = x * kSamples + i % kSamples;
        sum = sum + samples_[static_cast<std::size_t>(row) * side_ + column];
      }
      const Colour mean = sum * (1.0F / (kSamples * kSamples));
      raster.samples.insert(raster.samples.end(), {byte(mean.r), byte(mean.g), byte(mean.b)});
    }
  }
  return raster;
}

}  // namespace upbench::procedural
