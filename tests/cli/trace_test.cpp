#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/diffusion/tiny_diffusion.h"
#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TraceCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    write_ldm_checkpoint(folder_ / "tiny.safetensors", 1);
    at::manual_seed(1);
    write_safetensors(folder_ / "in.safetensors", {{"init_latents", at::randn({1, 4, 4, 6})},
                                                   {"noise", at::randn({1, 4, 4, 6})},
                                                   {"context", at::randn({2, 77, 32})}});
  }
  ProgramResult trace(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"trace", "--inputs", "in.safetensors", "-o", "out.safetensors"});
    return run_upbench(arguments, {}, folder_.path().string());
  }

  TemporaryFolder folder_;
};

TEST_F(TraceCommand, WritesEveryStepOfARun) {
  const ProgramResult made =
      trace({"--checkpoint", "tiny.safetensors", "--steps", "4", "--denoise", "0.5", "--device", "cpu"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const NamedTensors out = read_checkpoint(folder_ / "out.safetensors").tensors;
  EXPECT_EQ(out.at("latents").sizes().vec(), (std::vector<std::int64_t>{4, 4, 4, 6}))
      << "3 steps, and the start";
  EXPECT_EQ(out.at("sigmas").numel(), 4);
  EXPECT_EQ(out.at("timesteps").numel(), 3);
  EXPECT_EQ(out.at("decoded").sizes().vec(), (std::vector<std::int64_t>{1, 3, 8, 12}));
}

TEST_F(TraceCommand, MistakesAreRefused) {
  const auto error = [&](std::vector<std::string> arguments) {
    const ProgramResult made = trace(std::move(arguments));
    EXPECT_EQ(made.exit_code, 2);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.safetensors"));
    return made.err;
  };
  EXPECT_THAT(error({}), HasSubstr("no model: expected --checkpoint"));
  EXPECT_THAT(error({"--checkpoint", "none.safetensors"}), HasSubstr("none.safetensors"));
  const auto whole = [&](const std::string& option, const std::string& value) {
    return error({"--checkpoint", "tiny.safetensors", option, value});
  };
  EXPECT_THAT(whole("--part", "nose"), AllOf(HasSubstr("unknown part 'nose'"), HasSubstr("vae-encode")));
  EXPECT_THAT(whole("--part", "unet"), HasSubstr("input 'init_latents' is not used here"));
  EXPECT_THAT(whole("--sampler", "eular"), HasSubstr("euler"));
  EXPECT_THAT(whole("--denoise", "1.5"), HasSubstr("1.5"));
  EXPECT_THAT(whole("--steps", "0"), HasSubstr("0"));
  EXPECT_THAT(whole("--sampler", "euler-a"), HasSubstr("step_noise has 0 draws"));
  EXPECT_THAT(whole("--unet", "in.safetensors"), HasSubstr("no UNet in it"));
}

}  // namespace
}  // namespace upbench::test
