#pragma once

#include <functional>
#include <optional>
#include <string>

#include "datasets/image_fwd.h"

namespace upbench {

enum class Better { higher, lower };

// ok: value counts. inf: identical pictures under PSNR (value is +infinity). undefined: the metric has no
// value here (smaller than its window); skipped: something it needs is absent (weights, reference); failed:
// it threw or returned NaN.
enum class ScoreFlag { ok, inf, undefined, skipped, failed };

struct Score {
  double value = 0;
  ScoreFlag flag = ScoreFlag::ok;
  std::string reason;  // for every flag but ok and inf
};

// Two pictures of one size on one device, already cut by the border and quantised as asked.
using ScoreFunction = std::function<Score(const Image& output, const Image& reference)>;

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
};

}  // namespace upbench
