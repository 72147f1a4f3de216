#include <string>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "datasets/image.h"
#include "gpu.h"
#include "harness/device_runtime.h"
#include "metrics/catalog.h"
#include "metrics/device_similarity.h"
#include "models/catalog.h"
#include "models/upscale.h"
#include "tests/metrics/pictures.h"

namespace upbench {
namespace {

double psnr(const Image& a, const Image& b) {
  return 10 * std::log10(1 / (a.cpu() - b.cpu()).square().mean().item<double>());
}

UpscalerPtr embedded_network() {
  return load_upscaler({.parts = {{"compact-x2", 1.0}}, .label = "compact-x2"}, {});
}

class CudaNetwork : public testing::Test {
 protected:
  void SetUp() override {
    UPBENCH_NEEDS_GPU();
    apply({});  // no TF32
  }
  const Image picture_ = test::textured(93, 110, 21);
};

// The same network in the same precision: convolutions sum in another order.
TEST_F(CudaNetwork, Fp32IsTheCpus) {
  const UpscalerPtr network = embedded_network();
  const Image here = upscale(*network, picture_, {}).image;
  const Image there = upscale(*network->to("cuda:0", Precision::fp32), picture_.to("cuda:0"), {}).image;
  EXPECT_LT((here - there.cpu()).abs().max().item<float>(), 1e-4F);
}

TEST_F(CudaNetwork, TiledIsTheCpusTiled) {
  const UpscalerPtr network = embedded_network();
  const UpscaleOptions options{.tile = {.tile = 32, .overlap = 8, .mode = TileMode::half_sine}};
  const Image here = upscale(*network, picture_, options).image;
  const Image there = upscale(*network->to("cuda:0", Precision::fp32), picture_.to("cuda:0"), options).image;
  EXPECT_LT((here - there.cpu()).abs().max().item<float>(), 1e-4F);
}

// Half precision keeps 8 (bf16) or 11 (fp16) bits of each activation: what 8 bit pictures can show is kept.
TEST_F(CudaNetwork, HalfPrecisionStaysClose) {
  const UpscalerPtr network = embedded_network();
  const Image here = upscale(*network, picture_, {}).image;
  const auto in = [&](Precision precision) {
    return upscale(*network->to("cuda:0", precision), picture_.to("cuda:0"), {}).image;
  };
  EXPECT_GT(psnr(here, in(Precision::fp16)), 55);
  EXPECT_GT(psnr(here, in(Precision::bf16)), 38);
}

TEST_F(CudaNetwork, GraphsGiveTheBitsOfEagerRuns) {
  const UpscalerPtr network = embedded_network()->to("cuda:0", Precision::fp16);
  const at::NoGradGuard no_gradients;
  GraphPool pool("cuda:0", 4);
  for (int round = 0; round < 3; ++round) {
    const at::Tensor batch = at::rand({2, 3, 64, 64}, at::TensorOptions(at::Device("cuda:0")));
    const at::Tensor eager = network->forward(batch, 2);
    EXPECT_TRUE(at::equal(pool.run(
                              "compact-x2 fp16", batch,
                              [&](const at::Tensor& input) { return network->forward(input, 2); }, network),
                          eager));
  }
}

// Row 80 of the fault list: the tile is named, found on the device.
TEST_F(CudaNetwork, ATileThatIsNotFiniteIsNamed) {
  const UpscalerPtr network = embedded_network()->to("cuda:0", Precision::fp32);
  Image broken = picture_.to("cuda:0").clone();
  broken[1][70][80] = std::numeric_limits<float>::quiet_NaN();
  try {
    upscale(*network, broken, {.tile = {.tile = 32, .mode = TileMode::core_context}});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("is not finite"), std::string::npos) << error.what();
  }
}

TEST_F(CudaNetwork, ScoresOnTheDeviceAreTheScoresOnTheCpu) {
  const Image output = test::noisy(picture_, 12, 5);
  const auto there = device_similarity(output.to("cuda:0"), picture_.to("cuda:0"), kRgbSignals);
  const auto here = device_similarity(output, picture_, kRgbSignals);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(there[i].ssim, here[i].ssim, 4e-6);  // float32 before a cancellation, as on the CPU
    EXPECT_NEAR(there[i].mean_squared_error, here[i].mean_squared_error, 1e-9 * here[i].mean_squared_error);
  }
}

TEST_F(CudaNetwork, QuantisesAsTheCpuDoes) {
  const Image image = test::textured(50, 60, 3).mul(1.3).sub(0.1);
  EXPECT_TRUE(at::equal(quantized(image.to("cuda:0")).cpu(), quantized(image)));
}

}  // namespace
}  // namespace upbench
