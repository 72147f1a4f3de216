#include "reports/sheet/label.h"

#include <algorithm>

#include <opencv2/imgproc.hpp>

namespace upbench {
namespace {

// The smallest of Hershey's stroke fonts that OpenCV carries and that reads well.
constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX, kMargin = 3, kBaseline = 14;
constexpr double kScale = 0.42;

int width_of(const std::string& text) {
  int baseline = 0;
  return cv::getTextSize(text, kFont, kScale, 1, &baseline).width;
}

// One "?" for each character, not for each byte of UTF-8.
std::string printable_ascii(const std::string& text) {
  std::string ascii;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xC0) continue;
    ascii += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return ascii;
}

}  // namespace

std::vector<std::uint8_t> draw_label(const std::string& text, int width) {
  std::vector<std::uint8_t> grey(static_cast<std::size_t>(width) * kLabelHeight, 255);
  const int room = width - 2 * kMargin;
  // No glyph is narrower than 3 pixels, so that this bounds the work for a text of any length.
  std::string shown = printable_ascii(text.substr(0, static_cast<std::size_t>(std::max(room, 0)) + 1));
  if (width_of(shown) > room) {
    while (!shown.empty() && width_of(shown + "..") > room) shown.pop_back();
    shown += "..";
  }
  if (width_of(shown) <= room) {
    cv::Mat canvas(kLabelHeight, width, CV_8UC1, grey.data());
    cv::putText(canvas, shown, {kMargin, kBaseline}, kFont, kScale, cv::Scalar(0), 1, cv::LINE_AA);
  }
  return grey;
}

}  // namespace upbench
