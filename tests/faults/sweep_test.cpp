#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/fault.h"
#include "tests/models/checkpoint/torch_bytes.h"
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
  ProgramResult upbench(const std::vector<std::string>& arguments) {
    return run_upbench(arguments, {}, folder_.path().string());
  }
  std::string scores() { return without_costs(upbench({"report", "sweep.db", "--csv", "-"}).out); }

  TemporaryFolder folder_;
};

// One of each way to be bad.
const std::set<std::string> kRepresentatives = {"OsSystem", "TrailingBytes", "Deflate", "StrideOfZero",
                                                "Gguf"};

class BadWeights : public Sweep, public testing::WithParamInterface<Fault> {};

TEST_P(BadWeights, AreRefusedBeforeAnyWorkAndNothingIsLost) {
  const Fault& fault = GetParam();
  fault.make(folder_.path());
  ASSERT_EQ(run("[lanczos]").exit_code, 0);
  const std::string before = scores();

  const ProgramResult refused = run("[lanczos, nearest, " + fault.command.at(1) + "]");
  EXPECT_EQ(refused.exit_code, 2) << refused.out;
  EXPECT_THAT(refused.err, HasSubstr(fault.command.at(1)));
  EXPECT_THAT(refused.err, HasSubstr(fault.message));
  EXPECT_EQ(scores(), before);

  const ProgramResult good = run("[lanczos, nearest]");
  EXPECT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, HasSubstr("4 trials: 4 ok, 0 failed, 0 skipped"));
}

std::vector<Fault> representatives() {
  std::vector<Fault> chosen;
  for (Fault& fault : weight_faults().faults)
    if (kRepresentatives.contains(fault.name)) chosen.push_back(std::move(fault));
  return chosen;
}

INSTANTIATE_TEST_SUITE_P(Faults, BadWeights, testing::ValuesIn(representatives()),
                         [](const auto& test) { return test_name(test.param); });

// Row 75: a store must not hold scores of two networks under one name as if they were one.
TEST_F(Sweep, WeightsThatChangedSinceAreScoredAnew) {
  const std::string file = (folder_ / "net.safetensors").string();
  std::string bytes = read_text(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors");
  write_text(file, bytes);
  EXPECT_THAT(run("[net.safetensors]").out, HasSubstr("2 trials: 2 ok, 0 failed, 0 skipped; 2 run now"));
  EXPECT_THAT(run("[net.safetensors]").out, HasSubstr("0 run now"));
  const std::string before = scores();
  bytes.back() ^= 1;  // the sign or the exponent's lowest bits of one weight
  write_text(file, bytes);
  EXPECT_THAT(run("[net.safetensors]").out, HasSubstr("2 run now"));
  EXPECT_NE(scores(), before);
}

}  // namespace
}  // namespace upbench::test
