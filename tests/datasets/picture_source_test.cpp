#include "datasets/picture_source.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image_set.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

class Sources : public ::testing::Test {
 protected:
  void put(const std::string& name) {
    fs::create_directories((folder_ / name).parent_path());
    write_bytes(folder_ / name, {});
  }
  std::vector<std::string> found(const std::string& source) {
    std::vector<std::string> names;
    for (const PictureFile& picture : find_pictures(folder_ / source).pictures) {
      EXPECT_TRUE(fs::exists(picture.file)) << picture.file;
      names.push_back(picture.name);
    }
    return names;
  }
  std::string refused(const std::string& source) {
    return refusal([&] { find_pictures(folder_ / source); });
  }

  TemporaryFolder folder_;
};

TEST_F(Sources, AFolderSaysWhatItLeavesOut) {
  put("a.png"), put("b.HEIC"), put("a.txt"), put("b.txt"), put("README"), put(".hidden"), put("nested/c.png");
  const FoundPictures all = find_pictures(folder_.path());
  EXPECT_EQ(all.pictures.size(), 2U) << "a format that cannot be decoded is listed, to fail by name";
  EXPECT_THAT(all.left_out, ElementsAre(Pair("", 1), Pair(".txt", 2)));
}

TEST(PictureNames, AreAllThatPicturesGoByWhetherTheyCanBeDecodedOrNot) {
  for (const char* name : {"a.png", "a.apng", "a.jpg", "a.JPE", "a.jif", "a.jfif", "a.dib", "a.psd", "a.hdr",
                           "a.qoi", "a.svg", "a.tga", "a.jxr", "folder.txt/a.jfif"})
    EXPECT_TRUE(is_picture_name(name)) << name;
  for (const char* name : {"a.txt", "Thumbs.db", "set.yaml", "sha256sums", "jfif", ".jfif", ".hidden.png",
                           "a.png/notes.txt", ""})
    EXPECT_FALSE(is_picture_name(name)) << name;
  for (const char* name : {"a.dng", "a.cr2", "a.nef", "a.arw"})
    EXPECT_FALSE(is_picture_name(name)) << name << " lies beside a.jpg, which would not be the only a";
}

TEST_F(Sources, WhatFitsAPatternAndIsNoPictureIsLeftOutOnce) {
  put("p/a.png"), put("p/a.txt"), put("p/q/b.png"), put("p/q/b.dng"), put("p/q/r/c.png"),
      put("p/q/r/q/Makefile"), put("p/q/.hidden");
  const std::string in_any_q = "p/**/q/**";  // r/q/Makefile fits it in two ways
  EXPECT_THAT(found(in_any_q), ElementsAre("q/b", "q/r/c"));
  EXPECT_THAT(find_pictures(folder_ / in_any_q).left_out, ElementsAre(Pair("", 1), Pair(".dng", 1)));
  EXPECT_TRUE(find_pictures(folder_ / "p/**/*.png").left_out.empty());
}

TEST_F(Sources, ASetSaysWhatEachOfItsFoldersLeavesOut) {
  put("hr/a.png"), put("hr/a.txt"), put("hr/b.TXT"), put("hr/Thumbs.db"), put("lr/a.png"), put("lr/sums");
  const SetListing pairs = list_set({.hr = folder_ / "hr", .lr = folder_ / "lr"});
  ASSERT_EQ(pairs.left_out.size(), 2U);
  EXPECT_EQ(pairs.left_out[0].source, folder_ / "hr");
  EXPECT_THAT(left_out_note(pairs.left_out[0]),
              EndsWith("/hr: 3 files left out that are not named as pictures: 2 .txt, 1 .db"));
  EXPECT_THAT(left_out_note(pairs.left_out[1]),
              EndsWith("/lr: 1 file left out that is not named as a picture: 1 without a suffix"));
  const SetListing inputs = list_merged({.lr = folder_ / "hr", .limit = 1});
  ASSERT_EQ(inputs.left_out.size(), 1U);
  EXPECT_EQ(inputs.left_out[0].files, pairs.left_out[0].files);
  EXPECT_TRUE(list_set({.lr = folder_ / "hr/a.png"}).left_out.empty()) << "one file, not its folder";
}

TEST(LeftOutFiles, AreDescribedByTheirCommonestKindsInALineOfBoundedLength) {
  EXPECT_EQ(describe_left_out({{".txt", 2}, {".db", 1}, {"", 1}}), "2 .txt, 1 without a suffix, 1 .db");
  std::string odd(250, '\x1b');
  odd[0] = '.';
  std::map<std::string, std::size_t> many{{odd, 5}};
  for (int i = 0; i < 1000; ++i) many["." + std::to_string(100'000 + i)] = 1;
  const std::string text = describe_left_out(many);
  EXPECT_THAT(text, StartsWith("5 .\\x1b\\x1b"));
  EXPECT_THAT(
      text, EndsWith("\\x1b..., 1 .100000, 1 .100001, 1 .100002, 1 .100003, 1 .100004, 995 of other kinds"));
  EXPECT_LT(text.size(), 200U) << "each suffix is cut after 16 bytes";
}

TEST_F(Sources, AFolderOfFoldersIsRefusedNamingThem) {
  put("set/HR/a.png"), put("set/LR/a.png");
  EXPECT_THAT(refused("set"), AllOf(HasSubstr("no pictures there"), HasSubstr("it holds folders: HR, LR")));
}

TEST_F(Sources, PatternsNamePicturesByTheFoldersTheyWentThrough) {
  put("p/1.png"), put("p/cats/1.png"), put("p/cats/old/2.jpg"), put("p/dogs/1.png"), put("p/dogs/notes.txt"),
      put("p/.trash/9.png");
  EXPECT_THAT(found("p/*.png"), ElementsAre("1"));
  EXPECT_THAT(found("p/*/*.png"), ElementsAre("cats/1", "dogs/1"));
  EXPECT_THAT(found("p/**/*.png"), ElementsAre("1", "cats/1", "dogs/1"));
  EXPECT_THAT(found("p/**"), ElementsAre("1", "cats/1", "cats/old/2", "dogs/1"));
  EXPECT_THAT(found("p/**/**/?.*"), ElementsAre("1", "cats/1", "cats/old/2", "dogs/1"));
  EXPECT_THAT(found("p/[cx]ats/**/*"), ElementsAre("cats/1", "cats/old/2"))
      << "named from the first part with a wildcard on";
}

TEST_F(Sources, AFileThatExistsIsNoPattern) {
  put("a[1].png"), put("a1.png");
  EXPECT_THAT(found("a[1].png"), ElementsAre("a[1]"));
  EXPECT_THAT(found("a[[]1].*"), ElementsAre("a[1]"));
  EXPECT_THAT(refused("b*.png"), HasSubstr("no pictures fit this pattern"));
  EXPECT_THAT(refused("absent/*.png"), HasSubstr("cannot be listed"));
}

TEST_F(Sources, AWalkDoesNotFollowALoopOfLinks) {
  put("p/a.png");
  fs::create_directory_symlink(folder_ / "p", folder_ / "p/loop");
  EXPECT_THAT(found("p/**/*.png"), ElementsAre("a"));
}

TEST_F(Sources, AListNamesFilesRelativeToItself) {
  put("sub/b.png"), put("a.png");
  const std::string text = "\xEF\xBB\xBF# two pictures\r\n\r\nsub/b.png\r\na.png";
  write_bytes(folder_ / "list.txt", FileBytes(text.begin(), text.end()));
  EXPECT_THAT(found("list.txt"), ElementsAre("a", "b"));
}

TEST_F(Sources, AListThatNamesNothingIsRefused) {
  const auto put_text = [&](const std::string& text) {
    write_bytes(folder_ / "list.txt", FileBytes(text.begin(), text.end()));
  };
  put_text("# nothing\n\n");
  EXPECT_THAT(refused("list.txt"), HasSubstr("names no file, expected one path a line"));
  put_text(std::string("a.png\0b.png\n", 12));
  EXPECT_THAT(refused("list.txt"), HasSubstr("holds a zero byte"));
}

TEST_F(Sources, AListedFileThatIsMissingIsAnItemThatFailsAlone) {
  write_png(folder_ / "a.png", random_raster(4, 4));
  const ImageSetSpec spec{.list = {folder_ / "a.png", folder_ / "gone.png", folder_ / "x/a.png"},
                          .make_lr = ImageSetSpec::LowResolution{.scale = 2}};
  EXPECT_THAT(list_items(spec).at(0).problem,
              AllOf(HasSubstr("2 pictures of one name"), HasSubstr("x/a.png")));
  const SetListing listing = list_set(spec);
  ASSERT_EQ(listing.items.size(), 3U);
  EXPECT_THAT(refusal([&] { identify(spec, listing.items[2]); }),
              AllOf(HasSubstr("gone.png"), HasSubstr("No such file")));
}

}  // namespace
}  // namespace upbench::test
