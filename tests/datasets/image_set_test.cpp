#include "datasets/image_set.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "datasets/procedural.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two folders to fill, and the spec that pairs them.
class PairedFolders : public ::testing::Test {
 protected:
  PairedFolders() {
    fs::create_directory(folder_ / "hr");
    fs::create_directory(folder_ / "lr");
    spec_.hr = folder_ / "hr";
    spec_.lr = folder_ / "lr";
  }
  void hr(const std::string& name, int width = 8, int height = 8) {
    write_png(spec_.hr / name, random_raster(width, height));
  }
  void lr(const std::string& name, int width = 4, int height = 4) {
    write_png(spec_.lr / name, random_raster(width, height));
  }
  std::vector<std::string> pairs() const {
    std::vector<std::string> text;
    for (const auto& item : list_items(spec_)) {
      text.push_back(item.name + ": " + item.lr.filename().string() + " -> " + item.hr.filename().string());
    }
    return text;
  }
  std::string refused() const {
    return refusal([&] { list_items(spec_); });
  }
  std::string refused_identity() const {
    return refusal([&] { identify(spec_, list_items(spec_).at(0)); });
  }

  TemporaryFolder folder_;
  ImageSetSpec spec_;
};

ImageSetSpec made_from(const fs::path& path, int scale = 2) {
  return {.path = path, .make_lr = ImageSetSpec::LowResolution{.scale = scale}};
}

std::vector<std::string> names(const ImageSetSpec& spec) {
  std::vector<std::string> list;
  for (const auto& item : list_items(spec)) list.push_back(item.name);
  return list;
}

TEST(ImageSet, FolderIsListedInNameOrderPicturesOnly) {
  const TemporaryFolder folder;
  for (const char* name : {"b.PNG", "a.jpg", "c.bmp", "B.jpeg", ".hidden.png", "notes.txt", "noext"})
    write_bytes(folder / name, {});
  fs::create_directory(folder / "nested");
  write_bytes(folder / "nested" / "z.png", {});
  EXPECT_THAT(names(made_from(folder.path())), ElementsAre("B", "a", "b", "c"));

  ImageSetSpec first = made_from(folder.path());
  first.limit = 2;
  EXPECT_THAT(names(first), ElementsAre("B", "a"));
}

TEST(ImageSet, AwkwardNamesAreNames) {
  const TemporaryFolder folder;
  const std::vector<std::string> stems{
      "-dash", "<script>", "new\nline", "quote\"'", "\xe6\x97\xa5\xe6\x9c\xac", "\xff\xfe"};
  for (const auto& stem : stems) write_png(folder / (stem + ".png"), random_raster(4, 4));
  const ImageSetSpec spec = made_from(folder.path());
  EXPECT_EQ(names(spec), stems);
  for (const auto& item : list_items(spec)) EXPECT_EQ(identify(spec, item).input_width, 2);
}

TEST(ImageSet, FileThatIsNoPictureIsAnItemThatFailsAlone) {
  const TemporaryFolder folder;
  write_png(folder / "good.png", random_raster(4, 4));
  write_bytes(folder / "text.png", FileBytes{'h', 'i'});
  write_bytes(folder / "web.webp", FileBytes{'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P'});
  write_bytes(folder / "phone.heic", FileBytes{0, 0, 0, 24, 'f', 't', 'y', 'p', 'h', 'e', 'i', 'c'});
  fs::create_directory(folder / "directory.png");
  fs::create_symlink("nowhere", folder / "link.png");
  ASSERT_EQ(mkfifo((folder / "pipe.png").c_str(), 0600), 0);
  const ImageSetSpec spec = made_from(folder.path());
  std::map<std::string, std::string> reasons;
  for (const auto& item : list_items(spec)) reasons[item.name] = refusal([&] { identify(spec, item); });
  EXPECT_EQ(reasons.size(), 7U);
  EXPECT_EQ(reasons["good"], "");
  EXPECT_THAT(reasons["text"], AllOf(HasSubstr("text.png"), HasSubstr("not a supported image")));
  EXPECT_THAT(reasons["web"], HasSubstr("WebP is corrupt or truncated"));
  EXPECT_THAT(reasons["phone"], HasSubstr("HEIC is not supported"));
  EXPECT_THAT(reasons["directory"], HasSubstr("is a directory"));
  EXPECT_THAT(reasons["link"], HasSubstr("leads nowhere"));
  EXPECT_THAT(reasons["pipe"], HasSubstr("is a named pipe"));
}

TEST(ImageSet, SetThatIsWrongAsAWholeIsRefused) {
  const TemporaryFolder folder;
  const auto reason = [](const ImageSetSpec& spec) { return refusal([&] { list_items(spec); }); };
  EXPECT_THAT(reason(made_from(folder / "absent")), HasSubstr("no such folder or file"));
  EXPECT_THAT(reason(made_from(folder.path())), HasSubstr("no pictures there"));
  EXPECT_THAT(reason({}), HasSubstr("exactly one of"));
  write_png(folder / "a.png", random_raster(4, 4));
  EXPECT_THAT(reason({.path = folder.path()}), HasSubstr("how are the inputs made"));
  EXPECT_THAT(reason({.path = folder.path(), .lr = folder.path()}), HasSubstr("exactly one of"));
  EXPECT_THAT(reason(made_from(folder.path(), 17)), HasSubstr("images.lr.scale 17: expected 1 to 16"));
  ImageSetSpec kernel = made_from(folder.path());
  kernel.make_lr->kernel = "cubic";
  EXPECT_THAT(reason(kernel), HasSubstr("unknown resampling kernel 'cubic'"));
  ImageSetSpec negative = made_from(folder.path());
  negative.limit = -1;
  EXPECT_THAT(reason(negative), HasSubstr("images.limit -1"));
}

// Row 34: also the longest name, and the mark that turns the direction of writing.
TEST(ImageSet, LongestAndMisleadingNamesAreNames) {
  const TemporaryFolder folder;
  const std::vector<std::string> stems{std::string(251, 'n'), "\u202egnp.exe"};
  for (const auto& stem : stems) write_png(folder / (stem + ".png"), random_raster(4, 4));
  const ImageSetSpec spec = made_from(folder.path());
  EXPECT_EQ(names(spec), stems);
  for (const auto& item : list_items(spec)) EXPECT_EQ(identify(spec, item).input_width, 2);
}

// Row 33.
TEST(ImageSet, FilesOfOneNameAreOneItemThatFailsNamingThemAll) {
  const TemporaryFolder folder;
  for (const char* name : {"a.png", "a.jpg", "b.png", "b.bmp", "b.jpg", "c.png"})
    write_bytes(folder / name, {});
  ImageSetSpec spec = made_from(folder.path());
  const SetListing listing = list_set(spec);
  ASSERT_EQ(listing.conflicts.size(), 2U);
  EXPECT_EQ(listing.conflicts[1].item, "b");
  EXPECT_EQ(listing.items.size(), 6U) << "every file";

  const auto items = list_items(spec);
  ASSERT_EQ(items.size(), 3U);
  const std::string at = folder.path().string();
  EXPECT_EQ(items[0].problem, "2 pictures of one name: " + at + "/a.jpg and " + at +
                                  "/a.png; expected one, rename or remove the others");
  EXPECT_THAT(items[1].problem, AllOf(HasSubstr("3 pictures of one name: " + at + "/b.bmp and "),
                                      HasSubstr("/b.jpg and " + at + "/b.png")));
  EXPECT_THAT(items[2].problem, IsEmpty());
  EXPECT_EQ(refusal([&] { identify(spec, items[0]); }), items[0].problem);
  spec.limit = 2;
  EXPECT_EQ(list_items(spec).size(), 2U) << "items, not files";
}

TEST(ImageSet, SingleFileAndInputsWithoutReference) {
  const TemporaryFolder folder;
  write_png(folder / "a.png", random_raster(5, 7));
  const ImageSetSpec spec{.lr = folder / "a.png"};
  const auto items = list_items(spec);
  ASSERT_EQ(items.size(), 1U);
  const ItemIdentity identity = identify(spec, items[0]);
  EXPECT_EQ(identity.input_width, 5);
  EXPECT_EQ(identity.input_height, 7);
  EXPECT_EQ(identity.scale, 0);
  EXPECT_TRUE(identity.reference.is_zero());
  EXPECT_FALSE(identity.input.is_zero());
}

TEST_F(PairedFolders, EqualNamesAndOneScaleSuffixArePaired) {
  hr("a.png"), hr("b.png"), hr("c.png"), hr("cx2.png");
  lr("a.png"), lr("bx2.png"), lr("c.png"), lr("cx2.png");
  EXPECT_THAT(pairs(), ElementsAre("a: a.png -> a.png", "b: bx2.png -> b.png", "c: c.png -> c.png",
                                   "cx2: cx2.png -> cx2.png"));
}

TEST_F(PairedFolders, OnlyOneSuffixIsRemoved) {
  hr("a.png");
  lr("ax2x2.png");
  const auto items = list_items(spec_);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_THAT(items[0].problem,
              AllOf(HasSubstr((spec_.hr / "a.png").string()),
                    HasSubstr("expected " + (spec_.lr / "a.png").string() + " or ax{scale}.png")));
  EXPECT_THAT(items[1].problem, AllOf(HasSubstr("no reference"), HasSubstr((spec_.hr / "ax2.png").string())));
}

TEST_F(PairedFolders, MissingPartnersAreItemsWithAProblem) {
  hr("a.png"), hr("b.png");
  lr("bx2.png"), lr("cx2.png");
  const auto items = list_items(spec_);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_THAT(items[0].problem, HasSubstr("no low-resolution picture"));
  EXPECT_THAT(items[1].problem, IsEmpty());
  EXPECT_THAT(items[2].problem, HasSubstr("expected " + (spec_.hr / "c.png").string()));
  EXPECT_THROW(identify(spec_, items[0]), std::runtime_error);
}

TEST_F(PairedFolders, PatternNamesThePartner) {
  hr("a.png"), hr("b.png");
  lr("lr_ax2.png"), lr("lr_bx2.png"), lr("a.png"), lr("lr_cx2.png");
  for (const char* pattern : {"lr_{name}x2", "lr_{name}x2.png"}) {
    spec_.match = pattern;
    EXPECT_THAT(pairs(), ElementsAre("a: lr_ax2.png -> a.png", "b: lr_bx2.png -> b.png", "c: lr_cx2.png -> "))
        << pattern;
  }
  for (const char* pattern : {"x4", "{name}{name}"}) {
    spec_.match = pattern;
    EXPECT_THAT(refused(), HasSubstr("expected the word {name} once")) << pattern;
  }
}

TEST_F(PairedFolders, TwoCandidatesFailTheirItemNamingBoth) {
  hr("a.png"), hr("b.png");
  lr("ax2.png"), lr("ax4.png"), lr("b.png");
  const auto items = list_items(spec_);
  ASSERT_EQ(items.size(), 2U);
  EXPECT_THAT(items[0].problem,
              AllOf(HasSubstr("ax2.png"), HasSubstr("ax4.png"), HasSubstr("images.match, as in '{name}x4'")));
  EXPECT_THAT(items[1].problem, IsEmpty());
}

// In either folder, by equal names, by suffix, by a pattern, and without a partner: one item each.
TEST_F(PairedFolders, FilesOfOneNameFailTheItemTheyAreFor) {
  hr("a.png"), hr("a.jpg"), hr("b.png"), hr("c.png"), hr("d.png");
  lr("a.png"), lr("b.png"), lr("b.bmp"), lr("cx2.jpg"), lr("cx2.png"), lr("d.png"), lr("e.png"), lr("e.jpg");
  std::map<std::string, std::string> problems;
  for (const auto& item : list_items(spec_)) EXPECT_TRUE(problems.emplace(item.name, item.problem).second);
  EXPECT_EQ(problems.size(), 5U);
  const auto names_both = [&](const fs::path& first, const fs::path& second) {
    return HasSubstr("2 pictures of one name: " + first.string() + " and " + second.string());
  };
  EXPECT_THAT(problems["a"], names_both(spec_.hr / "a.jpg", spec_.hr / "a.png"));
  EXPECT_THAT(problems["b"], names_both(spec_.lr / "b.bmp", spec_.lr / "b.png"));
  EXPECT_THAT(problems["c"], names_both(spec_.lr / "cx2.jpg", spec_.lr / "cx2.png"));
  EXPECT_THAT(problems["d"], IsEmpty());
  EXPECT_THAT(problems["e"], names_both(spec_.lr / "e.jpg", spec_.lr / "e.png"));

  spec_.match = "{name}x2";
  problems.clear();
  for (const auto& item : list_items(spec_)) problems[item.name] = item.problem;
  EXPECT_EQ(problems.size(), 4U) << "what does not fit the pattern is not meant";
  EXPECT_THAT(problems["c"], names_both(spec_.lr / "cx2.jpg", spec_.lr / "cx2.png"));
}

TEST_F(PairedFolders, ReferenceALittleLargerIsCutAndNoted) {
  hr("a.png", 33, 39);
  lr("a.png", 8, 9);
  const ItemIdentity identity = identify(spec_, list_items(spec_).at(0));
  EXPECT_EQ(identity.scale, 4);
  EXPECT_EQ(identity.reference_width, 32);
  EXPECT_EQ(identity.reference_height, 36);
  EXPECT_THAT(identity.notes, ElementsAre("reference cut from 33x39 to 32x36"));
}

TEST_F(PairedFolders, SizesThatDoNotFitAreRefusedWithTheExpectedSize) {
  struct Case {
    int width, height;
    const char *reason, *help;
  };
  const char *crop = "crop it with images.modcrop: true", *too_small = "it is too small, so crop the other",
             *multiple = "crop it to one, or pair it with its own input";
  for (const Case& wrong : {Case{1021, 768, "reference 1021x768, expected 1024x768", too_small},
                            {1028, 768, "reference 1028x768, expected 1024x768", crop},
                            {1024, 767, "reference 1024x767, expected 1024x768", too_small},
                            {512, 768, "is not a whole multiple of the input 256x192", multiple},
                            {100, 80, "is not a whole multiple", multiple}}) {
    hr("a.png", wrong.width, wrong.height);
    lr("a.png", 256, 192);
    EXPECT_THAT(refused_identity(), AllOf(HasSubstr(wrong.reason), HasSubstr(wrong.help)));
  }
}

// Rows 16 and 31: what was done is said.
TEST_F(PairedFolders, WhatIsCutOrRoundedIsNoted) {
  write_png(spec_.hr / "a.png", random_raster(1028, 768, 3, 16));
  lr("a.png", 256, 192);
  spec_.cut_reference = true;
  EXPECT_THAT(identify(spec_, list_items(spec_).at(0)).notes,
              ElementsAre("reference: 16 bit a sample, kept; rounded to 8 bit for scoring, but not by "
                          "metrics with @float",
                          "reference cut from 1028x768 to 1024x768"));
  EXPECT_THAT(identify(made_from(spec_.hr), list_items(made_from(spec_.hr)).at(0)).notes,
              Contains("input: made from 16 bit a sample, rounded to 8 bit"));
}

TEST_F(PairedFolders, SuffixSaysTheScaleWhereTheSizesAreTooSmallToTell) {
  hr("a.png", 7, 7);
  lr("ax4.png", 1, 1);
  EXPECT_EQ(identify(spec_, list_items(spec_).at(0)).scale, 4);
}

TEST_F(PairedFolders, TwoFilesAreAPairWhateverTheirNames) {
  hr("good.png"), lr("bad.png");
  spec_.hr /= "good.png";
  spec_.lr /= "bad.png";
  EXPECT_THAT(pairs(), ElementsAre("good: bad.png -> good.png"));
  spec_.lr = folder_ / "lr";
  EXPECT_THAT(refused(), HasSubstr("two folders or two files"));
}

// References and inputs side by side in one folder: the names tell which is which.
TEST_F(PairedFolders, OneFolderForBothIsToldApartByNames) {
  hr("a.png"), hr("b.png"), hr("cx2.png"), hr("sx3s.png");
  write_png(spec_.hr / "ax2.png", random_raster(4, 4));
  write_png(spec_.hr / "bx4.png", random_raster(2, 2));
  spec_.lr = spec_.hr / ".";
  const auto items = list_items(spec_);
  EXPECT_THAT(pairs(), ElementsAre("a: ax2.png -> a.png", "b: bx4.png -> b.png", "cx2:  -> cx2.png",
                                   "sx3s:  -> sx3s.png"));
  EXPECT_THAT(items[2].problem, HasSubstr("no low-resolution picture; expected"));

  spec_.match = "{name}x4";
  EXPECT_THAT(pairs(), ElementsAre("a:  -> a.png", "ax2:  -> ax2.png", "b: bx4.png -> b.png",
                                   "cx2:  -> cx2.png", "sx3s:  -> sx3s.png"));
}

TEST_F(PairedFolders, OnePatternForBothIsToldApartByNames) {
  hr("a.png"), hr("ax2.png", 4, 4);
  spec_.lr = spec_.hr = spec_.hr / "*.png";
  EXPECT_THAT(pairs(), ElementsAre("a: ax2.png -> a.png"));
}

TEST_F(PairedFolders, OneFolderWithoutAnythingNamedAsInputIsRefused) {
  hr("a.png"), hr("b.png");
  spec_.lr = spec_.hr;
  EXPECT_THAT(refused(), HasSubstr("expected names like ax4.png beside a.png, or images.match"));
  spec_.same_size = true;  // score: every picture against itself
  EXPECT_THAT(pairs(), ElementsAre("a: a.png -> a.png", "b: b.png -> b.png"));
}

TEST_F(PairedFolders, PatternsPairByFolderAndName) {
  for (const char* name : {"cats/1.png", "dogs/1.png"}) {
    fs::create_directories((spec_.hr / name).parent_path());
    fs::create_directories((spec_.lr / name).parent_path());
    hr(name);
  }
  lr("cats/1x2.png"), lr("dogs/1.png");
  spec_.hr /= "**/*.png";
  spec_.lr /= "**/*.png";
  EXPECT_THAT(pairs(), ElementsAre("cats/1: 1x2.png -> 1.png", "dogs/1: 1.png -> 1.png"));
}

TEST_F(PairedFolders, IdentityFollowsBytesScaleAndKernel) {
  hr("a.png", 12, 12), hr("b.png", 12, 12);
  const auto input = [&](int scale, const std::string& kernel, std::size_t item) {
    ImageSetSpec spec = made_from(spec_.hr, scale);
    spec.make_lr->kernel = kernel;
    return identify(spec, list_items(spec).at(item));
  };
  const ItemIdentity base = input(2, "matlab-bicubic", 0);
  EXPECT_EQ(input(2, "matlab-bicubic", 1).input, base.input) << "the same bytes under another name";
  EXPECT_NE(input(3, "matlab-bicubic", 0).input, base.input);
  EXPECT_NE(input(2, "area", 0).input, base.input);
  EXPECT_EQ(input(2, "area", 0).reference, base.reference);
  EXPECT_NE(base.input, base.reference);
  write_png(spec_.hr / "a.png", random_raster(12, 12, 3, 8, 2));
  EXPECT_NE(input(2, "matlab-bicubic", 0).input, base.input);
  EXPECT_NE(input(2, "matlab-bicubic", 0).reference, base.reference);
}

TEST(ImageSet, PictureTooSmallForItsScaleIsRefused) {
  const TemporaryFolder folder;
  write_png(folder / "a.png", random_raster(3, 9));
  const ImageSetSpec spec = made_from(folder.path(), 4);
  EXPECT_THAT(refusal([&] { identify(spec, list_items(spec).at(0)); }), HasSubstr("3x9 pixels are too few"));
}

TEST(ImageSet, NotesOfTheDecoderAreTheItems) {
  const TemporaryFolder folder;
  write_bytes(folder / "a.jpg", jpeg_file(random_raster(8, 6, 1), {.exif = exif_block(6)}));
  const ImageSetSpec spec = made_from(folder.path(), 2);
  const ItemIdentity identity = identify(spec, list_items(spec).at(0));
  EXPECT_EQ(identity.input_width, 3);
  EXPECT_THAT(identity.notes, ElementsAre("reference: grey", "reference: EXIF orientation 6 applied"));
}

TEST(ImageSet, ProceduralClassesComeInTurn) {
  ImageSetSpec spec;
  spec.procedural = {.classes = {"text", "line-art"}, .count = 3, .size = 66, .seed = 5};
  EXPECT_THAT(names(spec), ElementsAre("text-000", "line-art-000", "text-001"));
  const auto items = list_items(spec);
  const ItemIdentity identity = identify(spec, items[2]);
  EXPECT_EQ(identity.scale, 4);
  EXPECT_EQ(identity.input_width, 16);
  EXPECT_EQ(identity.reference_width, 64);
  EXPECT_NE(identity.input, identify(spec, items[0]).input);

  spec.procedural->classes = {"text", "text"};
  EXPECT_THAT(refusal([&] { list_items(spec); }), HasSubstr("names text twice"));
  spec.procedural->classes = {"cats"};
  EXPECT_THROW(list_items(spec), std::invalid_argument);
  spec.procedural = {.count = 0};
  EXPECT_THAT(refusal([&] { list_items(spec); }), HasSubstr("count 0"));
}

}  // namespace
}  // namespace upbench::test
