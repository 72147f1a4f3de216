#include <filesystem>
#include <map>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/encode.h"
#include "tests/datasets/codec/format_files.h"
#include "tests/faults/pictures.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

// A folder as it is found in the wild: 1,000 files, three in ten of them bad in all the ways of
// tests/faults/pictures.cpp.
namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kFiles = 1000;
constexpr std::size_t kModels = 2;

bool is_bad(int number) {
  return number % 10 < 3;
}

// A sound picture of 16 to 48 pixels a side, in each format and layout in turn.
void put_sound(const fs::path& folder, int number) {
  const auto seed = static_cast<std::uint64_t>(number);
  const int width = 16 + number * 7 % 33, height = 16 + number * 5 % 33;
  const auto raster = [&](int channels, int bits) {
    return random_raster(width, height, channels, bits, seed);
  };
  const auto put = [&](const char* suffix, const FileBytes& bytes) {
    write_bytes(folder / fmt::format("{:03}{}", number, suffix), bytes);
  };
  switch (number % 9) {
    case 0:
      return put(".png", encode_png(raster(3, 8)));
    case 1:
      return put(".png", encode_png(raster(3, 16)));
    case 2:
      return put(".png", encode_png(raster(1, 8)));
    case 3:
      return put(number % 2 == 0 ? ".jpg" : ".jfif", jpeg_file(raster(3, 8)));
    case 4:
      return put(".webp", webp_file(raster(3, 8)));
    case 5:
      return put(".tif", tiff_file(raster(3, 8)));
    case 6:
      return put(number % 2 == 0 ? ".bmp" : ".dib", bmp_file(raster(3, 8)));
    case 7:
      return put(".ppm", pnm_file(fmt::format("P6\n{} {}\n255\n", width, height), raster(3, 8).samples));
    default:
      return put(".png", encode_png(raster(4, 8)));
  }
}

// What lies beside pictures and is none.
void put_companions(const fs::path& folder) {
  for (const char* name : {"003.txt", "004.TXT", "Thumbs.db", "007.dng", ".hidden.png"})
    write_bytes(folder / name, FileBytes{'x'});
  fs::create_directory(folder / "more");
}

constexpr char kLeftOut[] =
    "pictures: 4 files left out that are not named as pictures: 2 .txt, 1 .db, 1 .dng";

// By picture, why it is bad: the message and the file that it names.
struct Bad {
  std::string message, file;
};

std::map<std::string, Bad> put_files(const fs::path& folder) {
  std::vector<Fault> kinds = refused_pictures().faults;
  std::erase_if(
      kinds, [](const Fault& kind) { return kind.name == "Loop"; });  // a link to its own name: renamed below
  const fs::path pictures = folder / kPictureFolder;
  std::map<std::string, Bad> bad;
  fs::create_directory(pictures);
  for (int number = 0; number < kFiles; ++number) {
    if (!is_bad(number)) {
      put_sound(pictures, number);
      continue;
    }
    const Fault& kind = kinds[bad.size() % kinds.size()];
    kind.make(folder);
    const std::string name = fmt::format("{:03}", number);
    for (const fs::directory_entry& entry : fs::directory_iterator(pictures)) {
      if (entry.path().stem() != kind.name) continue;
      const fs::path file = pictures / (name + entry.path().extension().string());
      fs::rename(entry.path(), file);
      bad[name] = {kind.message, fmt::format("{}/{}", kPictureFolder, file.filename().string())};
      break;
    }
  }
  put_companions(pictures);
  return bad;
}

class MixedFolder : public testing::Test {
 protected:
  void SetUp() override {
    bad_ = put_files(folder_.path());
    ASSERT_EQ(bad_.size(), 300U);
    ASSERT_GE(refused_pictures().faults.size(), 20U) << "ways to be bad";
    for (const char* suffix : {".jfif", ".dib", ".psd", ".qoi", ".hdr", ".svg"})
      ASSERT_TRUE(has_file_named(suffix)) << suffix;
  }
  ProgramResult upbench(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  bool has_file_named(const std::string& suffix) const {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_ / kPictureFolder))
      if (entry.path().extension() == suffix) return true;
    return false;
  }

  TemporaryFolder folder_;
  std::map<std::string, Bad> bad_;
};

// The same bytes under another name are tried once: same_as is then "MODEL, PICTURE, seed 0".
std::string picture_tried(const CsvRow& row) {
  const std::string& same_as = row.at("same_as");
  if (same_as.empty()) return row.at("picture");
  const std::size_t first = same_as.find(", ") + 2;
  return same_as.substr(first, same_as.find(", ", first) - first);
}

TEST_F(MixedFolder, EveryBadFileFailsWithItsReasonAndEveryGoodOneIsScored) {
  write_picture_spec(folder_.path(), "[nearest, lanczos]");
  const ProgramResult run = upbench({"run", "spec.yaml", "--keep-outputs", "none"});
  EXPECT_EQ(run.exit_code, 3) << run.err;
  EXPECT_THAT(run.out, HasSubstr("2000 trials: 1400 ok, 600 failed, 0 skipped"));
  EXPECT_THAT(run.err, HasSubstr(fmt::format("note: {}\n", kLeftOut)));
  EXPECT_THAT(upbench({"report", "pictures.db"}).out, HasSubstr(fmt::format("| (the set) | {} |", kLeftOut)));
  const std::vector<CsvRow> rows = parse_csv(upbench({"report", "pictures.db", "--csv", "-"}).out);
  EXPECT_EQ(rows.size(), kFiles * kModels);
  for (const CsvRow& row : rows) {
    SCOPED_TRACE(row.at("picture"));
    const auto bad = bad_.find(row.at("picture"));
    if (bad == bad_.end()) {
      EXPECT_EQ(row.at("status"), "ok") << row.at("reason");
      EXPECT_GT(std::stod(row.at("psnr-y")), 3);
      continue;
    }
    EXPECT_EQ(row.at("status"), "failed");
    EXPECT_EQ(row.at("psnr-y"), "");
    EXPECT_THAT(row.at("reason"), HasSubstr(bad->second.message));
    EXPECT_THAT(row.at("reason"), testing::StartsWith(bad_.at(picture_tried(row)).file + ": "));
  }
  EXPECT_THAT(upbench({"run", "spec.yaml", "--keep-outputs", "none"}).out, HasSubstr("0 run now"));
}

TEST_F(MixedFolder, DatasetCheckListsTheSameBadFiles) {
  const ProgramResult check = upbench({"dataset", "check", kPictureFolder, "--scale", "2", "--json"});
  EXPECT_EQ(check.exit_code, 2) << check.err;
  std::map<std::string, std::string> problems;
  const auto report = nlohmann::json::parse(check.out);
  for (const auto& finding : report.at("findings"))
    if (finding.at("severity") == "problem")
      problems[finding.at("picture").get<std::string>()] += finding.at("text").get<std::string>();
  EXPECT_EQ(problems.size(), bad_.size());
  EXPECT_EQ(report.at("left_out"), (nlohmann::json{{".txt", 2}, {".db", 1}, {".dng", 1}}));
  for (const auto& [picture, bad] : bad_) EXPECT_THAT(problems[picture], HasSubstr(bad.message)) << picture;
}

}  // namespace
}  // namespace upbench::test
