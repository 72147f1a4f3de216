#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <ATen/core/Tensor.h>

#include "datasets/image_fwd.h"
#include "metrics/planes.h"

namespace upbench {

enum class Better { higher, lower };

// ok: value counts. inf: identical pictures under PSNR (value is +infinity). undefined: the metric has no
// value here (smaller than its window); skipped: something it needs is absent (weights, reference); failed:
// it threw or returned NaN.
enum class ScoreFlag { ok, inf, undefined, skipped, failed };

// Of one signal of two pictures, as metrics/ssim_kernel.h and metrics/squared_error.h define them.
struct Similarity {
  double ssim = 0;  // NaN for pictures smaller than the window
  double mean_squared_error = 0;
};

struct Score {
  double value = 0;
  ScoreFlag flag = ScoreFlag::ok;
  std::string reason;  // for every flag but ok and inf
};

// What a metric computes from the reference alone, say a network's features of it.
using ReferenceFeatures = std::vector<at::Tensor>;
// Gives a metric the features of the reference it scores against: those kept from an earlier score, else what
// `make` makes.
using FeatureSource =
    std::function<std::shared_ptr<const ReferenceFeatures>(const std::function<ReferenceFeatures()>& make)>;

// A score that is known, or a float64 on the device that holds it.
using PendingScore = std::variant<Score, at::Tensor>;
// Queues its work on the current stream of the pictures' device and does not wait for it.
using DeviceScoreFunction =
    std::function<PendingScore(const Image& output, const Image& reference, const FeatureSource& features)>;

// Scores two pictures of one size in CPU memory, already cut by the border and quantised as asked. Made of a
// function (output, reference), or of one (output, reference, features) for a metric whose work on the
// reference is worth keeping: the same score either way, bit for bit.
class ScoreFunction {
 public:
  ScoreFunction() = default;
  // on_device: the same metric for pictures on a device.
  template <typename Function>
  ScoreFunction(Function function, DeviceScoreFunction on_device) : ScoreFunction(std::move(function)) {
    on_device_ = std::move(on_device);
  }
  template <typename Function>
    requires(!std::same_as<std::remove_cvref_t<Function>, ScoreFunction>)
  ScoreFunction(Function function) {
    if constexpr (std::invocable<Function, const Image&, const Image&>)
      score_ = [function = std::move(function)](const Image& output, const Image& reference,
                                                const FeatureSource&) { return function(output, reference); };
    else
      score_ = std::move(function);
  }

  explicit operator bool() const { return static_cast<bool>(score_); }
  Score operator()(const Image& output, const Image& reference, const FeatureSource& features) const {
    return score_(output, reference, features);
  }
  Score operator()(const Image& output, const Image& reference) const;  // keeps nothing
  const DeviceScoreFunction& on_device() const { return on_device_; }   // empty: there is none

 private:
  std::function<Score(const Image&, const Image&, const FeatureSource&)> score_;
  DeviceScoreFunction on_device_;
};

// A metric that follows from the squared error and the SSIM of signals: where pictures are on a device, all
// such metrics share one pass over them (metrics/device_similarity.h).
struct SignalScore {
  std::span<const Signal> signals;
  Score (*score)(std::span<const Similarity> of_signals) = nullptr;
};

struct Detector;  // metrics/artifacts/detector.h

struct Metric {
  std::string name;        // kebab-case, never renamed: "psnr-y"
  std::string unit;        // "dB" or empty
  std::string convention;  // printed with every number: "BT.601 limited-range Y, unrounded; peak 255"
  Better better = Better::higher;
  int version = 1;           // rises whenever the score of any pair may change
  bool cuts_border = false;  // PSNR/SSIM: a border of `scale` pixels is cut in `run`
  int decimals = 4;          // for reports
  // Loads what the metric needs once; an empty function with `reason` filled means "skipped, and why".
  std::function<ScoreFunction(std::string& reason)> make;
  std::optional<SignalScore> signals = {};  // where that is all that it needs
  const Detector* detector = nullptr;       // an artifact detector, which may know more than two pictures
};

}  // namespace upbench
