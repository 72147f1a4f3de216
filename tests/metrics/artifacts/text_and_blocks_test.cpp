#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

// Text damage and blocking.
namespace upbench {
namespace {

using test::found_by;
using test::letters;
using test::part;
using test::scene;
using test::value_of;

TEST(TextDamage, CountsStrokesAndHoles) {
  const Image page = letters(4, 6);
  const Detection found = found_by("text-damage", {.output = &page, .reference = &page});
  EXPECT_EQ(found.value, 0);
  EXPECT_EQ(found.parts.at(0).value, 48);  // 24 letters with a hole each
}

TEST(TextDamage, ALostLetterAFilledHoleAndASplitStrokeAreOneEach) {
  const Image page = letters(4, 6);
  Image output = page.clone();
  part(output, 5, 5, 10, 14).fill_(0.92);  // a letter with its hole
  part(output, 25, 5, 10, 8).fill_(0.1);   // a hole filled
  part(output, 45, 14, 2, 3).fill_(0.92);  // a stroke broken below its hole
  const Detection found = found_by("text-damage", {.output = &output, .reference = &page});
  EXPECT_EQ(found.parts.at(1).value, 2);  // the letter, the filled hole; the page is where the lost hole was
  EXPECT_EQ(found.parts.at(2).value, 0);  // the piece below is smaller than 15 % of the letter
  EXPECT_NEAR(found.value, 100.0 * 2 / 48, 1e-9);
  part(output, 65, 5, 2, 14).fill_(0.92);  // the upright stroke of another: its hole opens, the rest is split
  EXPECT_GT(found_by("text-damage", {.output = &output, .reference = &page}).value, found.value);
}

TEST(TextDamage, JoinedLettersAreFound) {
  const Image page = letters(4, 6);
  Image output = page.clone();
  part(output, 10, 5, 20, 2).fill_(0.1);  // from one letter to the next
  EXPECT_EQ(found_by("text-damage", {.output = &output, .reference = &page}).parts.at(3).value, 1);
}

TEST(TextDamage, IsNotABlurOrAChangeOfTone) {
  const Image page = letters(4, 6);
  EXPECT_EQ(value_of("text-damage", test::low_passed(page, 0.7), page), 0);
  EXPECT_EQ(value_of("text-damage", page * 0.9 + 0.05, page), 0);
  EXPECT_EQ(value_of("text-damage", scene(160, 192, 1), scene(160, 192, 1)), 0);
}

// Blocks of 8 px, each brighter or darker by `levels`.
Image blocks(int height, int width, double levels) {
  const at::Tensor x = at::arange(width).view({1, 1, -1}).div(8, "floor"),
                   y = at::arange(height).view({1, -1, 1}).div(8, "floor");
  return ((x + y).remainder(2).to(at::kFloat) - 0.5) * (levels / 255);
}

TEST(Blocking, OfAGridIsTheExcessOfItsSteps) {
  const Image reference = test::constant(160, 192, 128.0 / 255);
  const Image output = reference + blocks(160, 192, 4);
  EXPECT_NEAR(value_of("blocking", output, reference), 4, 1e-3);
  EXPECT_EQ(found_by("blocking", {.output = &output, .reference = &reference}).parts.at(0).value, 8);
}

TEST(Blocking, GrowsAndIsNotWhatThePictureHas) {
  const Image reference = scene(160, 192, 2);
  double before = 0.1;
  for (const double levels : {2.0, 5.0, 10.0}) {
    const Image output = quantized(reference + blocks(160, 192, levels));
    const double value = value_of("blocking", output, reference);
    EXPECT_GT(value, before);
    before = value;
    EXPECT_EQ(value_of("blocking", output, output), 0);
  }
}

TEST(Blocking, OfAJpegInputAppearsEnlarged) {
  const Image enlarged =
      scene(256, 256, 3) + blocks(128, 128, 8).repeat_interleave(2, 1).repeat_interleave(2, 2);
  const Image clean = test::reduced(scene(256, 256, 3), 2);
  const Detection found = found_by("blocking", {.output = &enlarged, .input = &clean});
  EXPECT_EQ(found.parts.at(0).value, 16);
  EXPECT_GT(found.value, 2);
}

}  // namespace
}  // namespace upbench
