#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "reports/pictures/crop.h"
#include "reports/pictures/methods.h"
#include "reports/pictures/picture_files.h"

namespace upbench {

// All that the stores kept of one picture of the set. Decoded once where that takes at most kMostHeldBytes,
// else each time it is asked for.
class ShownPicture {
 public:
  ShownPicture(const PictureFiles& files, const RunData& data, const ShownMethods& methods,
               std::uint32_t image);

  std::uint32_t image() const { return image_; }
  int width() const { return width_; }  // of the reference, else of the first output
  int height() const { return height_; }
  std::size_t methods() const { return trials_.size(); }
  // Nothing where it was not kept or has another size than the scene.
  std::shared_ptr<const Raster> output(std::size_t method) const;
  const std::optional<Raster>& reference() const { return reference_; }
  const std::optional<Raster>& input() const { return input_; }

  // Where the method loses most to the best of the others; the middle where there is no reference.
  Window worst(std::size_t method, int side) const;
  // Where any of them loses most.
  Rect worst_of_all(int side) const;

  static constexpr std::size_t kMostHeldBytes = 400'000'000;

 private:
  std::shared_ptr<const Raster> decode(std::size_t method) const;

  const PictureFiles& files_;
  const RunData& data_;
  std::uint32_t image_;
  std::vector<std::uint32_t> trials_;  // by method
  std::optional<Raster> reference_, input_;
  int width_ = 0, height_ = 0;
  bool held_ = false;
  std::vector<std::shared_ptr<const Raster>> outputs_;
  std::vector<std::optional<ErrorBlocks>> errors_;  // by method
};

}  // namespace upbench
