#include "metrics/cambi.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>

#include <opencv2/core.hpp>

#include "metrics/entries.h"

namespace upbench {
namespace {

using Code = std::uint16_t;

constexpr int kCodes = 1024, kWindow = 63, kHalf = kWindow / 2, kMostContrast = 4, kMaskSide = 7;
constexpr std::array<double, 5> kScaleWeights = {16, 8, 4, 2, 1};
constexpr double kVisible = 0.019, kPooled = 0.6;
constexpr double kPeakLuminance = 300, kBlackLuminance = 0.01;  // cd/m2

cv::Mat codes_of(const Planes& picture) {
  cv::Mat codes(picture.height, picture.width, CV_16U);
  for (int y = 0; y < picture.height; ++y) {
    const float *red = picture.row(0, y), *green = picture.row(1, y), *blue = picture.row(2, y);
    auto* to = codes.ptr<Code>(y);
    for (int x = 0; x < picture.width; ++x)
      to[x] =
          static_cast<Code>(std::lround(4 * (16 + 65.481 * red[x] + 128.553 * green[x] + 24.966 * blue[x])));
  }
  return codes;
}

// Mean of the pixel and its neighbours right, below and right below, rounded down.
cv::Mat without_dither(const cv::Mat& codes) {
  cv::Mat result(codes.size(), CV_16U);
  for (int y = 0; y < codes.rows; ++y) {
    const auto *row = codes.ptr<Code>(y), *below = codes.ptr<Code>(std::min(y + 1, codes.rows - 1));
    auto* to = result.ptr<Code>(y);
    for (int x = 0; x < codes.cols; ++x) {
      const int right = std::min(x + 1, codes.cols - 1);
      to[x] = static_cast<Code>((row[x] + row[right] + below[x] + below[right]) >> 2);
    }
  }
  return result;
}

// Pixels equal to their right and lower neighbours, counted over 7 x 7: more than this is flat.
int least_flat_pixels(const cv::Size& size) {
  const auto blocks = static_cast<unsigned>(std::max(1, (size.width >> 6) * (size.height >> 6)));
  const int logarithm = std::bit_width(blocks - 1);  // rounded up
  return (kMaskSide * kMaskSide + 3 * (logarithm - 11) - 1) >> 1;
}

cv::Mat flat_pixels(const cv::Mat& codes) {
  // Sums over the rectangle above and left, one row and column longer.
  cv::Mat sums = cv::Mat::zeros(codes.rows + 1, codes.cols + 1, CV_32S);
  for (int y = 0; y < codes.rows; ++y) {
    const auto *row = codes.ptr<Code>(y), *below = codes.ptr<Code>(std::min(y + 1, codes.rows - 1));
    const auto* above = sums.ptr<std::int32_t>(y);
    auto* to = sums.ptr<std::int32_t>(y + 1);
    std::int32_t of_row = 0;
    for (int x = 0; x < codes.cols; ++x) {
      of_row += row[x] == row[std::min(x + 1, codes.cols - 1)] && row[x] == below[x];
      to[x + 1] = above[x + 1] + of_row;
    }
  }
  const int least = least_flat_pixels(codes.size()), reach = kMaskSide / 2;
  cv::Mat flat(codes.size(), CV_8U);
  for (int y = 0; y < codes.rows; ++y) {
    const auto *top = sums.ptr<std::int32_t>(std::max(y - reach, 0)),
               *bottom = sums.ptr<std::int32_t>(std::min(y + reach + 1, codes.rows));
    for (int x = 0; x < codes.cols; ++x) {
      const int left = std::max(x - reach, 0), right = std::min(x + reach + 1, codes.cols);
      flat.at<std::uint8_t>(y, x) = bottom[right] - bottom[left] - top[right] + top[left] > least;
    }
  }
  return flat;
}

// Every second pixel of every second row.
template <typename Value>
cv::Mat halved(const cv::Mat& picture) {
  cv::Mat result((picture.rows + 1) / 2, (picture.cols + 1) / 2, picture.type());
  for (int y = 0; y < result.rows; ++y)
    for (int x = 0; x < result.cols; ++x) result.at<Value>(y, x) = picture.at<Value>(2 * y, 2 * x);
  return result;
}

Code mode_of(Code first, Code second, Code third) {
  if (first == second || first == third) return first;
  return second == third ? second : std::min({first, second, third});
}

// The most frequent of three, along rows, then along columns; borders stay.
cv::Mat mode_filtered(const cv::Mat& codes) {
  cv::Mat rows = codes.clone();
  for (int y = 0; y < codes.rows; ++y) {
    const auto* from = codes.ptr<Code>(y);
    for (int x = 1; x + 1 < codes.cols; ++x) rows.at<Code>(y, x) = mode_of(from[x - 1], from[x], from[x + 1]);
  }
  cv::Mat result = rows.clone();
  for (int y = 1; y + 1 < codes.rows; ++y)
    for (int x = 0; x < codes.cols; ++x)
      result.at<Code>(y, x) = mode_of(rows.at<Code>(y - 1, x), rows.at<Code>(y, x), rows.at<Code>(y + 1, x));
  return result;
}

// Luminance of a 10-bit limited-range code (ITU-R BT.1886).
double luminance(int code) {
  constexpr double kGamma = 2.4;
  const double white = std::pow(kPeakLuminance, 1 / kGamma), black = std::pow(kBlackLuminance, 1 / kGamma);
  const double signal = std::clamp((code - 64) / 876.0, 0.0, 1.0);
  return std::pow((white - black) * signal + black, kGamma);
}

// The brightest code at which a step of `contrast` codes is still seen, for 1..4.
std::array<int, kMostContrast + 1> brightest_seen() {
  std::array<int, kMostContrast + 1> brightest{};
  for (int contrast = 1; contrast <= kMostContrast; ++contrast)
    for (int code = 64; code + contrast <= 940; ++code)
      if (luminance(code + contrast) - luminance(code) > kVisible * luminance(code))
        brightest[contrast] = code;
  return brightest;
}

// How often each code occurs among the flat pixels of the window around each pixel of one row.
class WindowCounts {
 public:
  WindowCounts(const cv::Mat& codes, const cv::Mat& flat)
      : codes_(codes), flat_(flat), counts_(static_cast<std::size_t>(codes.cols) * kCodes) {
    for (int y = 0; y < std::min(kHalf, codes.rows); ++y) change(y, 1);
  }

  // Rows in order from 0.
  void move_to(int y) {
    if (y + kHalf < codes_.rows) change(y + kHalf, 1);
    if (y - kHalf - 1 >= 0) change(y - kHalf - 1, -1);
  }

  int count(int x, int code) const {
    return code < 0 || code >= kCodes ? 0 : counts_[static_cast<std::size_t>(code) * codes_.cols + x];
  }

 private:
  void change(int y, int by) {
    const auto* code = codes_.ptr<Code>(y);
    const auto* flat = flat_.ptr<std::uint8_t>(y);
    for (int x = 0; x < codes_.cols; ++x) {
      if (!flat[x]) continue;
      auto* of_code = counts_.data() + static_cast<std::size_t>(code[x]) * codes_.cols;
      const int end = std::min(x + kHalf + 1, codes_.cols);
      for (int column = std::max(x - kHalf, 0); column < end; ++column)
        of_code[column] = static_cast<std::uint16_t>(of_code[column] + by);
    }
  }

  const cv::Mat &codes_, &flat_;
  std::vector<std::uint16_t> counts_;
};

// Contrast times the smaller share of two nearby codes, the largest over contrasts; 0..4.
cv::Mat banding_map(const cv::Mat& codes, const cv::Mat& flat) {
  static const auto brightest = brightest_seen();
  cv::Mat map = cv::Mat::zeros(codes.size(), CV_32F);
  WindowCounts counts(codes, flat);
  for (int y = 0; y < codes.rows; ++y) {
    counts.move_to(y);
    for (int x = 0; x < codes.cols; ++x) {
      if (!flat.at<std::uint8_t>(y, x)) continue;
      const int code = codes.at<Code>(y, x);
      const double own = counts.count(x, code);
      double most = 0;
      for (int contrast = 1; contrast <= kMostContrast; ++contrast) {
        if (code > brightest[contrast]) continue;
        const double other = std::max(counts.count(x, code + contrast), counts.count(x, code - contrast));
        most = std::max(most, contrast * own * other / (own + other));
      }
      map.at<float>(y, x) = static_cast<float>(most / (kWindow * kWindow));
    }
  }
  return map;
}

double mean_of_upper(const cv::Mat& map) {
  std::vector<float> values(map.begin<float>(), map.end<float>());
  const auto count =
      std::max<std::size_t>(1, static_cast<std::size_t>(kPooled * static_cast<double>(values.size())));
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(count) - 1, std::greater<>());
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += values[i];
  return sum / static_cast<double>(count);
}

Score score(const Image& output, const Image&) {
  const Planes picture = planes_of(output);
  if (std::min(picture.width, picture.height) < kSmallestForBanding)
    return {.flag = ScoreFlag::undefined, .reason = "smaller than 16 x 16 pixels"};
  return {.value = cambi_of(picture).score};
}

}  // namespace

Banding cambi_of(const Planes& picture) {
  cv::Mat codes = without_dither(codes_of(picture)), flat = flat_pixels(codes);
  Banding banding;
  for (std::size_t scale = 0; scale < kScaleWeights.size(); ++scale) {
    if (scale > 0) {
      codes = halved<Code>(codes);
      flat = halved<std::uint8_t>(flat);
    }
    codes = mode_filtered(codes);
    const cv::Mat map = banding_map(codes, flat);
    banding.score += kScaleWeights[scale] * mean_of_upper(map);
    if (scale == 0) banding.map = map;
  }
  return banding;
}

Metric cambi() {
  return {.name = "cambi",
          .unit = "",
          .convention =
              "CAMBI of the output alone (banding; the reference does not count), from its "
              "description, not compared with libvmaf: 10-bit BT.601 luma, window 63, five scales",
          .better = Better::lower,
          .make = [](std::string&) { return score; }};
}

}  // namespace upbench
