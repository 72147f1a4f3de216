#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "metrics/artifacts/as_metric.h"
#include "metrics/artifacts/catalog.h"
#include "tests/metrics/artifacts/scenes.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

using test::scene;

class EveryDetector : public testing::TestWithParam<Detector> {};
INSTANTIATE_TEST_SUITE_P(Catalog, EveryDetector, testing::ValuesIn(detectors()), [](const auto& test) {
  std::string name = test.param.name;
  std::ranges::replace(name, '-', '_');
  return name;
});

TEST_P(EveryDetector, FindsNothingInThePictureItself) {
  for (const Image& picture : {scene(128, 160, 1), test::letters(6, 8), test::constant(96, 96, 0.3)}) {
    const Detection found = detect({.output = &picture, .reference = &picture}, GetParam());
    EXPECT_EQ(found.value, 0);
    EXPECT_TRUE(found.boxes.empty());
  }
}

TEST_P(EveryDetector, SaysWhatItIs) {
  EXPECT_FALSE(GetParam().unit.empty());
  EXPECT_FALSE(GetParam().convention.empty());
  EXPECT_EQ(find_detector(GetParam().name)->name, GetParam().name);
}

TEST_P(EveryDetector, CopesWithAnyPicture) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  for (const auto& [height, width] : {std::pair(1, 1), std::pair(2, 300), std::pair(7, 5), std::pair(33, 64)})
    for (const float value : {0.0F, 1.0F, -5.0F, nan, infinity, -infinity}) {
      const Image output = at::full({3, height, width}, value, at::kFloat);
      const Image reference = at::rand({3, height, width}), input = at::rand({3, 1, 1});
      const std::vector<TileBoundary> wild = {
          {true, 0, 0}, {false, 1e9, 3}, {true, -5, 100}, {true, 2.5, 1e6}};
      for (const Subject& subject :
           {Subject{.output = &output},
            Subject{.output = &output, .reference = &reference, .boundaries = wild},
            Subject{.output = &output, .input = &input, .base = &reference, .boundaries_known = true}}) {
        const Detection found = detect(subject, GetParam());
        EXPECT_TRUE(std::isfinite(found.value)) << height << "x" << width << " of " << value;
        for (const ArtifactBox& box : found.boxes) {
          EXPECT_GE(box.x, 0);
          EXPECT_LE(box.x + box.width, width);
          EXPECT_LE(box.y + box.height, height);
        }
      }
    }
}

TEST_P(EveryDetector, GivesTheSameAloneAndWithTheOthers) {
  const Image reference = scene(128, 160, 3), input = test::reduced(reference, 2);
  const Image output =
      (reference + 0.6 * (reference - test::low_passed(reference, 2)) + test::grey_noise(reference, 5, 4))
          .clamp(0, 1);
  const Subject subject{
      .output = &output, .reference = &reference, .input = &input, .boundaries = {{true, 80, 0}}};
  std::vector<const Detector*> all;
  for (const Detector& detector : detectors()) all.push_back(&detector);
  const std::vector<Detection> together = detect(subject, all);
  const auto place =
      static_cast<std::size_t>(std::ranges::find(all, GetParam().name, &Detector::name) - all.begin());
  EXPECT_EQ(together.at(place).value, detect(subject, GetParam()).value);
}

TEST_P(EveryDetector, IsSkippedWithAReasonWhereItDoesNotApply) {
  const Image output = scene(128, 160, 5);
  const Detection found = detect({.output = &output}, GetParam());
  EXPECT_EQ(found.missing.empty(), GetParam().needs.empty()) << found.missing;
  EXPECT_EQ(score_of(found).flag, GetParam().needs.empty() ? ScoreFlag::ok : ScoreFlag::skipped);
}

TEST(Detectors, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const Detector& detector : detectors()) names.insert(detector.name);
  EXPECT_EQ(names.size(), detectors().size());
  EXPECT_EQ(find_detector("seams"), nullptr);
}

TEST(Detectors, RefuseWhatIsNoPicture) {
  const Image grey = at::zeros({1, 20, 20}), picture = scene(64, 64, 6);
  EXPECT_THROW(detect({.output = &grey}, *find_detector("seam")), std::invalid_argument);
  EXPECT_THROW(detect({.output = &picture, .reference = &grey}, *find_detector("seam")),
               std::invalid_argument);
  EXPECT_THROW(detect({}, *find_detector("seam")), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
