#include "models/diffusion/sampling/sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/diffusion/sampling/unipc.h"

namespace upbench {
namespace {

// How a step from `from` to `to` is split: down to `down` without noise, then up by `up` of fresh noise, so
// that the variances add up to to^2.
struct Split {
  double down = 0, up = 0;
};

Split split(double from, double to, double eta) {
  const double up =
      std::min(to, eta * std::sqrt(std::max(0.0, to * to * (from * from - to * to) / (from * from))));
  return {std::sqrt(std::max(0.0, to * to - up * up)), up};
}

struct Guess {
  at::Tensor picture;
  double h = 0;  // length of the step that it began, in -log sigma
};

// One run. A step function advances x_ from `from_` to `to_`.
class Run {
 public:
  Run(at::Tensor x, std::vector<SigmaStep> steps, const DenoiseFunction& denoise, const NoiseFunction& noise,
      double eta, double noise_scale, std::size_t order)
      : x_(std::move(x)),
        steps_(std::move(steps)),
        denoise_(denoise),
        noise_(noise),
        eta_(eta),
        noise_scale_(noise_scale),
        order_(order) {}

  at::Tensor run(Sampler sampler, const StepVisitor& visit) {
    for (step_ = 0; step_ < steps_.size(); ++step_) {
      if (step_ > 0 && steps_[step_].from > to_)
        add_noise(std::sqrt(steps_[step_].from * steps_[step_].from - to_ * to_));
      from_ = steps_[step_].from;
      to_ = steps_[step_].to;
      advance(sampler);
      if (visit) visit(step_, x_);
    }
    return x_;
  }

 private:
  void advance(Sampler sampler);
  void heun();
  void midpoint(double to);
  void lms();
  void two_stages(double to);
  void multistep();
  void brownian();
  void multistep_sde();
  void three_steps_sde();
  void unified(bool exponential);

  double h(double to) const { return std::log(from_ / to); }
  at::Tensor slope(const at::Tensor& x, const at::Tensor& guess, double sigma) const {
    return (x - guess) / sigma;
  }
  void euler(double to) { x_ = x_ + slope(x_, denoise_(x_, from_), from_) * (to - from_); }
  void add_noise(double amount) {
    if (amount > 0) x_ = x_ + noise_() * (noise_scale_ * amount);
  }
  // Along the exact solution for a constant guess, over `length` of -log sigma.
  at::Tensor towards(const at::Tensor& x, const at::Tensor& guess, double length) const {
    return x * std::exp(-length) - guess * std::expm1(-length);
  }

  at::Tensor x_;
  const std::vector<SigmaStep> steps_;
  const DenoiseFunction& denoise_;
  const NoiseFunction& noise_;
  const double eta_, noise_scale_;
  const std::size_t order_;  // of UniPC
  std::size_t step_ = 0;
  double from_ = 0, to_ = 0;
  std::deque<at::Tensor> slopes_;  // of earlier steps, the last one first
  std::deque<Guess> guesses_;      // the same
  at::Tensor before_;              // x at the beginning of the last step, of UniPC with its guesses
  std::vector<UniPcGuess> used_;
};

void Run::heun() {
  if (to_ == 0) return euler(0);
  const at::Tensor first = slope(x_, denoise_(x_, from_), from_);
  const at::Tensor there = x_ + first * (to_ - from_);
  x_ = x_ + (first + slope(there, denoise_(there, to_), to_)) * ((to_ - from_) / 2);
}

void Run::midpoint(double to) {
  if (to == 0) return euler(0);
  const double middle = std::sqrt(from_ * to);
  const at::Tensor half = x_ + slope(x_, denoise_(x_, from_), from_) * (middle - from_);
  x_ = x_ + slope(half, denoise_(half, middle), middle) * (to - from_);
}

// The slope as a polynomial through those of the last four steps, integrated over the step; four Gauss points
// are exact to degree 7.
void Run::lms() {
  constexpr std::size_t kOrder = 4;
  constexpr std::array<double, 4> kAt = {-0.861136311594052575, -0.339981043584856265, 0.339981043584856265,
                                         0.861136311594052575};
  constexpr std::array<double, 4> kWeight = {0.347854845137453857, 0.652145154862546143, 0.652145154862546143,
                                             0.347854845137453857};
  slopes_.push_front(slope(x_, denoise_(x_, from_), from_));
  if (slopes_.size() > kOrder) slopes_.pop_back();
  at::Tensor sum = at::zeros_like(x_);
  for (std::size_t j = 0; j < slopes_.size(); ++j) {
    double integral = 0;
    for (std::size_t k = 0; k < kAt.size(); ++k) {
      const double sigma = (from_ + to_) / 2 + (to_ - from_) / 2 * kAt[k];
      double basis = 1;
      for (std::size_t i = 0; i < slopes_.size(); ++i)
        if (i != j)
          basis *= (sigma - steps_[step_ - i].from) / (steps_[step_ - j].from - steps_[step_ - i].from);
      integral += kWeight[k] * (to_ - from_) / 2 * basis;
    }
    sum = sum + slopes_[j] * integral;
  }
  x_ = x_ + sum;
}

void Run::two_stages(double to) {
  if (to == 0) return euler(0);
  const double length = h(to);
  const at::Tensor half = towards(x_, denoise_(x_, from_), length / 2);
  x_ = towards(x_, denoise_(half, from_ * std::exp(-length / 2)), length);
}

void Run::multistep() {
  const at::Tensor guess = denoise_(x_, from_);
  if (to_ == 0) {
    x_ = guess;
    return;
  }
  const double length = h(to_);
  at::Tensor used = guess;
  if (!guesses_.empty()) {
    const double share = length / (2 * guesses_.front().h);
    used = guess * (1 + share) - guesses_.front().picture * share;
  }
  x_ = towards(x_, used, length);
  guesses_.assign(1, {guess, length});
}

// Two stages, the second from the middle of -log sigma; the noise of both is that of one Brownian path in
// sigma, so the noise of the whole step contains that of its first part.
void Run::brownian() {
  if (to_ == 0) return euler(0);
  const double middle = std::sqrt(from_ * to_);
  const at::Tensor guess = denoise_(x_, from_);
  const Split first = split(from_, middle, eta_), whole = split(from_, to_, eta_);
  at::Tensor early, all;
  if (eta_ > 0) {
    early = noise_();
    all = (early * std::sqrt(from_ - middle) + noise_() * std::sqrt(middle - to_)) / std::sqrt(from_ - to_);
  }
  at::Tensor half = towards(x_, guess, std::log(from_ / first.down));
  if (early.defined()) half = half + early * (noise_scale_ * first.up);
  x_ = towards(x_, denoise_(half, middle), std::log(from_ / whole.down));
  if (all.defined()) x_ = x_ + all * (noise_scale_ * whole.up);
}

void Run::multistep_sde() {
  const at::Tensor guess = denoise_(x_, from_);
  if (to_ == 0) {
    x_ = guess;
    return;
  }
  const double length = h(to_), all = length * (1 + eta_);
  x_ = towards(x_, guess, all);
  if (!guesses_.empty())
    x_ = x_ + (guess - guesses_.front().picture) * (-std::expm1(-all) / 2 * length / guesses_.front().h);
  add_noise(to_ * std::sqrt(-std::expm1(-2 * length * eta_)));
  guesses_.assign(1, {guess, length});
}

// As k-diffusion and diffusers compute it: `bend` is half the second derivative, where the third term wants
// all of it. So the third step corrects but half, and the order stays 2.
void Run::three_steps_sde() {
  const at::Tensor guess = denoise_(x_, from_);
  if (to_ == 0) {
    x_ = guess;
    return;
  }
  const double length = h(to_), all = length * (1 + eta_);
  const double second = std::expm1(-all) / all + 1, third = second / all - 0.5;
  x_ = towards(x_, guess, all);
  if (guesses_.size() == 1) {
    x_ = x_ + (guess - guesses_[0].picture) * (second * length / guesses_[0].h);
  } else if (guesses_.size() == 2) {
    const double r0 = guesses_[0].h / length, r1 = guesses_[1].h / length;
    const at::Tensor recent = (guess - guesses_[0].picture) / r0;
    const at::Tensor bend = (recent - (guesses_[0].picture - guesses_[1].picture) / r1) / (r0 + r1);
    x_ = x_ + (recent + bend * r0) * second - bend * third;
  }
  add_noise(to_ * std::sqrt(-std::expm1(-2 * length * eta_)));
  guesses_.push_front({guess, length});
  if (guesses_.size() > 2) guesses_.pop_back();
}

// Corrects x by the guess at it, which the next step's prediction uses as well. The order rises with the
// guesses there are and falls towards the end.
void Run::unified(bool exponential) {
  const at::Tensor guess = denoise_(x_, from_);
  const double now = -std::log(from_);
  if (before_.defined()) x_ = unipc_step(before_, used_, now, &guess, exponential);
  if (to_ == 0) {
    x_ = guess;
    return;
  }
  const std::size_t order = std::min({order_, steps_.size() - step_, used_.size() + 1});
  used_.insert(used_.begin(), {guess, now});
  used_.resize(order);
  before_ = x_;
  x_ = unipc_step(x_, used_, -std::log(to_), nullptr, exponential);
}

void Run::advance(Sampler sampler) {
  const Split ancestral = split(from_, to_, eta_);
  switch (sampler) {
    case Sampler::euler:
      return euler(to_);
    case Sampler::ddim:
    case Sampler::euler_ancestral:
      euler(ancestral.down);
      return add_noise(ancestral.up);
    case Sampler::restart:
    case Sampler::heun:
      return heun();
    case Sampler::dpm2:
      return midpoint(to_);
    case Sampler::dpm2_ancestral:
      midpoint(ancestral.down);
      return add_noise(ancestral.up);
    case Sampler::lms:
      return lms();
    case Sampler::dpmpp_2s_ancestral:
      two_stages(ancestral.down);
      return add_noise(ancestral.up);
    case Sampler::dpmpp_2m:
      return multistep();
    case Sampler::dpmpp_sde:
      return brownian();
    case Sampler::dpmpp_2m_sde:
      return multistep_sde();
    case Sampler::dpmpp_3m_sde:
      return three_steps_sde();
    case Sampler::unipc:
    case Sampler::unipc_bh1:
      return unified(sampler == Sampler::unipc);
    case Sampler::lcm:
      x_ = denoise_(x_, from_);
      return add_noise(to_);
  }
}

void check(const std::vector<double>& sigmas, double eta, double noise_scale, int order) {
  bool fine = sigmas.size() >= 2 && sigmas.back() >= 0;
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i)
    fine = fine && std::isfinite(sigmas[i]) && sigmas[i] > sigmas[i + 1];
  if (!fine)
    throw std::invalid_argument(fmt::format(
        "noise levels {:.4g}: expected at least two, descending, none below 0", fmt::join(sigmas, ", ")));
  if (!(eta >= 0 && std::isfinite(eta)) || !(noise_scale >= 0 && std::isfinite(noise_scale)))
    throw std::invalid_argument(
        fmt::format("eta {} and noise scale {}: expected numbers of at least 0", eta, noise_scale));
  if (order < 1 || order > 3) throw std::invalid_argument(fmt::format("order {}, expected 1 .. 3", order));
}

}  // namespace

std::vector<SigmaStep> sampled_steps(Sampler sampler, const std::vector<double>& sigmas,
                                     const SamplerOptions& options) {
  const bool restarts = sampler == Sampler::restart && options.eta.value_or(1) > 0;
  return restarts ? restart_steps(sigmas) : plain_steps(sigmas);
}

at::Tensor sample(Sampler sampler, at::Tensor x, const std::vector<double>& sigmas,
                  const DenoiseFunction& denoise, const NoiseFunction& noise, const SamplerOptions& options,
                  const StepVisitor& visit) {
  const double eta = options.eta.value_or(describe(sampler).eta);
  const int order = options.order.value_or(sampler == Sampler::unipc_bh1 ? 3 : 2);
  check(sigmas, eta, options.noise_scale, order);
  return Run(std::move(x), sampled_steps(sampler, sigmas, options), denoise, noise, eta, options.noise_scale,
             static_cast<std::size_t>(order))
      .run(sampler, visit);
}

}  // namespace upbench
