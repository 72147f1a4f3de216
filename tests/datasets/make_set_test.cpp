#include "datasets/make_set.h"

#include <map>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "datasets/image.h"
#include "datasets/load_item.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Every file below a folder, by its path from there.
std::map<std::string, std::vector<std::uint8_t>> files_below(const fs::path& folder) {
  std::map<std::string, std::vector<std::uint8_t>> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      files[entry.path().lexically_relative(folder).string()] = read_bytes(entry.path());
  return files;
}

std::vector<std::string> names_below(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : files_below(folder)) names.push_back(name);
  return names;
}

class MadeSets : public ::testing::Test {
 protected:
  MadeSets() { fs::create_directory(folder_ / "from"); }
  void picture(const std::string& name, int width, int height, int bits = 8, std::uint64_t seed = 1) {
    fs::create_directories((folder_ / "from" / name).parent_path());
    write_png(folder_ / "from" / name, random_raster(width, height, 3, bits, seed));
  }
  MakeSetOptions options(int scale = 2, const std::string& kernel = "area") const {
    MakeSetOptions made{.source = {.path = folder_ / "from"}, .made_by = "test"};
    made.source.make_lr = ImageSetSpec::LowResolution{.scale = scale, .kernel = kernel};
    return made;
  }
  Image read(const std::string& name) const { return to_image(decode_file(folder_ / name)); }

  TemporaryFolder folder_;
};

TEST_F(MadeSets, HoldWhatARunWouldMakeOnTheFly) {
  picture("a.png", 33, 39), picture("deep.png", 16, 16, 16);
  const MadeSet made = make_set(folder_ / "out", options(4));
  EXPECT_EQ(made.pictures, 2U);
  EXPECT_EQ(made.manifest, folder_ / "out/set.yaml");
  EXPECT_THAT(names_below(folder_ / "out"),
              ElementsAre("hr/a.png", "hr/deep.png", "lr/ax4.png", "lr/deepx4.png", "set.yaml"));
  const ImageSetSpec fly = options(4).source, pairs{.hr = folder_ / "out/hr", .lr = folder_ / "out/lr"};
  const auto expected = list_items(fly), items = list_items(pairs);
  for (std::size_t i = 0; i < 2; ++i) {
    const LoadedItem one = load_item(fly, expected[i], identify(fly, expected[i])),
                     other = load_item(pairs, items[i], identify(pairs, items[i]));
    EXPECT_TRUE(at::equal(one.input, other.input)) << items[i].name;
    EXPECT_TRUE(at::equal(*one.reference, *other.reference)) << items[i].name << ": 16 bits are kept";
  }
}

TEST_F(MadeSets, ReferencesAreWholeUnlessCropped) {
  picture("a.png", 33, 39);
  make_set(folder_ / "whole", options(4));
  EXPECT_TRUE(at::equal(read("whole/hr/a.png"), read("from/a.png")));
  MakeSetOptions cropped = options(4);
  cropped.crop = true;
  make_set(folder_ / "cut", cropped);
  EXPECT_TRUE(at::equal(read("cut/hr/a.png"), cut_picture(read("from/a.png"), 32, 36)));
  EXPECT_TRUE(at::equal(read("cut/lr/ax4.png"), read("whole/lr/ax4.png")));
}

TEST_F(MadeSets, AreTheSameBytesEveryTimeWhateverTheJobs) {
  for (int i = 0; i < 5; ++i)
    picture("p" + std::to_string(i) + ".png", 20 + i, 24, 8, static_cast<std::uint64_t>(i));
  MakeSetOptions parallel = options();
  parallel.jobs = 3;
  make_set(folder_ / "one", options());
  make_set(folder_ / "two", parallel);
  EXPECT_EQ(files_below(folder_ / "one"), files_below(folder_ / "two"));
}

TEST_F(MadeSets, OnePictureMoreChangesNoOthersFiles) {
  picture("b.png", 20, 24, 8, 1), picture("d.png", 20, 24, 8, 2);
  make_set(folder_ / "before", options());
  picture("a.png", 20, 24, 8, 3), picture("c.png", 20, 24, 8, 4);
  make_set(folder_ / "after", options());
  const auto after = files_below(folder_ / "after");
  for (const auto& [name, bytes] : files_below(folder_ / "before")) {
    if (name == kManifestName) continue;
    EXPECT_EQ(after.at(name), bytes) << name;
  }
}

TEST_F(MadeSets, DegradationsFollowFromSeedAndContentAlone) {
  for (int i = 0; i < 3; ++i)
    picture("p" + std::to_string(i) + ".png", 24, 24, 8, static_cast<std::uint64_t>(i));
  MakeSetOptions noisy = options(2, "matlab-bicubic");
  noisy.degrade = {{"noise.gaussian", "12"}, {"jpeg", "70"}};
  noisy.seed = 3;
  make_set(folder_ / "plain", options(2, "matlab-bicubic"));
  make_set(folder_ / "one", noisy);
  const auto one = files_below(folder_ / "one"), plain = files_below(folder_ / "plain");
  EXPECT_NE(one.at("lr/p0x2.png"), plain.at("lr/p0x2.png"));
  EXPECT_EQ(one.at("hr/p0.png"), plain.at("hr/p0.png"));
  const std::string manifest(one.at("set.yaml").begin(), one.at("set.yaml").end());
  EXPECT_THAT(manifest, AllOf(HasSubstr("\"noise.gaussian=12\""), HasSubstr("\"jpeg=70\""),
                              HasSubstr("seed: 3"), HasSubstr("degradation: \"")));

  fs::rename(folder_ / "from/p0.png", folder_ / "from/renamed.png");
  fs::remove(folder_ / "from/p1.png");
  noisy.jobs = 2;
  make_set(folder_ / "two", noisy);
  const auto two = files_below(folder_ / "two");
  EXPECT_EQ(two.at("lr/renamedx2.png"), one.at("lr/p0x2.png")) << "neither names nor neighbours matter";
  EXPECT_EQ(two.at("lr/p2x2.png"), one.at("lr/p2x2.png"));
  noisy.seed = 4;
  make_set(folder_ / "other", noisy);
  EXPECT_NE(files_below(folder_ / "other").at("lr/p2x2.png"), one.at("lr/p2x2.png"));
}

TEST_F(MadeSets, AWrongDegradationIsRefusedBeforeAnyWork) {
  picture("a.png", 8, 8);
  MakeSetOptions wrong = options();
  wrong.degrade = {{"jpeg", "101"}};
  EXPECT_THAT(refusal([&] { make_set(folder_ / "out", wrong); }), HasSubstr("jpeg"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(MadeSets, ABadPictureFailsAloneAndIsNamed) {
  picture("good.png", 16, 16), picture("tiny.png", 1, 1);
  write_bytes(folder_ / "from/text.png", FileBytes{'h', 'i'});
  const MadeSet made = make_set(folder_ / "out", options());
  EXPECT_EQ(made.pictures, 1U);
  EXPECT_THAT(made.failures, ElementsAre(AllOf(HasSubstr("text.png"), HasSubstr("not a supported image")),
                                         AllOf(HasSubstr("tiny.png"), HasSubstr("too few"))));
  EXPECT_TRUE(fs::exists(made.manifest));
}

TEST_F(MadeSets, VerifyingReadsEveryFileAndChangesNothing) {
  picture("a.png", 20, 24, 8, 1), picture("deep.png", 22, 24, 16, 2);
  std::atomic<int> files = 0;
  MakeSetOptions verified = options();
  verified.jobs = 2;
  verified.verify = [&](std::span<const std::uint8_t> file, const Raster& raster) {
    require_decodes_to(file, raster);
    ++files;
  };
  EXPECT_THAT(make_set(folder_ / "verified", verified).failures, ElementsAre());
  EXPECT_EQ(files.load(), 4) << "inputs and references";
  make_set(folder_ / "plain", options());
  EXPECT_EQ(files_below(folder_ / "verified"), files_below(folder_ / "plain"));
}

TEST_F(MadeSets, APictureThatDoesNotComeBackFailsAloneAndLeavesNoFile) {
  picture("a.png", 20, 24, 8, 1), picture("b.png", 22, 24, 8, 2);
  MakeSetOptions damaged = options();
  damaged.verify = [](std::span<const std::uint8_t> file, const Raster& raster) {
    Raster meant = raster;
    if (raster.width == 22) meant.samples[0] ^= 1;  // the reference of b
    require_decodes_to(file, meant);
  };
  const MadeSet made = make_set(folder_ / "out", damaged);
  EXPECT_EQ(made.pictures, 1U);
  EXPECT_THAT(made.failures,
              ElementsAre(AllOf(HasSubstr("out/hr/b.png: "), HasSubstr("decodes to another picture"))));
  EXPECT_THAT(names_below(folder_ / "out"), ElementsAre("hr/a.png", "lr/ax2.png", "set.yaml"));
  EXPECT_EQ(made.strangers, 0U);
}

TEST_F(MadeSets, AwkwardNamesBecomeNamesThatEveryProgramCanShow) {
  const std::string longest(251, 'n');
  picture(longest + ".png", 8, 8), picture("new\nline.png", 8, 8), picture("\xff.png", 8, 8),
      picture("-dash.png", 8, 8), picture("sub/a.png", 8, 8);
  MakeSetOptions pattern = options();
  pattern.source.path = folder_ / "from/**/*";
  EXPECT_EQ(make_set(folder_ / "out", pattern).pictures, 5U);
  std::vector<std::string> names = names_below(folder_ / "out/lr");
  ASSERT_EQ(names.size(), 5U);
  EXPECT_THAT(names, ElementsAre("-dashx2.png", "\\xffx2.png", "new\\x0alinex2.png",
                                 std::string(187, 'n') + "-" + sha256(longest).short_hex() + "x2.png",
                                 "sub/ax2.png"));
}

TEST_F(MadeSets, NamesThatWouldMeetOrLeaveTheFolderAreRefused) {
  picture("\xff.png", 8, 8), picture("\\xff.png", 8, 8);
  EXPECT_THAT(refusal([&] { make_set(folder_ / "out", options()); }),
              HasSubstr("would both be written to \\xff.png"));
  SetManifest manifest;
  manifest.items.push_back({.name = "../outside", .file = folder_ / "from/a.png"});
  MakeSetOptions made = options();
  made.source.path.clear();
  made.source.manifest = std::make_shared<const SetManifest>(manifest);
  EXPECT_THAT(refusal([&] { make_set(folder_ / "out", made); }), HasSubstr("would lie outside the set"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(MadeSets, AFolderWithFilesIsWrittenToOnlyWhenForced) {
  picture("a.png", 8, 8);
  make_set(folder_ / "out", options());
  EXPECT_THAT(refusal([&] { make_set(folder_ / "out", options()); }), HasSubstr("is not empty"));
  write_bytes(folder_ / "out/lr/mine.png", FileBytes{'h', 'i'});
  MakeSetOptions forced = options();
  forced.force = true;
  EXPECT_EQ(make_set(folder_ / "out", forced).strangers, 1U);
  EXPECT_TRUE(fs::exists(folder_ / "out/lr/mine.png"));
}

TEST_F(MadeSets, SourcesAreNeverWrittenOver) {
  fs::rename(folder_ / "from", folder_ / "hr");
  write_png(folder_ / "hr/a.png", random_raster(8, 8));
  MakeSetOptions forced = options();
  forced.source.path = folder_ / "hr";
  forced.force = true;
  EXPECT_THAT(refusal([&] { make_set(folder_.path(), forced); }), HasSubstr("expected another folder"));
}

TEST_F(MadeSets, AStoppedMakeLeavesNoManifest) {
  picture("a.png", 8, 8), picture("b.png", 8, 8);
  std::atomic<bool> stop{false};
  MakeSetOptions stopped = options();
  stopped.stop = &stop;
  stopped.on_progress = [&](std::size_t, std::size_t) { stop = true; };
  EXPECT_TRUE(make_set(folder_ / "out", stopped).manifest.empty());
  EXPECT_THAT(names_below(folder_ / "out"), ElementsAre("hr/a.png", "lr/ax2.png"));
}

TEST_F(MadeSets, CanBeDrawn) {
  MakeSetOptions drawn = options();
  drawn.source.path.clear();
  drawn.source.procedural = {.classes = {"text", "dead-leaves"}, .count = 3, .size = 32, .seed = 5};
  EXPECT_EQ(make_set(folder_ / "out", drawn).pictures, 3U);
  EXPECT_THAT(names_below(folder_ / "out/hr"),
              ElementsAre("dead-leaves-000.png", "text-000.png", "text-001.png"));
}

// The published low-resolution files, made by MATLAB.
TEST_F(MadeSets, OfSet5AreThePublishedPicturesByteForByte) {
  UPBENCH_NEEDS_ASSETS();
  for (const int scale : {2, 3, 4}) {
    const std::string x = std::to_string(scale);
    MakeSetOptions made = options(scale, "matlab-bicubic");
    made.source.path = assets() / "images/Set5/HR";
    make_set(folder_ / ("set5x" + x), made);
    const auto names = names_below(folder_ / ("set5x" + x) / "lr");
    ASSERT_EQ(names.size(), 5U);
    for (const std::string& name : names)
      EXPECT_EQ(decode_file(folder_ / ("set5x" + x) / "lr" / name).samples,
                decode_file(assets() / "images/Set5/LR_bicubic" / ("X" + x) / name).samples)
          << name;
  }
}

}  // namespace
}  // namespace upbench::test
