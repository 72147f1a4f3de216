#include "reports/artifact_rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/render/markdown.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using ::testing::HasSubstr;
using Decision = RunData::Decision;

constexpr char kCalibration[] = R"({"version": "7", "detectors": {
  "seam": {"status": "calibrated", "sensitivity": {"k": 95, "n": 100}, "specificity": {"k": 300, "n": 300}},
  "halo": {"status": "experimental"}},
  "union": {"sensitivity": {"k": 90, "n": 100}, "specificity": {"k": 298, "n": 300}}})";

// Cells tiled and whole on 20 pictures: the tiled one has a seam in every fourth; both have halos, which are
// experimental.
RunData seams() {
  RunData data = test::scored_run("upscale.tile", {"64", "none"}, 20, {"seam", "halo"},
                                  [](std::size_t, std::size_t, std::size_t) { return 1.0; });
  for (std::size_t t = 0; t < data.trials.size(); ++t) {
    const bool seam = data.trials[t].cell == 0 && data.trials[t].image % 4 == 0;
    data.set_decision(t, 0, seam ? Decision::flagged : Decision::clean);
    data.set_decision(t, 1, Decision::flagged);
  }
  data.calibrated_by = {{"seam", "7"}, {"halo", "7"}};
  data.calibrations = {{"7", kCalibration}};
  data.gating = {"seam"};
  return data;
}

TEST(ArtifactRates, CountPicturesAndSayWhatIsKnown) {
  const RunData data = seams();
  const std::vector<ArtifactRate> rates = artifact_rates(analyse(data));
  ASSERT_EQ(rates.size(), 6u);
  const ArtifactRate& tiled = rates[0];
  EXPECT_EQ(tiled.artifact, kAnyArtifact);
  EXPECT_EQ(tiled.flagged, 5u);
  EXPECT_EQ(tiled.pictures, 20u);
  EXPECT_TRUE(tiled.gates);
  EXPECT_NEAR(tiled.interval.low, 0.112, 1e-3);  // Wilson of 5 of 20
  EXPECT_NEAR(tiled.interval.high, 0.469, 1e-3);
  // Of the union: (0.25 + 298/300 - 1) / (0.9 + 298/300 - 1).
  ASSERT_TRUE(tiled.corrected);
  EXPECT_NEAR(*tiled.corrected, (0.25 - 2.0 / 300) / (0.9 - 2.0 / 300), 1e-12);
  EXPECT_LT(tiled.corrected_interval.low, *tiled.corrected);
  const ArtifactRate& whole = rates[3];
  EXPECT_EQ(whole.flagged, 0u);
  EXPECT_NEAR(whole.at_most, 0.139, 1e-3);
  const ArtifactRate& halo = rates[5];
  EXPECT_EQ(halo.artifact, "halo");
  EXPECT_FALSE(halo.gates);
  EXPECT_FALSE(halo.corrected) << "no sensitivity is known";
}

TEST(ArtifactRates, ASeedWithoutADecisionTakesItsPictureOut) {
  RunData data = seams();
  data.set_decision(0, 0, Decision::none);
  EXPECT_EQ(artifact_rates(analyse(data))[0].pictures, 19u);
}

TEST(ArtifactRates, TheUnionIsCorrectedOnlyWhereAllOfItsDetectorsRan) {
  RunData data = seams();
  std::string two = kCalibration;
  two.replace(two.find("experimental"), std::string("experimental").size(), "calibrated");
  data.calibrations["7"] = two;
  EXPECT_FALSE(artifact_rates(analyse(data))[0].corrected);
}

TEST(ArtifactRates, CellsAreComparedOnTheSamePictures) {
  const RunData data = seams();
  const Table table = artifact_pairs_table(analyse(data));
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].cells[4].value, 5);
  EXPECT_EQ(table.rows[0].cells[5].value, 0);
  EXPECT_NEAR(*table.rows[0].cells[6].value, 2 * std::pow(0.5, 5), 1e-12);  // McNemar, 5 against 0
}

TEST(ArtifactRates, TheHeadlineNamesFewestAndMostAndWhatDoesNotCount) {
  const RunData data = seams();
  const Analysis analysis = analyse(data);
  ASSERT_EQ(artifact_findings(analysis).size(), 1u);
  EXPECT_EQ(
      artifact_findings(analysis)[0].text,
      "Artifacts: fewest with none on 0 of 20 pictures (at most 13.9 %), most with 64 on 5 of 20 pictures "
      "(25 % [11.2 %, 46.9 %]); that may be chance (p = 0.062).");
  ASSERT_EQ(artifact_warnings(analysis).size(), 1u);
  EXPECT_THAT(artifact_warnings(analysis)[0].text, HasSubstr("not counted in any artifact: halo"));
}

TEST(ArtifactRates, ARunWithoutDetectorsHasNone) {
  const RunData data = test::sample_run();
  const Analysis analysis = analyse(data);
  EXPECT_TRUE(artifact_rates(analysis).empty());
  EXPECT_TRUE(artifact_rates_table(analysis).rows.empty());
  EXPECT_TRUE(artifact_pairs_table(analysis).rows.empty());
  EXPECT_TRUE(artifact_findings(analysis).empty());
  EXPECT_TRUE(artifact_warnings(analysis).empty());
}

}  // namespace
}  // namespace upbench
