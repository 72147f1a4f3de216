#include "metrics/artifacts/prepared.h"

#include <cmath>
#include <map>
#include <stdexcept>

#include <ATen/core/Tensor.h>
#include <ATen/ops/isfinite.h>
#include <fmt/format.h>
#include <opencv2/imgproc.hpp>

#include "datasets/image.h"
#include "datasets/resampling/levels.h"

namespace upbench {
namespace {

constexpr std::array<std::string_view, Prepared::kPictures> kNames = {"output", "reference", "input", "base",
                                                                      "fidelity result"};

std::size_t index(Prepared::Picture picture) {
  return static_cast<std::size_t>(picture);
}

const Image* given(const Subject& subject, Prepared::Picture picture) {
  return std::array{subject.output, subject.reference, subject.input, subject.base,
                    subject.fidelity}[index(picture)];
}

cv::Mat broken_pixels(const Image& output) {
  const at::Tensor broken = at::isfinite(output.detach().to(at::kCPU)).all(0).logical_not();
  if (!broken.any().item<bool>()) return {};
  const at::Tensor bytes = broken.to(at::kByte).contiguous();
  return cv::Mat(static_cast<int>(bytes.size(0)), static_cast<int>(bytes.size(1)), CV_8U,
                 bytes.mutable_data_ptr()) *
         255;
}

// Planes in code values; NaN becomes 0.
std::array<cv::Mat, 3> planes(const Image& image) {
  Image copy = image.detach().to(at::kCPU).contiguous().clone();
  const int height = static_cast<int>(copy.size(1)), width = static_cast<int>(copy.size(2));
  auto* data = copy.mutable_data_ptr<float>();
  round_to_levels(data, static_cast<std::size_t>(copy.numel()));
  std::array<cv::Mat, 3> result;
  for (int channel = 0; channel < 3; ++channel) {
    const cv::Mat plane(height, width, CV_32F, data + static_cast<std::ptrdiff_t>(channel) * height * width);
    plane.convertTo(result[channel], CV_32F, 255.0);
  }
  return result;
}

cv::Mat luma_of(const std::array<cv::Mat, 3>& rgb) {
  cv::Mat luma = 0.299F * rgb[0] + 0.587F * rgb[1];
  luma += 0.114F * rgb[2];
  return luma;
}

}  // namespace

struct Prepared::Products {
  std::array<std::array<cv::Mat, 3>, kPictures> rgb, full_rgb;
  std::array<cv::Mat, kPictures> luma, full_luma, input_size_luma;
  cv::Mat broken;
  std::map<std::string, cv::Mat> shared;
};

std::string_view to_string(Prepared::Picture picture) {
  return kNames[index(picture)];
}

Prepared::Prepared(const Subject& subject) : subject_(subject), products_(std::make_unique<Products>()) {
  if (subject.output == nullptr) throw std::invalid_argument("artifact detectors: there is no output");
  for (std::size_t i = 0; i < kPictures; ++i)
    if (const Image* image = given(subject, static_cast<Picture>(i)))
      require_image(*image, fmt::format("artifact detectors, {}", kNames[i]));
  width_ = static_cast<int>(subject.output->size(2));
  height_ = static_cast<int>(subject.output->size(1));
  products_->broken = broken_pixels(*subject.output);
}

Prepared::~Prepared() = default;

const cv::Mat& Prepared::broken_mask() const {
  return products_->broken;
}

bool Prepared::has(Picture picture) const {
  const Image* image = given(subject_, picture);
  if (image == nullptr) return false;
  const auto image_width = image->size(2), image_height = image->size(1);
  if (picture == Picture::input) return image_width <= width_ && image_height <= height_;
  return image_width == width_ && image_height == height_;
}

double Prepared::scale_x() const {
  return has(Picture::input) ? static_cast<double>(width_) / static_cast<double>(subject_.input->size(2)) : 1;
}

double Prepared::scale_y() const {
  return has(Picture::input) ? static_cast<double>(height_) / static_cast<double>(subject_.input->size(1))
                             : 1;
}

const std::array<cv::Mat, 3>& Prepared::rgb(Picture picture) const {
  auto& made = products_->rgb[index(picture)];
  if (made[0].empty()) made = planes(*given(subject_, picture));
  return made;
}

const cv::Mat& Prepared::luma(Picture picture) const {
  cv::Mat& made = products_->luma[index(picture)];
  if (made.empty()) made = luma_of(rgb(picture));
  return made;
}

const std::array<cv::Mat, 3>& Prepared::full_rgb(Picture picture) const {
  if (picture != Picture::input) return rgb(picture);
  auto& made = products_->full_rgb[index(picture)];
  if (made[0].empty())
    for (std::size_t channel = 0; channel < 3; ++channel)
      cv::resize(rgb(picture)[channel], made[channel], {width_, height_}, 0, 0, cv::INTER_CUBIC);
  return made;
}

const cv::Mat& Prepared::full_luma(Picture picture) const {
  if (picture != Picture::input) return luma(picture);
  cv::Mat& made = products_->full_luma[index(picture)];
  if (made.empty()) cv::resize(luma(picture), made, {width_, height_}, 0, 0, cv::INTER_CUBIC);
  return made;
}

const cv::Mat& Prepared::input_size_luma(Picture picture) const {
  if (picture == Picture::input) return luma(picture);
  cv::Mat& made = products_->input_size_luma[index(picture)];
  if (made.empty()) cv::resize(luma(picture), made, luma(Picture::input).size(), 0, 0, cv::INTER_AREA);
  return made;
}

std::optional<Prepared::Picture> Prepared::first_of(std::initializer_list<Picture> pictures) const {
  for (const Picture picture : pictures)
    if (has(picture)) return picture;
  return std::nullopt;
}

const cv::Mat& Prepared::shared(const std::string& name, const std::function<cv::Mat()>& make) const {
  const auto found = products_->shared.find(name);
  return found != products_->shared.end() ? found->second
                                          : products_->shared.emplace(name, make()).first->second;
}

}  // namespace upbench
