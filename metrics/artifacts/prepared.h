#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <opencv2/core/mat.hpp>

#include "metrics/artifacts/detector.h"

namespace upbench {

// The pictures of a subject as detectors see them: clamped, rounded to 8 bit, in code values 0..255, on the
// CPU; luma is BT.601's weighting of R, G and B, full range. Each product is made when it is first asked for.
// Not thread-safe.
class Prepared {
 public:
  enum class Picture : std::size_t { output, reference, input, base, fidelity };
  static constexpr std::size_t kPictures = 5;

  // Throws std::invalid_argument where there is no output or a picture is no image.
  explicit Prepared(const Subject& subject);
  ~Prepared();

  const Subject& subject() const { return subject_; }
  int width() const { return width_; }  // of the output
  int height() const { return height_; }
  // Of output to input; 1 where there is no input.
  double scale_x() const;
  double scale_y() const;
  const cv::Mat& broken_mask() const;  // CV_8U: pixels with NaN or an infinite channel; empty: none

  // Given, and of the size it should have: the input at most as large as the output, others of its size.
  bool has(Picture picture) const;
  const std::array<cv::Mat, 3>& rgb(Picture picture) const;  // CV_32F [H, W], R, G, B, of its own size
  const cv::Mat& luma(Picture picture) const;
  // The same at the output's size: the input enlarged with OpenCV's cubic.
  const std::array<cv::Mat, 3>& full_rgb(Picture picture) const;
  const cv::Mat& full_luma(Picture picture) const;
  // The picture made smaller to the input's size by averaging areas.
  const cv::Mat& input_size_luma(Picture picture) const;

  // What the output should look like, by the best witness: of these, the first that is there.
  std::optional<Picture> first_of(std::initializer_list<Picture> pictures) const;

  // A product that several detectors share, made once under its name.
  const cv::Mat& shared(const std::string& name, const std::function<cv::Mat()>& make) const;

 private:
  struct Products;

  Subject subject_;
  int width_ = 0, height_ = 0;
  std::unique_ptr<Products> products_;
};

std::string_view to_string(Prepared::Picture picture);

}  // namespace upbench
