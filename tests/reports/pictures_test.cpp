// Which pictures a page shows, and which places of them.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "harness/store/kept_names.h"
#include "reports/decision/decisions.h"
#include "reports/pictures/crop.h"
#include "reports/pictures/gallery.h"
#include "reports/pictures/picture_store.h"
#include "reports/render/base64.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

Raster flat(int width, int height, std::uint8_t value) {
  return {.width = width,
          .height = height,
          .samples = std::vector<std::uint8_t>(static_cast<std::size_t>(3 * width * height), value)};
}

void paint(Raster& raster, const Rect& rect, std::uint8_t value) {
  for (int y = rect.y; y < rect.y + rect.height; ++y) {
    const std::ptrdiff_t first = std::ptrdiff_t{3} * (std::ptrdiff_t{y} * raster.width + rect.x);
    std::fill_n(raster.samples.begin() + first, 3 * rect.width, value);
  }
}

TEST(Base64, TestVectorsOfTheStandard) {
  const auto encode = [](std::string_view text) {
    return base64({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  EXPECT_EQ(encode(""), "");
  EXPECT_EQ(encode("f"), "Zg==");
  EXPECT_EQ(encode("fo"), "Zm8=");
  EXPECT_EQ(encode("foobar"), "Zm9vYmFy");  // RFC 4648, section 10
}

TEST(Crop, RectanglesStayInsideThePicture) {
  EXPECT_EQ(rect_around(2, 99, 32, 100, 100), (Rect{0, 68, 32, 32}));
  EXPECT_EQ(rect_around(10, 10, 64, 20, 40), (Rect{0, 0, 20, 40}));
  EXPECT_DOUBLE_EQ(overlap({0, 0, 10, 10}, {5, 0, 10, 10}), 0.5);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
  EXPECT_THROW(crop(flat(8, 8, 0), {4, 4, 8, 8}), std::invalid_argument);
}

TEST(Crop, TheWorstWindowIsWhereOneErrsAndAnotherDoesNot) {
  const Raster reference = flat(128, 96, 100);
  Raster output = reference, rival = reference;
  paint(output, {0, 0, 32, 32}, 200);  // both err here, the output by more than anywhere
  paint(rival, {0, 0, 32, 32}, 200);
  paint(output, {80, 48, 16, 16}, 130);  // the output alone
  const ErrorBlocks own = error_blocks(output, reference), other = error_blocks(rival, reference);
  EXPECT_EQ(worst_window(own, {}, 32, 128, 96).rect, (Rect{0, 0, 32, 32}));
  const Window worst = worst_window(own, {&other}, 16, 128, 96);
  EXPECT_EQ(worst.rect, (Rect{80, 48, 16, 16}));
  EXPECT_DOUBLE_EQ(worst.excess, 3 * 30 * 30 * 16 * 16);
}

TEST(EmbeddedPictures, AreLosslessHeldOnceAndNeverExceedTheLimit) {
  EmbeddedPictures pictures(2000);
  Raster first = flat(16, 16, 10);
  paint(first, {3, 4, 5, 6}, 77);
  EXPECT_EQ(pictures.add({first, flat(16, 16, 20), first}), (std::vector<std::size_t>{0, 1, 0}));
  EXPECT_EQ(pictures.add({first}), std::vector<std::size_t>{0});
  EXPECT_EQ(decode(encode_for_page(first).bytes, "first").samples, first.samples);
  Raster noisy = flat(64, 64, 0);
  for (std::size_t i = 0; i < noisy.samples.size(); ++i)
    noisy.samples[i] = static_cast<std::uint8_t>(255 * (test::noise(i) + 0.5));
  const std::size_t left = pictures.left();
  EXPECT_TRUE(pictures.add({noisy}).empty()) << "12 kB do not fit";
  EXPECT_EQ(pictures.left(), left);
  EXPECT_EQ(pictures.sources().size(), 2U);
}

// The sample run with pictures of 128 x 96 in a folder: net.pth is exact, lanczos errs in one square.
class GalleryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) / fmt::format("upbench-gallery-{}", getpid());
    std::filesystem::remove_all(folder_);
    data_ = test::sample_run();
    data_.output_folders = {folder_};
    const Raster reference = flat(128, 96, 100);
    Raster blurred = reference;
    paint(blurred, {64, 32, 16, 16}, 160);
    for (RunData::Trial& trial : data_.trials) {
      if (trial.status != Status::ok) continue;
      const bool exact = trial.cell >= 2;
      trial.pixels = sha256(exact ? "exact" : "blurred");
      write(kept_output_name(trial.pixels), exact ? reference : blurred);
    }
    for (const ImageRow& image : data_.plan.images) {
      write(kept_reference_name(image.key), reference);
      write(kept_input_name(image.key), flat(32, 24, 100));
    }
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const Raster& raster) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_file_atomically(folder_ / name, encode_png(raster));
  }
  std::optional<Gallery> gallery(const GalleryOptions& options = {}) {
    const Analysis analysis = analyse(data_);
    return make_gallery(analysis, decide(analysis), options);
  }

  std::filesystem::path folder_;
  RunData data_;
};

TEST_F(GalleryTest, ShowsWholePicturesOnceAndWhyOneIsMissing) {
  const auto shown = gallery();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->data["scenes"].size(), 3U);
  EXPECT_EQ(shown->sources.size(), 6U)
      << "exact (as the reference), blurred, input, the black maps of the exact "
         "ones, two maps of the blurred: each once";
  std::string missing;
  for (const auto& scene : shown->data["scenes"])
    for (const auto& why : scene["missing"]) missing += why.get<std::string>();
  EXPECT_EQ(missing, "failed: out of memory");
}

TEST_F(GalleryTest, TheWorstPlaceLiesWhereTheErrorIs) {
  const auto shown = gallery();
  ASSERT_TRUE(shown);
  bool seen = false;
  for (const auto& place : shown->data["worst"]) {
    const std::string name = shown->data["methods"][place["method"].get<std::size_t>()]["name"];
    if (!name.starts_with("lanczos") || place["behind"] == 0.0) continue;
    seen = true;
    const Rect rect{place["rect"][0], place["rect"][1], place["rect"][2], place["rect"][3]};
    EXPECT_DOUBLE_EQ(overlap(rect, {64, 32, 16, 16}), 1);
  }
  EXPECT_TRUE(seen);
}

TEST_F(GalleryTest, BoxesOfDetectorsLieOnThePicturesThatTheyFlagged) {
  std::uint32_t trial = 0;
  while (data_.trials[trial].status != Status::ok || data_.trials[trial].cell >= 2) ++trial;
  data_.places[trial] = {{.metric = 0, .box = {.x = 60, .y = 30, .width = 200, .height = 20}},
                         {.metric = 0, .box = {.x = 128, .y = 30, .width = 5, .height = 5}}};
  const auto shown = gallery();
  ASSERT_TRUE(shown);
  std::size_t boxes = 0;
  for (const auto& scene : shown->data["scenes"])
    for (const auto& box : scene["boxes"]) {
      ++boxes;
      EXPECT_EQ(box["rect"], nlohmann::json({60, 30, 68, 20})) << "cut to the picture's 128 x 96";
      EXPECT_EQ(box["kind"], data_.plan.metrics[0].name);
      const std::string name = shown->data["methods"][box["method"].get<std::size_t>()]["name"];
      EXPECT_TRUE(name.starts_with("lanczos")) << name;
      EXPECT_EQ(scene["picture"], data_.plan.images[data_.trials[trial].image].name);
    }
  EXPECT_EQ(boxes, 1U) << "the other lies outside";
}

// A trial whose picture is shown, of a cell that is not exact.
std::uint32_t shown_trial(const RunData& data) {
  std::uint32_t trial = 0;
  while (data.trials[trial].status != Status::ok || data.trials[trial].cell >= 2) ++trial;
  return trial;
}

TEST_F(GalleryTest, MapsOfWhatDetectorsFlaggedGlowOverTheirPictures) {
  const std::uint32_t trial = shown_trial(data_);
  const Raster map{
      .width = 4, .height = 3, .channels = 1, .samples = {0, 85, 170, 255, 0, 0, 0, 0, 0, 0, 0, 0}};
  write("ab/map.png", map);
  write("../outside.png", map);
  data_.maps[trial] = {{.metric = 1, .file = "ab/map.png", .white = 7.5, .threshold = 2},
                       {.metric = 2, .file = "../outside.png", .white = 1, .threshold = 1},
                       {.metric = 2, .file = "gone.png", .white = 1, .threshold = 1}};
  const auto shown = gallery();
  std::filesystem::remove(folder_ / "../outside.png");
  ASSERT_TRUE(shown);
  std::size_t maps = 0;
  for (const auto& scene : shown->data["scenes"])
    for (const auto& drawn : scene["maps"]) {
      if (drawn["threshold"].is_null()) continue;  // of local scores
      ++maps;
      EXPECT_EQ(scene["picture"], data_.plan.images[data_.trials[trial].image].name);
      EXPECT_EQ(drawn["kind"], "ssim-y");
      EXPECT_EQ(drawn["white"], 7.5);
      EXPECT_EQ(drawn["threshold"], 2);
      const std::string& source = shown->sources[drawn["source"].get<std::size_t>()];
      EXPECT_EQ(
          source.substr(source.find(',') + 1),
          base64(encode_for_page(
                     {.width = 4, .height = 3, .samples = {0, 0, 0, 255, 0, 0, 255, 255, 0, 255, 255, 255,
                                                           0, 0, 0, 0,   0, 0, 0,   0,   0, 0,   0,   0,
                                                           0, 0, 0, 0,   0, 0, 0,   0,   0, 0,   0,   0}})
                     .bytes))
          << "black, red, yellow, white";
    }
  EXPECT_EQ(maps, 1U) << "what lies outside the folder, or is gone, is not shown";
}

TEST_F(GalleryTest, LocalScoresOfAllMethodsShareOneScale) {
  const auto shown = gallery();
  ASSERT_TRUE(shown);
  for (const auto& scene : shown->data["scenes"]) {
    std::map<std::string, std::set<double>> whites;
    std::map<std::string, std::size_t> methods;
    for (const auto& map : scene["maps"]) {
      whites[map["kind"]].insert(map["white"].get<double>());
      ++methods[map["kind"]];
      EXPECT_TRUE(map["threshold"].is_null());
      EXPECT_EQ(map["black"], map["kind"] == "local SSIM" ? 1 : 0);
    }
    std::size_t outputs = 0;
    for (const auto& source : scene["sources"]) outputs += source.is_null() ? 0 : 1;
    EXPECT_EQ(methods,
              (std::map<std::string, std::size_t>{{"local SSIM", outputs}, {"local error", outputs}}));
    EXPECT_EQ(whites["local SSIM"].size(), 1U);
    EXPECT_EQ(whites["local error"].size(), 1U);
  }
}

TEST_F(GalleryTest, TheWorstOfADetectorIsItsWorstBox) {
  const std::uint32_t trial = shown_trial(data_);
  const std::uint32_t flagged = data_.trials[trial].image;
  data_.plan.metrics[2].name = "seam";
  data_.calibrated_by = {{"seam", "1"}};
  for (std::size_t t = 0; t < data_.trials.size(); ++t) {
    data_.scores[3 * t + 2] = {.value = t == trial ? 9.0 : 0.5, .flag = ValueFlag::ok};
    data_.set_decision(t, 2, t == trial ? RunData::Decision::flagged : RunData::Decision::clean);
  }
  data_.places[trial] = {{.metric = 2, .box = {.x = 100, .y = 70, .width = 16, .height = 16}}};
  const auto shown = gallery();
  ASSERT_TRUE(shown);
  bool seen = false;
  for (const auto& place : shown->data["worst"]) {
    if (place["metric"] != 2 || place["rank"] != 0) continue;
    seen = true;
    EXPECT_EQ(place["detects"], true);
    EXPECT_EQ(place["flagged"], true);
    EXPECT_EQ(place["score"], 9.0);
    EXPECT_EQ(shown->data["scenes"][place["scene"].get<std::size_t>()]["picture"],
              data_.plan.images[flagged].name);
    const Rect rect{place["rect"][0], place["rect"][1], place["rect"][2], place["rect"][3]};
    EXPECT_DOUBLE_EQ(overlap(rect, {100, 70, 16, 16}), 1);
  }
  EXPECT_TRUE(seen);
}

TEST_F(GalleryTest, WithoutPicturesThereIsNone) {
  std::filesystem::remove_all(folder_);
  EXPECT_FALSE(gallery());
}

TEST_F(GalleryTest, ADamagedFileIsNotShown) {
  const std::string text = "no picture";
  write_file_atomically(folder_ / kept_output_name(sha256("blurred")),
                        {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  const auto shown = gallery();
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->data["scenes"][0]["missing"][0].get<std::string>() +
                shown->data["scenes"][0]["missing"][1].get<std::string>(),
            "its picture was not kept");
}

}  // namespace
}  // namespace upbench
