#include "models/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ATen.h>

namespace upbench {
namespace {

constexpr int kWarmUpSteps = 100;
constexpr double kLastLearningRate = 1e-6;
constexpr double kAveraging = 0.999;

}  // namespace

double learning_rate_at(int step, int steps, double highest) {
  const double part = static_cast<double>(step) / steps;
  const double warm = std::min(1.0, (step + 1.0) / std::min(kWarmUpSteps, steps));
  const double cosine = 0.5 + 0.5 * std::cos(std::numbers::pi * part);
  return kLastLearningRate + highest * warm * cosine;
}

void average_weights(NamedTensors& mean, const NamedTensors& weights, int step) {
  const double keep = std::min(kAveraging, (step + 1.0) / (step + 10.0));
  for (auto& [name, tensor] : mean) tensor.mul_(keep).add_(weights.at(name).detach(), 1 - keep);
}

}  // namespace upbench
