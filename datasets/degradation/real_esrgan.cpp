#include <cmath>

#include "datasets/degradation/steps.h"

namespace upbench {
namespace {

using procedural::Random;

// Of options/train_realesrgan_x4plus.yml; what both orders share stands in the code.
struct Ranges {
  double largest_sigma;      // from 0.2
  double up, down;           // probabilities; else the size is kept
  double smallest, largest;  // factors of size
  double gaussian[2];        // sigma, levels of 255
  double poisson[2];         // scale
};
constexpr Ranges kFirst{3, 0.2, 0.7, 0.15, 1.5, {1, 30}, {0.05, 3}};
constexpr Ranges kSecond{1.5, 0.3, 0.4, 0.3, 1.2, {1, 25}, {0.05, 2.5}};
constexpr double kSmallestSigma = 0.2, kSincProbability = 0.1, kSecondBlurProbability = 0.8,
                 kFinalSincProbability = 0.8, kGaussianProbability = 0.5, kGreyProbability = 0.4;
constexpr int kLowestQuality = 30, kHighestQuality = 95;

double range(Random& random, double low, double high) {
  return low + (high - low) * static_cast<double>(random.uniform());
}

int drawn_size(Random& random) {
  return 2 * random.integer(3, 10) + 1;
}

// Half of them below 1 and half above.
double drawn_beta(Random& random, double low, double high) {
  const bool below = random.uniform() < 0.5F;
  return below ? range(random, low, 1) : range(random, 1, high);
}

BlurStep drawn_sinc(Random& random, int size, double lowest_cutoff) {
  return {.kernel = {.kind = BlurKind::sinc, .cutoff = range(random, lowest_cutoff, 1), .size = size}};
}

BlurStep drawn_blur(Random& random, double largest_sigma) {
  const int size = drawn_size(random);
  if (random.uniform() < kSincProbability) return drawn_sinc(random, size, size < 13 ? 1.0 / 3 : 1.0 / 5);
  struct Kind {
    BlurKind kind;
    bool isotropic;
    double probability;
  };
  static constexpr Kind kKinds[] = {{BlurKind::gaussian, true, 0.45},    {BlurKind::gaussian, false, 0.25},
                                    {BlurKind::generalised, true, 0.12}, {BlurKind::generalised, false, 0.03},
                                    {BlurKind::plateau, true, 0.12},     {BlurKind::plateau, false, 0.03}};
  double left = random.uniform();
  const Kind* kind = kKinds;
  while (kind + 1 != std::end(kKinds) && left >= kind->probability) left -= (kind++)->probability;
  BlurSettings blur{.kind = kind->kind, .sigma = range(random, kSmallestSigma, largest_sigma), .size = size};
  if (!kind->isotropic) {
    blur.sigma2 = range(random, kSmallestSigma, largest_sigma);
    blur.angle = range(random, -180, 180);
  }
  if (blur.kind == BlurKind::generalised) blur.beta = drawn_beta(random, 0.5, 4);
  if (blur.kind == BlurKind::plateau) blur.beta = drawn_beta(random, 1, 2);
  return {.kernel = blur};
}

ResizeStep drawn_resize(Random& random, const Ranges& ranges, ResizeStep::Base base) {
  const double direction = random.uniform();
  ResizeStep step{.base = base};
  if (direction < ranges.up) {
    step.factor = range(random, 1, ranges.largest);
  } else if (direction < ranges.up + ranges.down) {
    step.factor = range(random, ranges.smallest, 1);
  }
  step.kernel = drawn_resize_kernel(random);
  return step;
}

NoiseStep drawn_noise(Random& random, const Ranges& ranges, const Random& stream) {
  const bool gaussian = random.uniform() < kGaussianProbability;
  const double* ends = gaussian ? ranges.gaussian : ranges.poisson;
  const double strength = range(random, ends[0], ends[1]);
  return {.poisson = !gaussian,
          .strength = strength,
          .grey = random.uniform() < kGreyProbability,
          .random = stream};
}

CompressStep drawn_jpeg(Random& random) {
  return {CompressStep::Format::jpeg, random.integer(kLowestQuality, kHighestQuality)};
}

void scale(BlurStep& step, double severity) {
  if (step.kernel.kind == BlurKind::sinc) {
    step.share = severity;
    return;
  }
  step.kernel.sigma *= std::sqrt(severity);
  step.kernel.sigma2 *= std::sqrt(severity);
}
void scale(ResizeStep& step, double severity) {
  step.factor = std::pow(step.factor, severity);
}
void scale(NoiseStep& step, double severity) {
  step.strength *= severity;
}
void scale(CompressStep& step, double severity) {
  step.quality = static_cast<int>(std::lround(100 - severity * (100 - step.quality)));
}

}  // namespace

std::vector<DegradeStep> real_esrgan_steps(double severity, const Random& random) {
  // A stream for each order and one for its end: what one draws moves nothing in another.
  Random first = random.fork(1), second = random.fork(2), last = random.fork(3);
  std::vector<DegradeStep> steps;
  steps.emplace_back(drawn_blur(first, kFirst.largest_sigma));
  steps.emplace_back(drawn_resize(first, kFirst, ResizeStep::Base::current));
  steps.emplace_back(drawn_noise(first, kFirst, random.fork(4)));
  steps.emplace_back(drawn_jpeg(first));

  const bool blurs_again = second.uniform() < kSecondBlurProbability;
  if (const BlurStep blur = drawn_blur(second, kSecond.largest_sigma); blurs_again) steps.emplace_back(blur);
  steps.emplace_back(drawn_resize(second, kSecond, ResizeStep::Base::result));
  steps.emplace_back(drawn_noise(second, kSecond, random.fork(5)));

  const bool jpeg_last = last.uniform() < 0.5F, rings = last.uniform() < kFinalSincProbability;
  const ResizeStep back{.kernel = drawn_resize_kernel(last)};
  const int size = drawn_size(last);
  const BlurStep sinc = drawn_sinc(last, size, 1.0 / 3);
  const CompressStep jpeg = drawn_jpeg(last);
  if (!jpeg_last) steps.emplace_back(jpeg);
  steps.emplace_back(back);
  if (rings) steps.emplace_back(sinc);
  if (jpeg_last) steps.emplace_back(jpeg);

  std::vector<DegradeStep> scaled;
  for (DegradeStep& step : steps) {
    std::visit([&](auto& kind) { scale(kind, severity); }, step);
    // JPEG of quality 100 would still change the picture.
    if (severity > 0 || std::holds_alternative<ResizeStep>(step)) scaled.push_back(step);
  }
  return scaled;
}

}  // namespace upbench
