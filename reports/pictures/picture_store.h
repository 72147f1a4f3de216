#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "datasets/codec/raster.h"
#include "datasets/digest.h"

namespace upbench {

// A lossless file of the raster (8-bit RGB) for a browser: WebP, or PNG where a side is too long for it.
struct EncodedPicture {
  std::vector<std::uint8_t> bytes;
  const char* type = "webp";  // "webp" or "png"
};
EncodedPicture encode_for_page(const Raster& raster);

// Pictures as a page holds them, each once, while they fit.
class EmbeddedPictures {
 public:
  explicit EmbeddedPictures(std::size_t limit) : limit_(limit) {}

  // Their indices into sources(), or nothing where they do not all fit any more; nothing is added then.
  std::vector<std::size_t> add(const std::vector<Raster>& rasters);
  std::size_t left() const { return limit_ - used_; }
  const std::vector<std::string>& sources() const { return sources_; }
  std::vector<std::string> take() { return std::move(sources_); }

 private:
  std::size_t limit_, used_ = 0;
  std::map<Digest, std::size_t> known_;  // of pixels and size
  std::vector<std::string> sources_;
};

// Writes pictures into a folder, named by their content, and returns "FOLDER/NAME" to link to.
std::string write_full_picture(const std::filesystem::path& folder, const Raster& raster);

}  // namespace upbench
