#include "harness/spec/manifest.h"

#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/spec.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Manifests : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& text, const std::string& name = "set.yaml") {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  // The message after the folder's name.
  std::string error_of(const std::string& text) {
    try {
      read_manifest(write(text));
    } catch (const SpecError& error) {
      return std::string(error.what()).substr(folder_.path().string().size() + 1);
    }
    return "no error";
  }
  Spec parse(const std::string& images) {
    return parse_spec(
        "name: t\nimages: " + images + "\npipeline: [{upscale: {model: nearest}}]\nmetrics: none\n", "s.yaml",
        folder_.path());
  }

  test::TemporaryFolder folder_;
  const std::string hash_ = sha256("a").hex();
};

TEST_F(Manifests, AreReadAsWritten) {
  SetManifest manifest{.name = "n", .licence = "l: [\"", .source = "s"};
  manifest.made = SetManifest::Made{.by = "b",
                                    .scale = 3,
                                    .kernel = "area",
                                    .kernel_version = 1,
                                    .degrade = {"x", "y"},
                                    .degradation_version = 2,
                                    .seed = ~0ULL,
                                    .cropped = true};
  manifest.items.push_back({.name = "a\n\"\\\u202e\x7f",
                            .file = "lr/\u65e5 #.png",
                            .sha256 = sha256("1"),
                            .hr = "hr/- a: b.png",
                            .hr_sha256 = sha256("2"),
                            .tags = {"true", "12"},
                            .from = "~",
                            .from_sha256 = sha256("3"),
                            .degradation = "d",
                            .notes = {"n"}});
  const std::string text = to_yaml(manifest);
  SetManifest read = read_manifest(write(text));
  EXPECT_EQ(read.items.at(0).file, folder_ / "lr/\u65e5 #.png") << "relative to the manifest";
  read.items[0].file = "lr/\u65e5 #.png";
  read.items[0].hr = "hr/- a: b.png";
  EXPECT_EQ(to_yaml(read), text);
}

TEST_F(Manifests, NameItemsAfterTheReference) {
  const SetManifest read =
      read_manifest(write(fmt::format("items:\n- {{file: lr/ax4.png, sha256: {0}, hr: hr/a.png, hr_sha256: "
                                      "{0}}}\n- {{file: b.png, sha256: {0}}}\n",
                                      hash_)));
  EXPECT_EQ(read.items[0].name, "a");
  EXPECT_EQ(read.items[1].name, "b");
  EXPECT_TRUE(read.items[1].hr.empty());
}

TEST_F(Manifests, WhatIsWrongIsNamedWithItsPlace) {
  EXPECT_THAT(error_of("items: []"), StartsWith("set.yaml:1:8: items is an empty list"));
  EXPECT_THAT(error_of("name: x"), StartsWith("set.yaml:1:1: items is missing, expected it in the manifest"));
  EXPECT_THAT(error_of("itms: []"), StartsWith("set.yaml:1:1: unknown key 'itms' (did you mean 'items'?)"));
  EXPECT_THAT(error_of("items:\n  - {file: a.png}"), StartsWith("set.yaml:2:5: items[0].sha256 is missing"));
  EXPECT_THAT(
      error_of("items:\n  - {file: a.png, sha256: abc}"),
      StartsWith("set.yaml:2:27: items[0].sha256 is 'abc', expected a SHA-256 of 64 hexadecimal digits"));
  EXPECT_THAT(error_of(fmt::format("items:\n  - {{file: a.png, sha256: {0}, hr: b.png}}", hash_)),
              HasSubstr("items[0].hr_sha256 is missing"));
  EXPECT_THAT(error_of(fmt::format("items:\n  - {{file: a.png, sha256: {0}, hr_sha256: {0}}}", hash_)),
              HasSubstr("items[0].hr_sha256 without hr"));
  EXPECT_THAT(error_of(fmt::format("items:\n  - {{file: a.png, sha256: {0}, size: 3}}", hash_)),
              HasSubstr("unknown key of items[0] 'size'"));
  EXPECT_THAT(error_of("items:\n  - &a {file: a.png}"), HasSubstr("anchors and aliases are refused"));
  EXPECT_THAT(error_of("made: {scale: x}\nitems: []"), StartsWith("set.yaml:1:15: made.scale is 'x'"));
}

TEST_F(Manifests, LargerThanASpecMayBeAreRead) {
  std::string text = "items:\n";
  for (int i = 0; i < 12'000; ++i) text += fmt::format("- {{file: p{}.png, sha256: {}}}\n", i, hash_);
  ASSERT_GT(text.size(), 1'000'000U);
  EXPECT_EQ(read_manifest(write(text)).items.size(), 12'000U);
}

TEST_F(Manifests, AreASourceOfASpec) {
  write(fmt::format("items:\n- {{file: a.png, sha256: {0}, tags: [text]}}\n", hash_));
  const Spec spec = parse("{manifest: set.yaml, tags: [text]}");
  EXPECT_EQ(spec.images.manifest->items.size(), 1U);
  EXPECT_THAT(spec.images.tags, ElementsAre("text"));
  EXPECT_EQ(spec.canonical()["images"]["manifest"], "set.yaml");
  EXPECT_FALSE(spec.images.make_lr);
  EXPECT_EQ(parse("{manifest: set.yaml, lr: {scale: 2}}").images.make_lr->scale, 2);
  EXPECT_THROW(parse("{manifest: set.yaml, path: a, lr: {scale: 2}}"), SpecError);
  EXPECT_THROW(parse("{path: a, lr: {scale: 2}, tags: [text]}"), SpecError);
}

TEST_F(Manifests, ReplaceTheSourceOfABaseSpec) {
  write(fmt::format("items:\n- {{file: a.png, sha256: {0}}}\n", hash_));
  write(
      "name: b\nimages: {path: p, lr: {scale: 2}, limit: 3}\npipeline: [{upscale: {model: "
      "nearest}}]\nmetrics: none\n",
      "base.yaml");
  const Spec spec = read_spec(write("extends: base\nname: t\nimages: {manifest: set.yaml}\n", "top.yaml"));
  EXPECT_TRUE(spec.images.manifest);
  EXPECT_TRUE(spec.images.path.empty());
  EXPECT_FALSE(spec.images.make_lr) << "the manifest says what the inputs are";
  EXPECT_EQ(spec.images.limit, 3);
}

TEST_F(Manifests, AreToldFromSpecsByTheirItems) {
  EXPECT_TRUE(read_set(write(fmt::format("items:\n- {{file: a.png, sha256: {0}}}\n", hash_))).manifest);
  EXPECT_EQ(
      read_set(write("name: b\nimages: {lr: p}\npipeline: [{upscale: {model: nearest}}]\nmetrics: none\n"))
          .lr,
      folder_ / "p");
}

TEST_F(Manifests, ListsAreASourceOfASpec) {
  EXPECT_EQ(parse("{list: files.txt, lr: {scale: 2}}").images.path, folder_ / "files.txt");
  EXPECT_THAT(parse("{list: [a.png, /b.png], lr: {scale: 2}}").images.list,
              ElementsAre(folder_ / "a.png", "/b.png"));
  EXPECT_THROW(parse("{list: files.lst, lr: {scale: 2}}"), SpecError);
  EXPECT_THROW(parse("{list: [], lr: {scale: 2}}"), SpecError);
  EXPECT_THROW(parse("{list: [a.png]}"), SpecError) << "how are the inputs made?";
}

}  // namespace
}  // namespace upbench
