#include "reports/pictures/shown_picture.h"

#include "reports/pictures/parallel.h"

namespace upbench {

ShownPicture::ShownPicture(const PictureFiles& files, const RunData& data, const ShownMethods& methods,
                           std::uint32_t image)
    : files_(files),
      data_(data),
      image_(image),
      reference_(files.reference(image)),
      input_(files.input(image)),
      outputs_(methods.cells().size()),
      errors_(methods.cells().size()) {
  for (std::size_t k = 0; k < outputs_.size(); ++k) trials_.push_back(methods.trial(k, image));
  if (reference_) {
    width_ = reference_->width;
    height_ = reference_->height;
  } else {
    for (const std::uint32_t trial : trials_)
      if (trial != kNoTrial && width_ == 0) {
        width_ = data.trials[trial].width;
        height_ = data.trials[trial].height;
      }
  }
  held_ = 3 * std::size_t(width_) * std::size_t(height_) * (trials_.size() + 2) <= kMostHeldBytes;
  for_each_in_parallel(held_ ? trials_.size() : 0, [&](std::size_t k) { outputs_[k] = decode(k); });
  for_each_in_parallel(held_ || reference_ ? trials_.size() : 0, [&](std::size_t k) {
    if (const auto raster = output(k); raster && reference_) errors_[k] = error_blocks(*raster, *reference_);
  });
}

std::shared_ptr<const Raster> ShownPicture::decode(std::size_t method) const {
  if (trials_[method] == kNoTrial) return nullptr;
  std::optional<Raster> raster = files_.output(data_.trials[trials_[method]]);
  if (!raster || raster->width != width_ || raster->height != height_) return nullptr;
  return std::make_shared<const Raster>(std::move(*raster));
}

std::shared_ptr<const Raster> ShownPicture::output(std::size_t method) const {
  return held_ ? outputs_[method] : decode(method);
}

Window ShownPicture::worst(std::size_t method, int side) const {
  if (!errors_[method]) return {rect_around(width_ / 2.0, height_ / 2.0, side, width_, height_), 0};
  std::vector<const ErrorBlocks*> others;
  for (std::size_t k = 0; k < errors_.size(); ++k)
    if (k != method && errors_[k]) others.push_back(&*errors_[k]);
  return worst_window(*errors_[method], others, side, width_, height_);
}

Rect ShownPicture::worst_of_all(int side) const {
  Window most{rect_around(width_ / 2.0, height_ / 2.0, side, width_, height_), 0};
  for (std::size_t k = 0; k < errors_.size(); ++k)
    if (const Window window = worst(k, side); errors_[k] && window.excess > most.excess) most = window;
  return most.rect;
}

}  // namespace upbench
