#include "datasets/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image_set.h"
#include "tests/datasets/picture_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Digest file_digest(const std::filesystem::path& file) {
  return sha256_file(file);
}

TEST(Manifest, IsWrittenAsYamlWithEveryTextQuoted) {
  SetManifest manifest{.name = "two \"words\"", .licence = "CC0", .source = ""};
  manifest.made = SetManifest::Made{.by = "upbench 1",
                                    .scale = 4,
                                    .kernel = "area",
                                    .kernel_version = 2,
                                    .degrade = {"noise.gaussian=3"},
                                    .degradation_version = 1,
                                    .seed = 7,
                                    .cropped = true};
  manifest.items.push_back({.name = "a",
                            .file = "lr/a\n\x1b\\x4.png",
                            .sha256 = sha256("a"),
                            .hr = "hr/\xff.png",
                            .hr_sha256 = sha256("b"),
                            .tags = {"text", "no"},
                            .notes = {"grey"}});
  manifest.items.push_back({.name = "b", .file = "b.png", .sha256 = sha256("c")});
  EXPECT_EQ(to_yaml(manifest), R"(name: "two \"words\""
licence: "CC0"
made:
  by: "upbench 1"
  scale: 4
  kernel: "area"
  kernel_version: 2
  degrade: ["noise.gaussian=3"]
  degradation_version: 1
  seed: 7
  cropped: true
items:
  - name: "a"
    file: "lr/a\x0A\x1B\\x4.png"
    sha256: ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb
    hr: "hr/\\xff.png"
    hr_sha256: 3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d
    tags: ["text", "no"]
    notes: ["grey"]
  - name: "b"
    file: "b.png"
    sha256: 2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6
)");
}

class ManifestItems : public ::testing::Test {
 protected:
  ManifestItems() {
    write_png(folder_ / "hr.png", random_raster(8, 8));
    write_png(folder_ / "lr.png", random_raster(4, 4));
    manifest_.items.push_back({.name = "pair",
                               .file = folder_ / "lr.png",
                               .sha256 = file_digest(folder_ / "lr.png"),
                               .hr = folder_ / "hr.png",
                               .hr_sha256 = file_digest(folder_ / "hr.png"),
                               .tags = {"photo"},
                               .degradation = "noise sigma=2",
                               .notes = {"made by hand"}});
    manifest_.items.push_back({.name = "alone",
                               .file = folder_ / "lr.png",
                               .sha256 = file_digest(folder_ / "lr.png"),
                               .tags = {"text"}});
  }
  ImageSetSpec spec() const {
    return {.manifest = std::make_shared<const SetManifest>(manifest_), .manifest_file = "set.yaml"};
  }

  TemporaryFolder folder_;
  SetManifest manifest_;
};

TEST_F(ManifestItems, ComeInNameOrderWithOrWithoutReference) {
  const auto items = list_items(spec());
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].name, "alone");
  EXPECT_TRUE(identify(spec(), items[0]).reference.is_zero());
  const ItemIdentity pair = identify(spec(), items[1]);
  EXPECT_EQ(pair.scale, 2);
  EXPECT_THAT(pair.notes, ElementsAre("made by hand", "degraded: noise sigma=2", "class: photo"));
}

TEST_F(ManifestItems, AreReferencesWhereInputsAreToBeMade) {
  manifest_.items = {{.name = "hr", .file = folder_ / "hr.png", .sha256 = file_digest(folder_ / "hr.png")}};
  ImageSetSpec made = spec();
  made.make_lr = ImageSetSpec::LowResolution{.scale = 4};
  EXPECT_EQ(identify(made, list_items(made).at(0)).input_width, 2);
  manifest_.items[0].hr = folder_ / "hr.png";
  made.manifest = spec().manifest;
  EXPECT_THAT(refusal([&] { list_items(made); }), HasSubstr("expected no images.lr beside such a manifest"));
}

TEST_F(ManifestItems, OfOneTag) {
  ImageSetSpec tagged = spec();
  tagged.tags = {"text"};
  ASSERT_EQ(list_items(tagged).size(), 1U);
  EXPECT_EQ(list_items(tagged)[0].name, "alone");
  tagged.tags = {"photo", "text"};
  EXPECT_EQ(list_items(tagged).size(), 2U);
  tagged.tags = {"txt"};
  EXPECT_THAT(refusal([&] { list_items(tagged); }),
              HasSubstr("no item of set.yaml has the tag 'txt'; its tags: photo, text"));
}

TEST_F(ManifestItems, WithAnotherFileInTheirPlaceAreRefusedWithBothHashes) {
  const std::string meant = file_digest(folder_ / "hr.png").hex();
  write_png(folder_ / "hr.png", random_raster(8, 8, 3, 8, 2));
  const auto items = list_items(spec());
  EXPECT_EQ(refusal([&] { identify(spec(), items[0]); }), "");
  EXPECT_THAT(refusal([&] { identify(spec(), items[1]); }),
              AllOf(HasSubstr("hr.png"), HasSubstr(meant), HasSubstr(file_digest(folder_ / "hr.png").hex())));
}

TEST_F(ManifestItems, OfOneNameFailAsOneNamingBoth) {
  manifest_.items[1].name = "pair";
  manifest_.items[1].file = folder_ / "other.png";
  const auto items = list_items(spec());
  ASSERT_EQ(items.size(), 1U);
  EXPECT_THAT(items[0].problem,
              AllOf(HasSubstr("two items of one name"), HasSubstr("hr.png"), HasSubstr("other.png")));
}

}  // namespace
}  // namespace upbench::test
