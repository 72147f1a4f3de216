#pragma once

#include <vector>

namespace upbench {

// How one axis of a picture is resized: output o is the sum over k of weights[o * taps + k] * input[first[o]
// + k]. 0 <= first[o] and first[o] + taps <= input size, so the border rule is already inside. Each output's
// weights sum to 1.
struct AxisWeights {
  int taps = 1;
  std::vector<int> first;
  std::vector<double> weights;

  int outputs() const { return static_cast<int>(first.size()); }
};

// What lies beyond the picture.
enum class Border {
  replicate,  // the last pixel again (torch, OpenCV)
  mirror,     // the picture mirrored, the last pixel twice (MATLAB)
  cut_off,    // nothing: the weights inside are scaled up to 1 (Pillow, torch with antialias)
};

struct Filter {
  double radius;            // the filter is 0 at this distance and beyond, in pixels of the coarser grid
  double (*value)(double);  // even; need not sum to 1
  bool antialias;           // stretched by input / output when that is above 1
  Border border;
};

// Pixel centres at (o + 0.5) * input / output (torch: align_corners false).
AxisWeights filter_weights(int input, int output, const Filter& filter);
// The pixel at floor(o * input / output), exactly (torch and OpenCV `nearest`).
AxisWeights nearest_weights(int input, int output);
// The mean over the area that an output pixel covers; enlarging, a piece of one or two input pixels.
AxisWeights area_weights(int input, int output);

// As these tools place them, rounding included: where output * ratio comes within a rounding of a whole
// number, they take one pixel or its neighbour by the arithmetic of their loop.
AxisWeights torch_nearest_weights(int input, int output);  // floor(o * ratio) in float32
// floor((o + 0.5) * ratio) in float32. On a tie of two pixels torch's own answer depends on whether its build
// fuses multiply and add; everywhere else this is it.
AxisWeights torch_nearest_exact_weights(int input, int output);
AxisWeights pillow_nearest_weights(int input, int output);  // centres summed up in double
// The plain mean of the inputs which an output touches, however little: torch `area` (adaptive_avg_pool).
AxisWeights touched_area_weights(int input, int output);
// The filter widened when the picture shrinks and cut off at the border, over the window of Pillow's
// Resample.c: `radius` around the centre, its ends rounded. Sums in Pillow's order, for equal last bits.
AxisWeights pillow_weights(int input, int output, double radius, double (*filter)(double));

double box(double distance);        // radius 1/2; includes the right end only
double hamming(double distance);    // radius 1: sinc times the Hamming window
double triangle(double distance);   // radius 1
double cubic_a50(double distance);  // radius 2; R. Keys, 1981, a = -0.5
double cubic_a75(double distance);  // radius 2; a = -0.75
double lanczos3(double distance);   // radius 3
double lanczos4(double distance);   // radius 4

}  // namespace upbench
