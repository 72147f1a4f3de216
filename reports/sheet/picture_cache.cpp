#include "reports/sheet/picture_cache.h"

#include <stdexcept>

#include "datasets/codec/decode.h"

namespace upbench {
namespace {

std::shared_ptr<const Raster> decoded_file(const std::filesystem::path& file) {
  try {
    auto raster = std::make_shared<Raster>(decode_file(file, kNoDecodeLimits));
    return raster->channels == 3 && raster->bit_depth == 8 ? raster : nullptr;
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace

std::shared_ptr<const Raster> PictureCache::get(const std::filesystem::path& file) {
  if (const auto known = known_.find(file); known != known_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    return known->second->raster;
  }
  entries_.push_front({file, decoded_file(file)});
  known_[file] = entries_.begin();
  ++decoded_;
  const auto size = [](const Entry& entry) { return entry.raster ? entry.raster->samples.size() : 0; };
  bytes_ += size(entries_.front());
  while (bytes_ > most_bytes_ && entries_.size() > 1) {
    bytes_ -= size(entries_.back());
    known_.erase(entries_.back().file);
    entries_.pop_back();
  }
  return entries_.front().raster;
}

}  // namespace upbench
