#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "metrics/artifacts/entries.h"
#include "metrics/artifacts/local.h"
#include "metrics/artifacts/prepared.h"
#include "metrics/artifacts/regions.h"

namespace upbench {
namespace {

using Picture = Prepared::Picture;

constexpr int kReach = 12;        // px: what a stroke is darker or brighter than
constexpr float kContrast = 40;   // levels between strokes and paper
constexpr float kTwoTone = 0.7F;  // mean distance from the threshold, of half the contrast
// A change of topology must hold at two thresholds so far apart: of the contrast, and at most, levels.
constexpr float kSlack = 0.2F, kMostSlack = 20;
constexpr int kLargestSide = 96;   // px of the box of a stroke, letter or hole
constexpr int kSmallestArea = 12;  // px
constexpr double kFewest = 12;     // strokes, else there is no text
constexpr double kPart = 0.15;     // of a stroke's area: smaller pieces are dust

struct Components {
  cv::Mat labels, statistics;
  int count = 0;
};

Components components_of(const cv::Mat& mask) {
  Components found;
  cv::Mat centres;
  found.count = cv::connectedComponentsWithStats(mask, found.labels, found.statistics, centres, 8, CV_32S);
  return found;
}

// Where strokes are: local contrast of text.
struct Writing {
  cv::Mat threshold, slack, written;
};
Writing writing_of(const cv::Mat& truth) {
  const cv::Mat high = local_maximum(truth, kReach), low = local_minimum(truth, kReach);
  const cv::Mat threshold = (high + low) * 0.5, range = high - low;
  // Ink and paper are near the extremes; in textures values lie between.
  cv::Mat extreme;
  cv::blur(cv::abs(truth - threshold) / (range * 0.5 + 1), extreme, {2 * kReach + 1, 2 * kReach + 1});
  return {threshold, cv::min(range * kSlack, kMostSlack), (range > kContrast) & (extreme > kTwoTone)};
}

// Ink (or paper, with sign -1) by a local threshold that is `easier` times the slack more generous.
cv::Mat ink(const cv::Mat& luma, const Writing& writing, float sign, float easier) {
  const cv::Mat margin = sign * (writing.threshold - luma) + writing.slack * easier;
  return (margin > 0) & writing.written;
}

cv::Rect box_of(const Components& components, int label) {
  const auto at = [&](int column) { return components.statistics.at<int>(label, column); };
  return {at(cv::CC_STAT_LEFT), at(cv::CC_STAT_TOP), at(cv::CC_STAT_WIDTH), at(cv::CC_STAT_HEIGHT)};
}

// Labels below a mask, with how many pixels each has there.
std::map<int, int> labels_within(const cv::Mat& labels, const cv::Mat& mask) {
  std::map<int, int> counts;
  for (int y = 0; y < mask.rows; ++y)
    for (int x = 0; x < mask.cols; ++x)
      if (mask.at<std::uint8_t>(y, x) != 0) ++counts[labels.at<int>(y, x)];
  counts.erase(0);
  return counts;
}

struct Damage {
  int strokes = 0, lost = 0, split = 0, joined = 0, thickened = 0;
};

cv::Mat without_holes(const cv::Mat& mask) {
  cv::Mat outside;
  cv::copyMakeBorder(mask, outside, 1, 1, 1, 1, cv::BORDER_CONSTANT, 0);
  cv::floodFill(outside, {0, 0}, 128);
  return outside(cv::Rect(1, 1, mask.cols, mask.rows)) != 128;
}

// Much more ink in a stroke's box than it should have: its gaps have filled. Holes are counted by themselves.
bool has_thickened(const cv::Mat& ink_there, const cv::Mat& wanted, const cv::Mat& stroke) {
  constexpr double kThicker = 1.5;
  const cv::Mat allowed = wanted | without_holes(stroke);
  return cv::countNonZero(ink_there) > kThicker * cv::countNonZero(allowed);
}

// Of strokes of one polarity: gone, in pieces, joined to another, or thickened. Each must hold although the
// output's threshold is made generous (gone, pieces) or strict (joined, thickened).
Damage damage_of(const cv::Mat& output, const cv::Mat& truth, const Writing& writing, float sign,
                 cv::Mat& damaged) {
  const cv::Mat wanted = ink(truth, writing, sign, 0), strict_ink = ink(output, writing, sign, -1);
  const Components strokes = components_of(wanted);
  const Components generous = components_of(ink(output, writing, sign, 1));
  const Components strict = components_of(strict_ink);
  // Strokes that a generous threshold joins in the truth itself do not count as joined.
  const Components near = components_of(ink(truth, writing, sign, 1));
  Damage damage;
  std::map<int, std::set<int>> joins;  // strict component -> groups of strokes
  std::map<int, std::vector<int>> members;
  for (int label = 1; label < strokes.count; ++label) {
    const cv::Rect box = box_of(strokes, label);
    const int area = strokes.statistics.at<int>(label, cv::CC_STAT_AREA);
    if (area < kSmallestArea || std::max(box.width, box.height) > kLargestSide) continue;
    ++damage.strokes;
    const cv::Mat mask = strokes.labels(box) == label;
    const int least = std::max(2, static_cast<int>(kPart * area));
    const auto pieces = labels_within(generous.labels(box), mask);
    const auto large =
        std::ranges::count_if(pieces, [&](const auto& piece) { return piece.second >= least; });
    damage.lost += large == 0 ? 1 : 0;
    damage.split += large > 1 ? 1 : 0;
    const bool thickened = large == 1 && has_thickened(strict_ink(box), wanted(box), mask);
    damage.thickened += thickened ? 1 : 0;
    if (large != 1 || thickened) damaged(box).setTo(255, mask);
    const auto groups = labels_within(near.labels(box), mask);
    for (const auto& [whole, pixels] : labels_within(strict.labels(box), mask))
      if (pixels >= least && !groups.empty()) {
        joins[whole].insert(groups.begin()->first);
        members[whole].push_back(label);
      }
  }
  for (const auto& [whole, groups] : joins) {
    if (groups.size() < 2) continue;
    damage.joined += static_cast<int>(groups.size()) - 1;
    for (const int label : members[whole]) {
      const cv::Rect box = box_of(strokes, label);
      damaged(box).setTo(255, strokes.labels(box) == label);
    }
  }
  return damage;
}

Detection text_damage(const Prepared& prepared) {
  const auto witness = prepared.first_of({Picture::reference, Picture::input});
  if (!witness) return {.missing = "needs a reference or an input"};
  const cv::Mat& truth = prepared.full_luma(*witness);
  const Writing writing = writing_of(truth);
  cv::Mat damaged = cv::Mat::zeros(truth.size(), CV_8U);
  Damage all;
  for (const float sign : {1.0F, -1.0F}) {
    const Damage damage = damage_of(prepared.luma(Picture::output), truth, writing, sign, damaged);
    all.strokes += damage.strokes;
    all.lost += damage.lost;
    all.split += damage.split;
    all.joined += damage.joined;
    all.thickened += damage.thickened;
  }
  Detection found;
  found.parts = {{"strokes and holes", "", static_cast<double>(all.strokes)},
                 {"lost", "", static_cast<double>(all.lost)},
                 {"split", "", static_cast<double>(all.split)},
                 {"joined", "", static_cast<double>(all.joined)},
                 {"thickened", "", static_cast<double>(all.thickened)}};
  if (all.strokes < kFewest) return {.missing = "fewer than 12 strokes and holes: no text"};
  found.value = 100.0 * (all.lost + all.split + all.joined + all.thickened) / all.strokes;
  cv::Mat marks;
  damaged.convertTo(marks, CV_32F, 1.0 / 255);
  const cv::Mat cells = cell_maxima(marks, 8) * found.value;
  found.boxes = worst_regions(cells, 0, prepared.width(), prepared.height());
  found.map = artifact_map(cells);
  return found;
}

}  // namespace

Detector text_damage_detector() {
  return {.name = "text-damage",
          .unit = "%",
          .convention =
              "strokes, letters and holes of the reference or input that are lost, in pieces, joined or "
              "thickened in the output, of all of them, 12 at least",
          .needs = "reference or input",
          .version = 2,
          .decimals = 1,
          .detect = text_damage};
}

}  // namespace upbench
