#include "datasets/degradation/steps.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench {
namespace {

std::string text(const BlurStep& step) {
  const BlurSettings& blur = step.kernel;
  std::string shape = fmt::format("blur {}", to_string(blur.kind));
  if (blur.kind == BlurKind::sinc) {
    shape += fmt::format(" cutoff {:.4g}", blur.cutoff);
  } else if (blur.sigma2 != 0 && blur.sigma2 != blur.sigma) {
    shape += fmt::format(" {:.4g}x{:.4g} at {:.4g} degrees", blur.sigma, blur.sigma2, blur.angle);
  } else {
    shape += fmt::format(" {:.4g}", blur.sigma);
  }
  if (blur.kind == BlurKind::generalised || blur.kind == BlurKind::plateau)
    shape += fmt::format(" beta {:.4g}", blur.beta);
  shape += fmt::format(" size {}", blur.size);
  return step.share == 1 ? shape : fmt::format("{} share {:.4g}", shape, step.share);
}

std::string text(const ResizeStep& step) {
  if (step.base == ResizeStep::Base::current)
    return fmt::format("resize x{:.4g} {}", step.factor, step.kernel);
  if (step.factor == 1) return fmt::format("resize to the result {}", step.kernel);
  return fmt::format("resize to x{:.4g} of the result {}", step.factor, step.kernel);
}

std::string text(const NoiseStep& step) {
  return fmt::format("{} noise {:.4g}{}", step.poisson ? "poisson" : "gaussian", step.strength,
                     step.grey ? " grey" : "");
}

std::string text(const CompressStep& step) {
  return fmt::format("{} {}", step.format == CompressStep::Format::jpeg ? "jpeg" : "webp", step.quality);
}

// Purposes of streams, apart from each other.
enum Purpose : std::uint64_t { drawing = 1, gaussian = 2, poisson = 3, chain = 4 };

std::vector<DegradeStep> plain_steps(const DegradeSettings& settings, const procedural::Random& random) {
  std::vector<DegradeStep> steps;
  if (settings.blur) steps.emplace_back(BlurStep{.kernel = *settings.blur});
  if (settings.scale != 1) {
    procedural::Random draws = random.fork(drawing);
    steps.emplace_back(
        ResizeStep{.kernel = settings.kernel == "random" ? drawn_resize_kernel(draws) : settings.kernel,
                   .whole_levels = !settings.blur});
  }
  if (settings.noise) {
    const NoiseSettings& noise = *settings.noise;
    const auto add = [&](bool is_poisson, double strength) {
      if (strength == 0) return;
      steps.emplace_back(NoiseStep{.poisson = is_poisson,
                                   .strength = strength,
                                   .grey = noise.grey,
                                   .random = random.fork(is_poisson ? poisson : gaussian)});
    };
    add(true, noise.poisson);
    add(false, noise.gaussian);
  }
  if (settings.jpeg) steps.emplace_back(CompressStep{CompressStep::Format::jpeg, *settings.jpeg});
  if (settings.webp) steps.emplace_back(CompressStep{CompressStep::Format::webp, *settings.webp});
  return steps;
}

}  // namespace

procedural::Random degradation_random(std::uint64_t seed, const Digest& content) {
  const Digest digest = Hasher().add_field("degradation").add_field(seed).add_field(content).finish();
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof key; ++i) key = key << 8 | digest.bytes[i];
  return procedural::Random(key);
}

std::string drawn_resize_kernel(procedural::Random& random) {
  static const char* const kKernels[] = {"torch-area", "bilinear", "bicubic-a75"};
  return kKernels[random.integer(0, 2)];
}

std::vector<DegradeStep> degrade_steps(const DegradeSettings& settings, std::uint64_t seed,
                                       const Digest& content) {
  canonical_degradation(settings);  // refuses what is wrong
  const procedural::Random random = degradation_random(seed, content);
  if (!settings.real_esrgan) return plain_steps(settings, random);
  return real_esrgan_steps(*settings.real_esrgan, random.fork(chain));
}

std::string describe(const std::vector<DegradeStep>& steps) {
  std::vector<std::string> parts;
  for (const DegradeStep& step : steps)
    parts.push_back(std::visit([](const auto& kind) { return text(kind); }, step));
  return parts.empty() ? "nothing" : fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace upbench
