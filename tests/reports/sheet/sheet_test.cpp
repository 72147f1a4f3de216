#include "reports/sheet/sheet.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "reports/sheet/label.h"
#include "reports/sheet/run_sheet.h"
#include "reports/sheet/write_sheet.h"
#include "tests/reports/sample_run.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;

constexpr int kTop = Sheet::kGap / 2 + 2 * kLabelHeight,
              kLeft = Sheet::kGap / 2;  // of a picture in its entry

Raster pattern(int width, int height, int seed) {
  Raster raster{.width = width, .height = height, .samples = {}, .notes = {}};
  for (int i = 0; i < 3 * width * height; ++i)
    raster.samples.push_back(static_cast<std::uint8_t>(i * 31 + i / 97 * 7 + seed * 53));
  return raster;
}

// Columns of 200 and 30 pixels, rows of 60 and 250; the third picture is not there.
class SheetTest : public testing::Test {
 protected:
  SheetTest() {
    for (const auto& [width, height] : {std::pair(200, 60), {30, 40}, {0, 0}, {20, 250}}) {
      SheetEntry entry{.file = {}, .method = "method", .picture = "picture", .missing = {}};
      if (width > 0) {
        entry.file = folder_ / fmt::format("{}.png", entries_.size());
        entry.width = width;
        entry.height = height;
        write_file_atomically(entry.file,
                              encode_png(pattern(width, height, static_cast<int>(entries_.size()))));
      } else {
        entry.missing = "failed";
      }
      entries_.push_back(entry);
    }
  }
  Sheet sheet(std::size_t most_decoded = Sheet::kMostDecodedBytes) { return {entries_, 2, most_decoded}; }
  static Raster whole(Sheet& sheet) {
    return sheet.draw(0, 0, static_cast<int>(sheet.width()), static_cast<int>(sheet.height()));
  }

  TemporaryFolder folder_;
  std::vector<SheetEntry> entries_;
};

TEST_F(SheetTest, ColumnsAreAsWideAsTheirWidestPictureAndRowsAsHighAsTheirHighest) {
  const Sheet sheet = this->sheet();
  EXPECT_EQ(sheet.width(), 200 + 160 + 2 * Sheet::kGap);  // 160: room for a label
  EXPECT_EQ(sheet.height(), 60 + 250 + 2 * (2 * kLabelHeight + Sheet::kGap));
}

TEST_F(SheetTest, PicturesLiePixelForPixel) {
  Sheet sheet = this->sheet();
  EXPECT_EQ(sheet.draw(kLeft, kTop, 200, 60).samples, pattern(200, 60, 0).samples);
  const auto left = static_cast<int>(sheet.left(1)), top = static_cast<int>(sheet.top(1));
  EXPECT_EQ(sheet.draw(left + kLeft, top + kTop, 20, 250).samples, pattern(20, 250, 3).samples);
}

TEST_F(SheetTest, AnyRectangleIsThatPartOfTheWhole) {
  Sheet sheet = this->sheet(1);  // keeps one picture at a time
  const Raster all = whole(sheet);
  for (const auto& [x, y, width, height] :
       {std::tuple(0, 0, 7, 9), {150, 30, 120, 90}, {199, 1, 64, 300}, {3, 40, 370, 1}, {375, 405, 1, 1}}) {
    const Raster part = sheet.draw(x, y, width, height);
    for (int row = 0; row < height; ++row)
      ASSERT_TRUE(std::equal(part.samples.begin() + row * 3 * width,
                             part.samples.begin() + (row + 1) * 3 * width,
                             all.samples.begin() + ((y + row) * all.width + x) * 3))
          << x << " " << y << " row " << row;
  }
}

TEST_F(SheetTest, LabelsAndReasonsAreInk) {
  Sheet sheet = this->sheet();
  const auto darkest = [&](std::int64_t x, std::int64_t y, int width, int height) {
    const Raster part = sheet.draw(x, y, width, height);
    return *std::ranges::min_element(part.samples);
  };
  EXPECT_LT(darkest(kLeft, kLeft, 60, kLabelHeight), 64);
  EXPECT_LT(darkest(kLeft, sheet.top(1) + kTop, 60, 24), 64);               // "failed"
  EXPECT_EQ(darkest(kLeft + 100, kLeft, 90, kLabelHeight), 255);            // behind the words
  EXPECT_EQ(draw_label("\xC3\xA4\xE2\x80\x93", 60), draw_label("??", 60));  // a character, not a byte
  EXPECT_EQ(draw_label(std::string(100'000, 'w'), 60), draw_label(std::string(1'000, 'w'), 60));
}

TEST_F(SheetTest, ADamagedPictureIsSaidToBeSo) {
  std::ofstream(entries_[0].file) << "no picture";
  Sheet sheet = this->sheet();
  const Raster there = sheet.draw(kLeft, kTop, 200, 60);
  EXPECT_NE(there.samples, pattern(200, 60, 0).samples);
  EXPECT_EQ(there.samples.back(), 224);
}

TEST_F(SheetTest, StripsTogetherAreTheSheet) {
  Sheet sheet = this->sheet();
  const Raster all = whole(sheet);
  const std::vector<fs::path> one = write_png_strips(sheet, folder_ / "s.png");
  ASSERT_THAT(one, ElementsAre(folder_ / "s.png"));
  EXPECT_EQ(decode_file(one[0]).samples, all.samples);
  const std::vector<fs::path> four = write_png_strips(sheet, folder_ / "s.png", 220);
  ASSERT_THAT(four, ElementsAre(folder_ / "s-1-1.png", folder_ / "s-1-2.png", folder_ / "s-2-1.png",
                                folder_ / "s-2-2.png"));  // the second row is higher than asked
  for (std::size_t i = 0; i < 4; ++i) {
    const Raster strip = decode_file(four[i]);
    EXPECT_EQ(strip.samples,
              sheet.draw(sheet.left(i % 2), sheet.top(i / 2), strip.width, strip.height).samples);
  }
}

TEST_F(SheetTest, DeepZoomHoldsEveryLevel) {
  Sheet sheet = this->sheet();
  write_deep_zoom(sheet, folder_ / "z.dzi", 64);
  const Raster all = whole(sheet);
  ASSERT_EQ(all.width, 376);
  ASSERT_EQ(all.height, 406);
  const auto tile = [&](int level, int column, int row) {
    return decode_file(folder_ / "z_files" / std::to_string(level) / fmt::format("{}_{}.png", column, row));
  };
  // 406 <= 512 = 2^9, so level 9 is full size.
  EXPECT_EQ(tile(9, 2, 3).samples, sheet.draw(128, 192, 64, 64).samples);
  EXPECT_EQ(tile(9, 5, 6).width, 376 - 5 * 64);
  EXPECT_EQ(tile(9, 5, 6).height, 406 - 6 * 64);
  EXPECT_FALSE(fs::exists(folder_ / "z_files/9/6_0.png"));
  const Raster half = tile(8, 0, 0);
  for (const auto& [x, y] : {std::pair(10, 30), {63, 63}, {2, 22}}) {
    int sum = 2;
    for (const auto& [dx, dy] : {std::pair(0, 0), {0, 1}, {1, 0}, {1, 1}})
      sum += all.samples[static_cast<std::size_t>(((2 * y + dy) * all.width + 2 * x + dx) * 3)];
    EXPECT_EQ(half.samples[static_cast<std::size_t>((y * half.width + x) * 3)], sum / 4);
  }
  EXPECT_EQ(tile(0, 0, 0).samples.size(), 3U);
  std::ifstream in(folder_ / "z.dzi");
  const std::string text(std::istreambuf_iterator<char>(in), {});
  EXPECT_NE(text.find("<Size Width=\"376\" Height=\"406\"/>"), text.npos) << text;
}

// Of a new process: by how many MB its resident memory grows.
std::int64_t growth(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    work();
    getrusage(RUSAGE_SELF, &after);
    _exit(static_cast<int>(std::min<std::int64_t>(255, (after.ru_maxrss - before.ru_maxrss) / 1024)));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST_F(SheetTest, MemoryDoesNotGrowWithTheSheet) {
  const auto write = [&](std::size_t rows) {
    return growth([&] {
      std::vector<SheetEntry> entries(10 * rows, entries_[0]);
      Sheet sheet(std::move(entries), 10);
      write_png_strips(sheet, folder_ / "large.png", 1 << 20);
    });
  };
  const std::int64_t few = write(10), many = write(60);  // 6.7 MB and 40 MB of pixels
  EXPECT_LT(many, few + 16) << few << " MB, then " << many
                            << " MB";  // 16: a band instead of the whole of few
}

TEST(RunSheet, BestFirstWithWhatIsMissing) {
  const TemporaryFolder folder;
  const RunData data = sample_run();
  std::vector<fs::path> kept(data.trials.size());
  for (std::size_t t = 0; t < kept.size(); ++t) {
    if (data.trials[t].status != Status::ok || data.trials[t].image == 0) continue;
    kept[t] = folder / fmt::format("{}.png", t);
    write_file_atomically(kept[t], encode_png(pattern(128, 96, static_cast<int>(t))));
  }
  Sheet sheet = make_sheet(data, kept);
  EXPECT_EQ(sheet.columns(), 4U);
  EXPECT_EQ(sheet.rows(), 2U);  // nothing of the first picture was kept
  std::vector<std::string> seen;
  for (std::size_t row = 0; row < 2; ++row)
    for (std::size_t column = 0; column < 4; ++column) {
      const Raster there = sheet.draw(sheet.left(column) + kLeft, sheet.top(row) + kTop, 128, 96);
      for (std::size_t t = 0; t < kept.size(); ++t)
        if (!kept[t].empty() && there.samples == pattern(128, 96, static_cast<int>(t)).samples)
          seen.push_back(data.plan.images[data.trials[t].image].name);
    }
  EXPECT_THAT(seen, ElementsAre("b", "b", "b", "b", "c", "c", "c"));  // the failed one is told, not drawn
  EXPECT_THROW(make_sheet(data, std::vector<fs::path>(kept.size())), std::invalid_argument);
}

}  // namespace
}  // namespace upbench::test
