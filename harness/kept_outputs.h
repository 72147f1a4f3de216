#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <ATen/core/Tensor.h>

#include "datasets/codec/picture_check.h"
#include "datasets/codec/raster.h"
#include "datasets/digest.h"
#include "datasets/image_fwd.h"
#include "datasets/load_item.h"

namespace upbench {

// SHA-256 of the samples of the 8-bit picture, H x W x RGB: what the record keeps as `pixels`.
Digest pixel_digest(const Raster& raster);

// Output pictures by content, beside the store: FOLDER/ab/abcdef....png. They carry no parameters of how they
// were made: settings that lead to the same pixels share a file, and the store says which they are. verify:
// of each file that is written, before it takes its name; its error is thrown with that name before it, and
// no file is left.
class KeptOutputs {
 public:
  explicit KeptOutputs(std::filesystem::path folder, PictureCheck verify = {})
      : folder_(std::move(folder)), verify_(std::move(verify)) {}

  // Writes the 8-bit picture unless it is there; returns its name relative to the folder. Throws
  // std::system_error.
  std::string keep(const Raster& raster, const Digest& pixels) const;

  // Writes what the pipeline got of a picture of the set (key: ImageRow::key) and its reference, unless they
  // are there: reports show them beside the outputs. Throws std::system_error.
  void keep_item(const Digest& key, const LoadedItem& item) const;

  // The picture, or nothing when the file is gone or does not hold these pixels any more (then it has to be
  // made again).
  std::optional<Image> load(const std::string& name, const Digest& pixels) const;

 private:
  void write(const std::string& name, const Raster& raster) const;

  std::filesystem::path folder_;
  PictureCheck verify_;
};

}  // namespace upbench
