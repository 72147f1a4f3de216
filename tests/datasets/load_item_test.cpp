#include "datasets/load_item.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "datasets/image.h"
#include "datasets/resample.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

LoadedItem load_first(const ImageSetSpec& spec) {
  const ImageItem item = list_items(spec).at(0);
  return load_item(spec, item, identify(spec, item));
}

TEST(LoadItem, PairIsReadAndItsReferenceCutAtTheTopLeft) {
  const TemporaryFolder folder;
  const Raster hr = random_raster(33, 39), lr = random_raster(8, 9, 3, 8, 2);
  write_png(folder / "hr.png", hr);
  write_png(folder / "lr.png", lr);
  const LoadedItem loaded = load_first({.hr = folder / "hr.png", .lr = folder / "lr.png"});
  EXPECT_TRUE(at::equal(loaded.input, to_image(lr)));
  ASSERT_TRUE(loaded.reference.has_value());
  EXPECT_TRUE(at::equal(*loaded.reference, to_image(hr).narrow(1, 0, 36).narrow(2, 0, 32)));
}

TEST(LoadItem, InputIsMadeFromTheCutReferenceAndRoundedAsASavedFileWouldBe) {
  const TemporaryFolder folder;
  const Raster hr = random_raster(33, 39);
  write_png(folder / "hr.png", hr);
  for (const char* kernel : {"area", "matlab-bicubic", "lanczos"}) {
    const LoadedItem loaded = load_first(
        {.path = folder / "hr.png", .make_lr = ImageSetSpec::LowResolution{.scale = 4, .kernel = kernel}});
    const Image cut = to_image(hr).narrow(1, 0, 36).narrow(2, 0, 32);
    EXPECT_TRUE(at::equal(*loaded.reference, cut));
    EXPECT_TRUE(at::equal(loaded.input, quantized(resample(cut, 9, 8, kernel, true)))) << kernel;
  }
}

TEST(LoadItem, InputWithoutReferenceHasNone) {
  const TemporaryFolder folder;
  write_png(folder / "lr.png", random_raster(5, 4));
  EXPECT_FALSE(load_first({.lr = folder / "lr.png"}).reference.has_value());
}

TEST(LoadItem, SixteenBitsAreKept) {
  const TemporaryFolder folder;
  const Raster deep = random_raster(6, 5, 4, 16);
  write_png(folder / "lr.png", deep);
  const Image input = load_first({.lr = folder / "lr.png"}).input;
  EXPECT_TRUE(at::equal(input, to_image(deep)));
  EXPECT_FALSE(at::equal(input, quantized(input)));
}

TEST(LoadItem, FileThatVanishedOrChangedSinceThePlanIsRefused) {
  const TemporaryFolder folder;
  write_png(folder / "a.png", random_raster(8, 8));
  const ImageSetSpec spec{.path = folder.path(), .make_lr = ImageSetSpec::LowResolution{.scale = 2}};
  const ImageItem item = list_items(spec).at(0);
  const ItemIdentity planned = identify(spec, item);
  EXPECT_EQ(refusal([&] { load_item(spec, item, planned); }), "");
  write_png(folder / "a.png", random_raster(8, 8, 3, 8, 2));
  EXPECT_THAT(refusal([&] { load_item(spec, item, planned); }),
              AllOf(HasSubstr("a.png"), HasSubstr("changed since the sweep was planned")));
  FileBytes half = encode_png(random_raster(8, 8));
  half.resize(half.size() / 2);
  write_bytes(folder / "a.png", half);
  EXPECT_THAT(refusal([&] { load_item(spec, item, planned); }),
              AllOf(HasSubstr("a.png: PNG truncated"), HasSubstr("; changed since the sweep was planned")));
  fs::remove(folder / "a.png");
  EXPECT_THAT(refusal([&] { load_item(spec, item, planned); }),
              AllOf(HasSubstr("a.png"), HasSubstr("No such file"), HasSubstr("; vanished since")));
}

TEST(LoadItem, BytesAfterTheEndAreInTheNotesOfThePlan) {
  const TemporaryFolder folder;
  FileBytes file = jpeg_file(random_raster(16, 16));
  file.push_back(0);
  write_file_atomically(folder / "a.jpg", file);
  const ImageSetSpec spec{.lr = folder / "a.jpg"};
  EXPECT_THAT(identify(spec, list_items(spec).at(0)).notes,
              ElementsAre("input: 1 bytes after the end of the JPEG ignored"));
}

TEST(LoadItem, LimitOfTheSetIsThatOfItsPictures) {
  const TemporaryFolder folder;
  write_png(folder / "a.png", random_raster(1001, 1000, 1));
  ImageSetSpec spec{.path = folder.path(), .max_megapixels = 1};
  spec.make_lr = ImageSetSpec::LowResolution{.scale = 4};
  const ImageItem item = list_items(spec).at(0);
  EXPECT_THAT(refusal([&] { identify(spec, item); }),
              AllOf(HasSubstr("a.png: 1001x1000 is 1.0 megapixels, more than the limit of 1.0"),
                    HasSubstr("images.max_megapixels")));
  spec.max_megapixels = 2;
  const ItemIdentity identity = identify(spec, item);
  EXPECT_EQ(load_item(spec, item, identity).reference->size(2), 1000);
  spec.max_megapixels = 0;
  EXPECT_EQ(identify(spec, item).input, identity.input) << "a limit changes no pixel";
}

TEST(LoadItem, CorruptPictureBehindASoundHeaderIsRefused) {
  const TemporaryFolder folder;
  FileBytes file = jpeg_file(random_raster(64, 64));
  file.resize(file.size() / 2);
  write_bytes(folder / "a.jpg", file);
  EXPECT_THAT(refusal([&] { load_first({.lr = folder / "a.jpg"}); }),
              AllOf(HasSubstr("a.jpg"), HasSubstr("JPEG is corrupt or truncated")));
}

// Row 9. What a lenient run makes of it has another name, so that a strict run finds nothing in the store.
TEST(LoadItem, DamagedScanIsReadOnlyLenientlyAndSaidSo) {
  const TemporaryFolder folder;
  FileBytes file = jpeg_file(random_raster(64, 64));
  std::fill_n(file.end() - 402, 400, std::uint8_t{0xfe});
  write_bytes(folder / "bad.jpg", file);
  write_bytes(folder / "sound.jpg", jpeg_file(random_raster(64, 64)));
  const ImageSetSpec strict{.lr = folder.path()};
  ImageSetSpec lenient = strict;
  lenient.lenient = true;
  const auto items = list_items(strict);
  const ItemIdentity planned = identify(strict, items.at(0)), bad = identify(lenient, items.at(0));
  EXPECT_THAT(refusal([&] { load_item(strict, items[0], planned); }),
              HasSubstr("JPEG is corrupt or truncated"));
  EXPECT_FALSE(planned.corrupt);
  EXPECT_TRUE(bad.corrupt);
  ASSERT_EQ(bad.notes.size(), 1U);
  EXPECT_THAT(bad.notes[0],
              AllOf(HasSubstr("input: corrupt: Corrupt JPEG data"), HasSubstr(" faults in its scans")));
  EXPECT_NE(bad.input, planned.input);
  EXPECT_EQ(load_item(lenient, items[0], bad).input.sizes(), at::IntArrayRef({3, 64, 64}));

  const ItemIdentity sound = identify(lenient, items.at(1));
  EXPECT_FALSE(sound.corrupt);
  EXPECT_EQ(sound.input, identify(strict, items[1]).input);
  file.resize(file.size() / 2);
  write_bytes(folder / "bad.jpg", file);
  EXPECT_THAT(refusal([&] { identify(lenient, items[0]); }), HasSubstr("Premature end of JPEG file"));
}

TEST(LoadItem, ItemWithAProblemIsRefusedWithIt) {
  const ImageItem item{.name = "a", .problem = "a: no reference"};
  EXPECT_EQ(refusal([&] { load_item({}, item, {}); }), "a: no reference");
}

TEST(LoadItem, ProceduralPictureIsRendered) {
  ImageSetSpec spec;
  spec.procedural = {.classes = {"dead-leaves"}, .count = 1, .size = 66, .seed = 5};
  spec.make_lr = {.scale = 2};
  const LoadedItem loaded = load_first(spec);
  EXPECT_EQ(loaded.input.sizes(), at::IntArrayRef({3, 33, 33}));
  EXPECT_EQ(loaded.reference->sizes(), at::IntArrayRef({3, 66, 66}));
  EXPECT_GT(loaded.reference->std().item<double>(), 0.01);
}

}  // namespace
}  // namespace upbench::test
