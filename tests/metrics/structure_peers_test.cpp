// erqa and ciede2000 against the packages that define them, computed here and now.
#include <cstdio>

#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "datasets/image.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"
#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"
#include "tests/support/python_peer.h"

namespace upbench {
namespace {

struct Pair {
  std::string name;
  Image output, reference;
};

Image drawn(const std::string& cls, int size) {
  return to_image(render_procedural({.cls = cls, .size = size, .seed = 5}));
}

// What an interpolator makes of a quarter of the pixels.
Image upscaled(const Image& reference, const char* kernel) {
  const auto height = static_cast<int>(reference.size(1)), width = static_cast<int>(reference.size(2));
  return quantized(resample(quantized(resample(reference, height / 2, width / 2, "matlab-bicubic")), height,
                            width, kernel));
}

std::vector<Pair> pairs() {
  std::vector<Pair> all;
  for (const std::string& cls : procedural_classes()) {
    const Image reference = drawn(cls, 96);
    all.push_back({cls + " lanczos", upscaled(reference, "lanczos"), reference});
    all.push_back({cls + " noisy", test::noisy(reference, 25, 7), reference});
    all.push_back(
        {cls + " moved", at::roll(upscaled(reference, "matlab-bicubic"), {2, -1}, {1, 2}), reference});
  }
  const auto odd = [](const Image& image) { return image.narrow(1, 0, 130).narrow(2, 0, 129).contiguous(); };
  all.push_back({"other sizes", odd(upscaled(drawn("text", 132), "nearest")), odd(drawn("text", 132))});
  if (!test::assets().empty()) {
    const auto folder = test::assets() / "reference" / "iqa-pytorch";
    for (const char* name : {"I03.bmp", "I04.bmp", "I06.bmp"})
      all.push_back({name, test::read_picture(folder / "dist_dir" / name),
                     test::read_picture(folder / "ref_dir" / name)});
  }
  return all;
}

TEST(StructurePeers, ErqaAndCiede2000AgreeWithTheirPackages) {
  UPBENCH_NEEDS_PYTHON("erqa, skimage, cv2");
  const test::TemporaryFolder folder;
  const std::vector<Pair> all = pairs();
  nlohmann::json asked = nlohmann::json::array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto write = [&](const Image& image, const char* side) {
      const std::string file = (folder / (std::to_string(i) + side)).string();
      write_file_atomically(file, encode_png(to_raster(image), {.level = 1}));
      return file;
    };
    asked.push_back({{"output", write(all[i].output, "-output.png")},
                     {"reference", write(all[i].reference, "-reference.png")}});
  }
  const nlohmann::json said = test::ask_python("tests/metrics/peer_structure.py", asked);
  std::printf("%s\n", said["versions"].get<std::string>().c_str());
  const Scorer scorer({parse_metric("erqa"), parse_metric("ciede2000")}, 0);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto ours = scorer.score(all[i].output, all[i].reference);
    const nlohmann::json& theirs = said["results"][i];
    // The same integers, then one quotient; pictures without edges have no score here and 0 there.
    if (ours[0].score.flag == ScoreFlag::ok) {
      EXPECT_NEAR(ours[0].score.value, theirs["erqa"].get<double>(), 1e-12) << all[i].name;
    } else {
      EXPECT_EQ(theirs["erqa"], 0) << all[i].name;
    }
    // float64 on both sides; our pictures hold float32 levels.
    EXPECT_NEAR(ours[1].score.value, theirs["ciede2000"].get<double>(), 1e-5) << all[i].name;
  }
}

}  // namespace
}  // namespace upbench
