#include "reports/pictures/picture_store.h"

#include <optional>

#include <fmt/format.h>

#include "datasets/codec/encode.h"
#include "reports/pictures/parallel.h"
#include "reports/render/base64.h"

namespace upbench {
namespace {

constexpr int kEffort = 2;  // of ten: twice as fast as the default, a few percent larger
constexpr int kMostWebpSide = 16383;

Digest content(const Raster& raster) {
  return Hasher()
      .add_field(fmt::format("{}x{}", raster.width, raster.height))
      .add(raster.samples.data(), raster.samples.size())
      .finish();
}

}  // namespace

EncodedPicture encode_for_page(const Raster& raster) {
  if (raster.width > kMostWebpSide || raster.height > kMostWebpSide) return {encode_png(raster), "png"};
  return {encode_webp(raster, {.effort = kEffort}), "webp"};
}

std::vector<std::size_t> EmbeddedPictures::add(const std::vector<Raster>& rasters) {
  std::vector<Digest> keys;
  for (const Raster& raster : rasters) keys.push_back(content(raster));
  std::vector<std::size_t> fresh;
  std::map<Digest, std::size_t> places = known_;
  for (std::size_t i = 0; i < rasters.size(); ++i)
    if (places.try_emplace(keys[i], sources_.size() + fresh.size()).second) fresh.push_back(i);
  std::vector<std::string> texts(fresh.size());
  for_each_in_parallel(fresh.size(), [&](std::size_t i) {
    const EncodedPicture picture = encode_for_page(rasters[fresh[i]]);
    texts[i] = fmt::format("data:image/{};base64,{}", picture.type, base64(picture.bytes));
  });
  std::size_t bytes = 0;
  for (const std::string& text : texts) bytes += text.size();
  if (bytes > left()) return {};
  used_ += bytes;
  known_ = std::move(places);
  for (std::string& text : texts) sources_.push_back(std::move(text));
  std::vector<std::size_t> indices;
  for (const Digest& key : keys) indices.push_back(known_.at(key));
  return indices;
}

std::string write_full_picture(const std::filesystem::path& folder, const Raster& raster) {
  const EncodedPicture picture = encode_for_page(raster);
  const std::string name = fmt::format("{}.{}", content(raster).hex().substr(0, 24), picture.type);
  std::filesystem::create_directories(folder);
  if (!std::filesystem::exists(folder / name)) write_file_atomically(folder / name, picture.bytes);
  return fmt::format("{}/{}", folder.filename().string(), name);
}

}  // namespace upbench
