// Blocks of made-up words in the stroke fonts that OpenCV carries (Hershey 1967), in several sizes, weights,
// slants and colours. Their outlines are drawn in integer arithmetic.
#include <array>
#include <string>

#include <opencv2/imgproc.hpp>

#include "datasets/procedural/painters.h"
#include "datasets/procedural/texture.h"

namespace upbench::procedural {
namespace {

constexpr std::array<int, 10> kFonts{cv::FONT_HERSHEY_SIMPLEX,
                                     cv::FONT_HERSHEY_PLAIN,
                                     cv::FONT_HERSHEY_DUPLEX,
                                     cv::FONT_HERSHEY_COMPLEX,
                                     cv::FONT_HERSHEY_TRIPLEX,
                                     cv::FONT_HERSHEY_COMPLEX_SMALL,
                                     cv::FONT_HERSHEY_SCRIPT_SIMPLEX,
                                     cv::FONT_HERSHEY_SCRIPT_COMPLEX,
                                     cv::FONT_HERSHEY_COMPLEX | cv::FONT_ITALIC,
                                     cv::FONT_HERSHEY_TRIPLEX | cv::FONT_ITALIC};

std::string word(Random& random) {
  static constexpr char kLetters[] = "eeeettaaooiinnsshhrrddllccuummwwffggyyppbbvvkjxqz";
  std::string text;
  const bool capitals = random.chance(0.1F);
  if (random.chance(0.1F)) return std::to_string(random.integer(0, 99999));
  for (int i = random.integer(1, 9); i > 0; --i) {
    const char letter = kLetters[random.integer(0, sizeof kLetters - 2)];
    text +=
        capitals || (text.empty() && random.chance(0.2F)) ? static_cast<char>(letter - 'a' + 'A') : letter;
  }
  if (random.chance(0.15F)) text += ",.!?;:"[random.integer(0, 5)];
  return text;
}

// Lines of words in one font and size, set in a mask from `top` down; returns where the next block may begin.
int set_block(cv::Mat& mask, Random& random, int top) {
  const int font = kFonts[static_cast<std::size_t>(random.integer(0, kFonts.size() - 1))];
  const float height = random.power_law(6, 48);  // of a capital, output pixels
  int baseline = 0;
  const int unit = cv::getTextSize("H", font, 1, 1, &baseline).height;
  const double scale = static_cast<double>(height * Canvas::kSamples) / unit;
  const int stem = std::max(1, static_cast<int>(height * Canvas::kSamples * random.range(0.04F, 0.16F)));
  const int step = static_cast<int>(height * Canvas::kSamples * random.range(1.4F, 2));
  const int gap = static_cast<int>(height * Canvas::kSamples * 0.6F),
            indent = random.integer(0, mask.cols / 4);
  for (int line = random.integer(1, height > 20 ? 2 : 6); line > 0 && top < mask.rows; --line) {
    top += step;
    for (int x = indent; x < mask.cols;) {
      const std::string text = word(random);
      cv::putText(mask, text, {x, top}, font, scale, cv::Scalar(255), stem);
      x += cv::getTextSize(text, font, scale, stem, &baseline).width + gap;
    }
  }
  return top;
}

// Ink through a mask, seen turned by a small angle about the middle.
void print_mask(Canvas& canvas, const cv::Mat& mask, Point axis, Colour ink) {
  const float middle = 0.5F * static_cast<float>(canvas.side());
  canvas.fill_all([&](int x, int y) {
    const float dx = static_cast<float>(x) - middle, dy = static_cast<float>(y) - middle;
    const int column = static_cast<int>(std::floor(middle + dx * axis.x + dy * axis.y + 0.5F));
    const int row = static_cast<int>(std::floor(middle + dy * axis.x - dx * axis.y + 0.5F));
    const bool inside = row >= 0 && row < mask.rows && column >= 0 && column < mask.cols;
    return inside && mask.at<std::uint8_t>(row, column) ? ink : canvas.at(x, y);
  });
}

}  // namespace

void paint_text(Canvas& canvas, Random random) {
  const bool dark_paper = random.chance(0.25F);
  const Colour paper =
      dark_paper ? natural_colour(random, 0.02F, 0.25F) : natural_colour(random, 0.7F, 0.99F);
  const float slope = random.chance(0.5F) ? 0 : random.range(-0.2F, 0.2F) / static_cast<float>(canvas.size());
  const float grain = random.chance(0.3F) ? random.range(0, 0.03F) : 0;
  const Texture fibre({.largest = 16, .persistence = 0.9F}, random.fork(1));
  canvas.fill_all(
      [&](int x, int y) { return paper + (slope * Canvas::position(x) + grain * fibre.at(x, y)); });

  const Point axis = direction(random.chance(0.5F) ? 0 : random.range(-0.08F, 0.08F));
  cv::Mat mask(canvas.side(), canvas.side(), CV_8UC1);
  for (int top = 0; top < mask.rows;) {
    const Colour ink =
        dark_paper ? natural_colour(random, 0.7F, 0.99F) : natural_colour(random, 0.01F, 0.35F);
    mask.setTo(0);
    top = set_block(mask, random, top);
    print_mask(canvas, mask, axis, ink);
  }
  if (random.chance(0.25F)) canvas.blur(random.range(0.3F, 0.8F));
}

}  // namespace upbench::procedural
