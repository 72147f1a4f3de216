#include "datasets/set_check.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// "FILE: kind" of every finding of this severity, in their order.
std::vector<std::string> kinds(const SetCheck& check, Severity severity) {
  std::vector<std::string> list;
  for (const SetFinding& finding : check.findings)
    if (finding.severity == severity) list.push_back(finding.file.filename().string() + ": " + finding.kind);
  return list;
}

std::string text_of(const SetCheck& check, const std::string& kind) {
  for (const SetFinding& finding : check.findings)
    if (finding.kind == kind) return finding.text;
  return "no finding of this kind";
}

class CheckedSet : public ::testing::Test {
 protected:
  void put(const std::string& name, const FileBytes& bytes) {
    fs::create_directories((folder_ / name).parent_path());
    write_bytes(folder_ / name, bytes);
  }
  void picture(const std::string& name, int width, int height, std::uint64_t seed = 1) {
    fs::create_directories((folder_ / name).parent_path());
    write_png(folder_ / name, random_raster(width, height, 3, 8, seed));
  }
  FileBytes half(const FileBytes& bytes) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2)};
  }
  SetCheck check_inputs() { return check_set({.lr = folder_ / "set"}); }
  SetCheck check_pairs() { return check_set({.hr = folder_ / "hr", .lr = folder_ / "lr"}); }

  TemporaryFolder folder_;
};

TEST_F(CheckedSet, CleanSetHasNothingToSay) {
  picture("hr/a.png", 32, 32), picture("lr/ax2.png", 16, 16);
  const SetCheck check = check_pairs();
  EXPECT_THAT(check.findings, IsEmpty());
  EXPECT_EQ(check.pictures, 1U);
  EXPECT_EQ(check.usable, 1U);
  EXPECT_EQ(check.pixels, 32U * 32 + 16 * 16);
  EXPECT_EQ(check.bytes, fs::file_size(folder_ / "hr/a.png") + fs::file_size(folder_ / "lr/ax2.png"));
  EXPECT_FALSE(check.stopped);
}

TEST_F(CheckedSet, EveryBadFileIsNamedInOnePass) {
  picture("set/good.png", 16, 16);
  put("set/empty.png", {});
  put("set/text.png", {'h', 'i'});
  put("set/cut.jpg", half(jpeg_file(random_raster(64, 64))));
  put("set/cut.png", half(png_file({})));
  put("set/anim.gif", {'G', 'I', 'F', '8', '9', 'a'});
  put("set/notes.txt", {'x'});
  fs::create_symlink("nowhere", folder_ / "set/link.png");
  const SetCheck check = check_inputs();
  EXPECT_THAT(kinds(check, Severity::problem),
              UnorderedElementsAre("cut.png: same name", "cut.jpg: undecodable", "cut.png: undecodable",
                                   "anim.gif: undecodable", "empty.png: undecodable", "link.png: unreadable",
                                   "text.png: undecodable"));
  EXPECT_EQ(check.pictures, 7U);
  EXPECT_EQ(check.usable, 1U);
  EXPECT_EQ(check.left_out.at(".txt"), 1U);
  for (const SetFinding& finding : check.findings)
    EXPECT_FALSE(finding.text.starts_with(folder_.path().string()))
        << "the file stands beside: " << finding.text;
}

TEST_F(CheckedSet, FilesOfOneNameAreOfNoUse) {
  picture("set/a.png", 16, 16, 1), picture("set/b.png", 16, 16, 2), picture("set/b.bmp", 16, 16, 3);
  const SetCheck check = check_inputs();
  EXPECT_THAT(kinds(check, Severity::problem), ElementsAre("b.png: same name"));
  EXPECT_THAT(text_of(check, "same name"), HasSubstr("2 pictures of one name: "));
  EXPECT_EQ(check.usable, 1U);
}

TEST_F(CheckedSet, ADamagedScanIsAWarningWhereTheSetIsReadLeniently) {
  FileBytes file = jpeg_file(random_raster(64, 64));
  std::fill_n(file.end() - 402, 400, std::uint8_t{0xfe});
  put("set/a.jpg", file);
  EXPECT_THAT(kinds(check_inputs(), Severity::problem), ElementsAre("a.jpg: undecodable"));
  const SetCheck check = check_set({.lr = folder_ / "set", .lenient = true});
  EXPECT_THAT(kinds(check, Severity::problem), IsEmpty());
  EXPECT_THAT(kinds(check, Severity::warning), ElementsAre("a.jpg: corrupt"));
}

TEST_F(CheckedSet, PairsThatDoNotFitAreNamedInOnePass) {
  picture("hr/a.png", 32, 32, 1), picture("lr/ax2.png", 16, 16, 2);
  picture("hr/b.png", 32, 32, 3);
  picture("lr/c.png", 16, 16, 4);
  picture("hr/d.png", 35, 32, 5), picture("lr/dx2.png", 16, 16, 6);
  picture("hr/e.png", 64, 64, 7), picture("lr/e.png", 16, 16, 8);
  picture("hr/f.png", 33, 33, 9), picture("lr/fx2.png", 16, 16, 10);
  const SetCheck check = check_pairs();
  EXPECT_THAT(kinds(check, Severity::problem), ElementsAre(": different scales", "b.png: missing partner",
                                                           "c.png: missing partner", "d.png: size mismatch"));
  EXPECT_THAT(text_of(check, "different scales"), HasSubstr("2 for x2 (a, ...), 1 for x4 (e)"));
  EXPECT_THAT(text_of(check, "size mismatch"), HasSubstr("reference 35x32, expected 32x32"));
  EXPECT_THAT(kinds(check, Severity::note), ElementsAre("f.png: cut"));
  EXPECT_EQ(text_of(check, "cut"), "33x33 is used as 32x32");
}

TEST_F(CheckedSet, WhatARunWouldBearIsAWarningOrANote) {
  picture("set/a.png", 16, 16);
  fs::copy_file(folder_ / "set/a.png", folder_ / "set/b.png");
  put("set/c.jpg", {});
  fs::copy_file(folder_ / "set/a.png", folder_ / "set/c.jpg", fs::copy_options::overwrite_existing);
  write_png(folder_ / "set/d.png", random_raster(16, 16, 4, 16));
  const SetCheck check = check_inputs();
  EXPECT_THAT(kinds(check, Severity::problem), IsEmpty());
  EXPECT_THAT(kinds(check, Severity::warning),
              ElementsAre("b.png: duplicate", "c.jpg: wrong extension", "c.jpg: duplicate"));
  EXPECT_THAT(text_of(check, "duplicate"), AllOf(HasSubstr("the same bytes as"), HasSubstr("set/a.png")));
  EXPECT_THAT(kinds(check, Severity::note), ElementsAre("d.png: decoding", "d.png: decoding"));
  EXPECT_EQ(check.usable, 4U);
}

TEST_F(CheckedSet, PicturesTooSmallForTheScaleOrForSsimAreNamed) {
  picture("hr/tiny.png", 3, 9, 1), picture("hr/small.png", 16, 16, 2), picture("hr/fine.png", 19, 19, 3);
  const SetCheck check =
      check_set({.path = folder_ / "hr", .make_lr = ImageSetSpec::LowResolution{.scale = 4}});
  EXPECT_THAT(kinds(check, Severity::problem), ElementsAre("tiny.png: size mismatch"));
  EXPECT_THAT(kinds(check, Severity::warning), ElementsAre("fine.png: too small", "small.png: too small"))
      << "19 is cut to 16, and a border of 4 a side leaves 8";
}

TEST_F(CheckedSet, AnotherFileThanTheManifestMeansIsNamedWithBothHashes) {
  picture("a.png", 16, 16);
  SetManifest manifest;
  manifest.items.push_back({.name = "a", .file = folder_ / "a.png", .sha256 = sha256("another")});
  const SetCheck check = check_set({.manifest = std::make_shared<const SetManifest>(manifest)});
  EXPECT_THAT(kinds(check, Severity::problem), ElementsAre("a.png: hash mismatch"));
  EXPECT_THAT(text_of(check, "hash mismatch"),
              AllOf(HasSubstr(sha256("another").hex()), HasSubstr(sha256_file(folder_ / "a.png").hex())));
}

TEST_F(CheckedSet, ThreadsChangeNothing) {
  for (int i = 0; i < 20; ++i)
    picture("set/p" + std::to_string(i) + ".png", 8 + i, 16, static_cast<std::uint64_t>(i % 7));
  put("set/cut.png", half(png_file({})));
  const auto lines = [&](int threads) {
    std::string text;
    for (const SetFinding& finding : check_set({.lr = folder_ / "set"}, {.threads = threads}).findings)
      text += finding.file.string() + finding.kind + finding.text + "\n";
    return text;
  };
  EXPECT_NE(lines(1), "");
  EXPECT_EQ(lines(1), lines(3));
}

TEST_F(CheckedSet, CanBeStopped) {
  picture("set/a.png", 16, 16), picture("set/b.png", 16, 16);
  std::atomic<bool> stop{false};
  const SetCheck check =
      check_set({.lr = folder_ / "set"},
                {.on_progress = [&](std::size_t, std::size_t) { stop = true; }, .stop = &stop});
  EXPECT_TRUE(check.stopped);
}

}  // namespace
}  // namespace upbench::test
