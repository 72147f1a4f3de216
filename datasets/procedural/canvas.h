#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "datasets/codec/raster.h"
#include "datasets/procedural/random.h"

namespace upbench::procedural {

struct Colour {
  float r = 0, g = 0, b = 0;
};
inline Colour operator+(Colour a, Colour b) {
  return {a.r + b.r, a.g + b.g, a.b + b.b};
}
inline Colour operator+(Colour a, float grey) {
  return {a.r + grey, a.g + grey, a.b + grey};
}
inline Colour operator*(Colour a, float factor) {
  return {a.r * factor, a.g * factor, a.b * factor};
}
inline Colour mixed(Colour a, Colour b, float share_of_b) {
  return a * (1 - share_of_b) + b * share_of_b;
}

// Any brightness in [low, high]; mostly pale, now and then saturated, as photographs are.
Colour natural_colour(Random& random, float low = 0.03F, float high = 0.97F);

struct Point {
  float x = 0, y = 0;
};

// A unit vector of random direction is (wave(t + 0.25), wave(t)).
inline Point direction(float turns) {
  return {wave(turns + 0.25F), wave(turns)};
}

struct Interval {
  float begin = 1, end = 0;  // empty where begin > end
};

// Convex shapes in output pixels: what they cover of the horizontal line at y, and of the vertical axis.
struct Ellipse {
  Point centre, axis;  // axis: unit vector of the first radius
  float a = 1, b = 1;  // radii
  Interval row(float y) const;
  Interval rows() const;
};
struct Polygon {
  std::vector<Point> corners;  // in order around a convex shape
  Interval row(float y) const;
  Interval rows() const;
};

Polygon rectangle(Point centre, Point axis, float half_length, float half_width);
Polygon regular_polygon(Random& random, Point centre, float radius,
                        int corners);  // corners slip by up to 1/3 of a step

// The picture while it is painted: linear-valued RGB floats, kSamples x kSamples a pixel.
class Canvas {
 public:
  static constexpr int kSamples = 3;

  explicit Canvas(int size)
      : size_(size), side_(size * kSamples), samples_(static_cast<std::size_t>(side_) * side_) {}

  int size() const { return size_; }  // output pixels
  int side() const { return side_; }  // samples
  Colour& at(int x, int y) { return samples_[static_cast<std::size_t>(y) * side_ + x]; }
  static float position(int sample) {
    return (static_cast<float>(sample) + 0.5F) / kSamples;
  }  // output pixels

  // shader(x, y), in samples -> Colour.
  template <class Shader>
  void fill_all(Shader&& shader) {
    for (int y = 0; y < side_; ++y) {
      for (int x = 0; x < side_; ++x) at(x, y) = shader(x, y);
    }
  }
  template <class Shape, class Shader>
  void fill(const Shape& shape, Shader&& shader) {
    const auto [top, bottom] = samples_within(shape.rows());
    for (int y = top; y < bottom; ++y) {
      const auto [left, right] = samples_within(shape.row(position(y)));
      for (int x = left; x < right; ++x) at(x, y) = shader(x, y);
    }
  }

  // Out-of-focus blur: three box filters; sigma in output pixels, edges repeated. Under 0.2 px nothing
  // happens.
  void blur(float sigma);

  Raster averaged() const;  // mean of each pixel's samples, clamped, rounded to 8 bit

 private:
  struct Range {
    int begin, end;
  };
  Range samples_within(Interval interval) const {  // samples whose centre lies inside
    const auto index = [this](float at) {
      return static_cast<int>(
          std::ceil(std::clamp(at, -1.0F, static_cast<float>(size_) + 1) * kSamples - 0.5F));
    };
    if (interval.begin > interval.end) return {0, 0};
    return {std::max(index(interval.begin), 0), std::min(index(interval.end), side_)};
  }

  int size_, side_;
  std::vector<Colour> samples_;
};

}  // namespace upbench::procedural
