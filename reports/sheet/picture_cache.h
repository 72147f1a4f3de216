#pragma once

#include <cstddef>
#include <filesystem>
#include <list>
#include <map>
#include <memory>

#include "datasets/codec/raster.h"

namespace upbench {

// Decoded pictures, the ones used last, up to a number of bytes; at least one.
class PictureCache {
 public:
  explicit PictureCache(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // 8-bit RGB; null where the file is gone, cannot be decoded or is of another kind.
  std::shared_ptr<const Raster> get(const std::filesystem::path& file);
  std::size_t decoded() const { return decoded_; }  // files, since the beginning

 private:
  struct Entry {
    std::filesystem::path file;
    std::shared_ptr<const Raster> raster;
  };
  std::size_t most_bytes_, bytes_ = 0, decoded_ = 0;
  std::list<Entry> entries_;  // used last first
  std::map<std::filesystem::path, std::list<Entry>::iterator> known_;
};

}  // namespace upbench
