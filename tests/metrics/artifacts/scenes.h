#pragma once

#include <cstdint>
#include <initializer_list>

#include "datasets/image_fwd.h"
#include "metrics/artifacts/detector.h"

// Pictures for tests of artifact detectors.
namespace upbench::test {

// Smooth shapes with edges of all directions and some fine texture, 8 bit, seeded.
Image scene(int height, int width, std::uint64_t seed);

// A drawing of letter-like strokes, dark on light: `letters` of 10 x 14 px with holes.
Image letters(int rows, int columns);

// By the mean of factor x factor pixels, 8 bit.
Image reduced(const Image& image, int factor);

// A rectangle of the picture, shared.
Image part(const Image& image, int x, int y, int width, int height);

Image low_passed(const Image& image, double sigma);
Image grey_noise(const Image& like, double levels, std::uint64_t seed);  // normal, of all channels alike

Detection found_by(const char* detector, const Subject& subject);
double value_of(const char* detector, const Image& output, const Image& reference);

}  // namespace upbench::test
