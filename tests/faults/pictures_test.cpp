#include "tests/faults/pictures.h"

#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/datasets/picture_files.h"
#include "tests/faults/left_behind.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

// The tables of pictures: one run over all files of a table, then line by line what became of each.
namespace upbench::test {
namespace {

using testing::Each;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t kModels = 2;

// A run of every picture of a table, beside two that are sound.
class Swept {
 public:
  explicit Swept(const FaultTable& table, const std::vector<std::string>& command = {"run", "spec.yaml"}) {
    for (const Fault& fault : table.faults) fault.make(folder_.path());
    for (const int number : {1, 2}) {
      const std::string file = fmt::format("sound{}.png", number);
      write_png(folder_ / kPictureFolder / file,
                random_raster(24, 20, 3, 8, 100 + static_cast<unsigned>(number)));
    }
    write_picture_spec(folder_.path(), "[nearest, lanczos]");
    const auto before = files_below(folder_.path());
    outcome_ = run(command);
    expect_only_results_added(folder_.path(), before);
    const std::string csv = run({"report", "pictures.db", "--csv", "-"}).out;
    for (CsvRow& row : parse_csv(csv)) trials_[row.at("picture")].push_back(std::move(row));
  }

  ProgramResult run(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  const ProgramResult& outcome() const { return outcome_; }
  // By picture.
  const std::map<std::string, std::vector<CsvRow>>& trials() const { return trials_; }
  std::vector<std::string> column(const std::string& picture, const std::string& name) const {
    std::vector<std::string> values;
    if (!trials_.contains(picture)) return values;
    for (const CsvRow& row : trials_.at(picture)) values.push_back(row.at(name));
    return values;
  }
  void expect_scored(const std::string& picture) const {
    EXPECT_EQ(column(picture, "status"), std::vector<std::string>(kModels, "ok")) << picture;
    for (const std::string& score : column(picture, "psnr-y")) EXPECT_GT(std::stod(score), 3) << picture;
  }
  void expect_failed(const Fault& fault) const {
    EXPECT_EQ(fault.exit_code, 3);
    EXPECT_EQ(column(fault.name, "status"), std::vector<std::string>(kModels, "failed"));
    EXPECT_THAT(column(fault.name, "reason"), Each(HasSubstr(fault.message)));
    EXPECT_THAT(column(fault.name, "reason"),
                Each(HasSubstr(fmt::format("{}/{}.", kPictureFolder, fault.name))));
  }
  // By picture, a line each.
  std::map<std::string, std::string> notes() {
    std::map<std::string, std::string> by_picture;
    const auto report = nlohmann::json::parse(run({"report", "pictures.db", "--json", "-"}).out);
    for (const auto& row : report.at("tables").at("notes"))
      by_picture[row.at("picture").get<std::string>()] += row.at("note").get<std::string>() + "\n";
    return by_picture;
  }

 private:
  TemporaryFolder folder_;
  ProgramResult outcome_;
  std::map<std::string, std::vector<CsvRow>> trials_;
};

TEST(PictureFaults, EachFailsWithItsReasonAndTheOthersAreScored) {
  const FaultTable table = refused_pictures();
  Swept swept(table);
  EXPECT_EQ(swept.outcome().exit_code, 3) << swept.outcome().err;
  const std::size_t failed = kModels * table.faults.size();
  EXPECT_THAT(swept.outcome().out,
              HasSubstr(fmt::format("{} trials: {} ok, {} failed, 0 skipped", failed + 4, 4, failed)));
  EXPECT_EQ(swept.trials().size(), table.faults.size() + 2);
  swept.expect_scored("sound1");
  swept.expect_scored("sound2");
  for (const Fault& fault : table.faults) {
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    swept.expect_failed(fault);
  }
}

TEST(PictureFaults, WhatIsReadByARuleIsScoredAndTheReportSaysSo) {
  const FaultTable table = noted_pictures();
  Swept swept(table);
  EXPECT_EQ(swept.outcome().exit_code, 0) << swept.outcome().err;
  std::map<std::string, std::string> notes = swept.notes();
  for (const Fault& fault : table.faults) {
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    EXPECT_EQ(fault.exit_code, 0);
    swept.expect_scored(fault.name);
    if (fault.message == kNoRemark)
      EXPECT_THAT(notes[fault.name], IsEmpty());
    else
      EXPECT_THAT(notes[fault.name], HasSubstr(fault.message));
  }
}

// Row 9.
TEST(PictureFaults, ALenientRunReadsADamagedScanAndFlagsIt) {
  const FaultTable table = lenient_pictures();
  ASSERT_EQ(table.faults.size(), 4U);
  Swept swept(table, table.faults[0].command);
  EXPECT_EQ(swept.outcome().exit_code, 3) << swept.outcome().err;
  EXPECT_THAT(swept.outcome().out, HasSubstr("12 trials: 6 ok, 6 failed, 0 skipped"));
  std::map<std::string, std::string> notes = swept.notes();
  for (const Fault& fault : table.faults) {
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    if (fault.exit_code == 3) {
      swept.expect_failed(fault);
      continue;
    }
    swept.expect_scored(fault.name);
    EXPECT_THAT(swept.column(fault.name, "flags"), Each(HasSubstr("input_corrupt")));
    EXPECT_THAT(notes[fault.name], HasSubstr(fault.message));
  }
  EXPECT_THAT(swept.column("sound1", "flags"), Each(IsEmpty()));
  EXPECT_THAT(swept.run({"run", "spec.yaml"}).out, HasSubstr("12 trials: 4 ok, 8 failed, 0 skipped"))
      << "what the lenient run made is not found by a strict one";
}

}  // namespace
}  // namespace upbench::test
