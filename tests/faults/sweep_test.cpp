#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/fault.h"
#include "tests/faults/left_behind.h"
#include "tests/support/assets.h"
#include "tests/support/csv.h"
#include "tests/support/program.h"

// Bad weights in a sweep: refused before any work, and what the store holds stays as it is.
namespace upbench::test {
namespace {

using testing::HasSubstr;

constexpr char kSpec[] = R"(name: sweep
images:
  procedural: {count: 2, size: 32, seed: 5}
  lr: {scale: 2, kernel: matlab-bicubic}
pipeline:
  - upscale: {model: MODELS}
metrics: [psnr-y]
timing: none
)";

class Sweep : public testing::Test {
 protected:
  ProgramResult run(const std::string& models) {
    std::string spec = kSpec;
    spec.replace(spec.find("MODELS"), std::string("MODELS").size(), models);
    write_text((folder_ / "spec.yaml").string(), spec);
    return upbench({"run", "spec.yaml", "--keep-outputs", "none"});
  }
  void SetUp() override { std::filesystem::create_directory(temporary_); }
  ProgramResult upbench(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {"TMPDIR=" + temporary_.string()}, folder_.path().string());
  }
  std::string scores() { return without_costs(upbench({"report", "sweep.db", "--csv", "-"}).out); }

  TemporaryFolder folder_;
  const std::filesystem::path temporary_ = folder_ / "tmp";
};

std::vector<Fault> faults_of_weights() {
  std::vector<Fault> faults = weight_faults().faults;
  std::ranges::copy(network_faults().faults, std::back_inserter(faults));
  return faults;
}

// The fault's file as a spec names it, with its --param-key.
std::string model_of(const Fault& fault) {
  const auto is_file = [](const std::string& argument) { return argument.starts_with("w."); };
  std::string model = *std::find_if(fault.command.begin(), fault.command.end(), is_file);
  const auto option = std::find(fault.command.begin(), fault.command.end(), "--param-key");
  return option == fault.command.end() ? model : model + "@" + *std::next(option);
}

// What `inspect` reads, and says what it is, is still no network.
std::string refusal_of(const Fault& fault) {
  return fault.exit_code == 2 ? fault.message : "unknown architecture";
}

// Rows from the first to the last.
class BadWeights : public Sweep, public testing::WithParamInterface<std::pair<int, int>> {};

TEST_P(BadWeights, AreRefusedBeforeAnyWorkAndNothingIsLost) {
  ASSERT_EQ(run("[lanczos]").exit_code, 0);
  const std::string store = (folder_ / "sweep.db").string(), before = read_text(store);
  std::size_t tried = 0;
  for (const Fault& fault : faults_of_weights()) {
    if (fault.row < GetParam().first || fault.row > GetParam().second) continue;
    SCOPED_TRACE(test_name(fault) + ": " + fault.input);
    fault.make(folder_.path());
    const std::set<std::string> files = files_below(folder_.path());
    const ProgramResult refused = run("[lanczos, nearest, " + model_of(fault) + "]");
    EXPECT_EQ(refused.exit_code, 2) << refused.out;
    EXPECT_THAT(refused.err, HasSubstr(model_of(fault).substr(0, model_of(fault).find('@'))));
    EXPECT_THAT(refused.err, HasSubstr(refusal_of(fault)));
    EXPECT_EQ(files_below(folder_.path()), files);
    EXPECT_TRUE(read_text(store) == before) << "the store changed";
    ++tried;
  }
  EXPECT_GT(tried, 5u);

  const ProgramResult good = run("[lanczos, nearest]");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(
      good.out,
      HasSubstr("4 trials: 4 ok, 0 failed, 0 skipped; 4 run now (2 of them from outputs in the store)"));
}

INSTANTIATE_TEST_SUITE_P(Rows, BadWeights,
                         testing::Values(std::pair(41, 50), std::pair(51, 58), std::pair(59, 62),
                                         std::pair(63, 66), std::pair(67, 67), std::pair(68, 76),
                                         std::pair(77, 78)),
                         [](const auto& rows) {
                           return std::to_string(rows.param.first) + "to" + std::to_string(rows.param.second);
                         });

// Row 75: a store must not hold scores of two networks under one name as if they were one.
TEST_F(Sweep, WeightsThatChangedSinceAreScoredAnew) {
  const Fault listed = changed_weights_of("Sweep.WeightsThatChangedSinceAreScoredAnew");
  const std::string file = (folder_ / "net.safetensors").string();
  std::string bytes = read_text(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors");
  write_text(file, bytes);
  EXPECT_THAT(run("[net.safetensors]").out, HasSubstr("2 trials: 2 ok, 0 failed, 0 skipped; 2 run now"));
  EXPECT_THAT(run("[net.safetensors]").out, HasSubstr("0 run now"));
  const std::string before = scores();
  bytes.back() ^= 1;  // the sign or the exponent's lowest bits of one weight
  write_text(file, bytes);
  const ProgramResult again = run("[net.safetensors]");
  EXPECT_EQ(again.exit_code, listed.exit_code) << again.err;
  EXPECT_THAT(again.out, HasSubstr(listed.message));
  EXPECT_NE(scores(), before);
}

}  // namespace
}  // namespace upbench::test
