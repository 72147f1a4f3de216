#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace upbench {

// Blur kernels of BasicSR (basicsr/data/degradations.py), as used to train Real-ESRGAN. q is the squared
// Mahalanobis distance from the centre: with standard deviations sigma along `angle` and sigma2 across it.
enum class BlurKind {
  gaussian,     // exp(-q / 2)
  generalised,  // exp(-q^beta / 2): beta < 1 peaked, > 1 flat-topped
  plateau,      // 1 / (1 + q^beta)
  sinc,         // circular low-pass, J1(c r) c / (2 pi r): rings
};

struct BlurSettings {
  BlurKind kind = BlurKind::gaussian;
  double sigma = 0;   // pixels, > 0; not for sinc
  double sigma2 = 0;  // pixels; 0: as sigma
  double angle = 0;   // degrees, of the axis of sigma against the rows; no matter where both sigmas are equal
  double beta = 1;    // generalised, plateau
  double cutoff = 0;  // sinc: share of the Nyquist frequency, (0, 1]
  int size = 21;      // side of the kernel, pixels, odd
};

struct NoiseSettings {
  double gaussian = 0;  // standard deviation, in levels of 255
  double poisson = 0;   // times the noise of counting photons (see noise.h)
  bool grey = false;    // the same in all channels
};

// What is done to a picture: either the steps blur, shrink, noise, JPEG, WebP, in this order, each where it
// is set, or the second-order chain of Real-ESRGAN at a severity.
struct DegradeSettings {
  double scale = 1;  // the result has 1/scale of the sides, rounded; 1..16
  // Which kernel of resample_kernels() shrinks it; "random": torch-area, bilinear or bicubic-a75, drawn. Not
  // for real_esrgan, which always draws.
  std::string kernel = "matlab-bicubic";
  std::optional<BlurSettings> blur;
  std::optional<NoiseSettings> noise;  // Poisson before Gaussian
  std::optional<int> jpeg;             // quality 1..100
  std::optional<int> webp;             // quality 0..100
  std::optional<double> real_esrgan;   // severity 0..1
};

using DegradeText = std::vector<std::pair<std::string, std::string>>;

// From keys as in a spec, nested ones joined by a dot: {"blur.kind", "gaussian"}, {"blur.sigma", "1.2"},
// {"noise.gaussian", "5"}, {"jpeg", "60"} or {"real-esrgan", "0.5"}. Throws std::invalid_argument for an
// unknown, repeated or contradicting key and for a value out of range, naming the key and what is expected.
DegradeSettings parse_degradation(const DegradeText& keys);

// The same settings for everything that does the same: defaults filled in, what has no effect left out, in a
// fixed order, numbers as short as they can be. parse_degradation() reads it back. Throws as that does for
// settings out of range.
DegradeText canonical_degradation(const DegradeSettings& settings);

struct DegradedSize {
  int height = 0, width = 0;
};
DegradedSize degraded_size(const DegradeSettings& settings, int height, int width);

// What may be written, for a list.
struct DegradationKey {
  std::string name;         // "blur.sigma"
  std::string description;  // with its range and default
  double least = 0, most = 0;
  bool whole = false;
  std::vector<std::string> words;  // one of these; empty: a number from least to most, whole where it says so
};
const std::vector<DegradationKey>& degradation_keys();

std::string to_string(BlurKind kind);

}  // namespace upbench
