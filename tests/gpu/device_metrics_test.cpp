// Which metrics compute on the device: docs/gpu.md, "Metrics on the host", names the others.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

bool computes_there(const Metric& metric) {
  std::string reason;
  return metric.signals || metric.make(reason).on_device();
}

TEST(DeviceMetrics, AreAllButThese) {
  UPBENCH_NEEDS_ASSETS();  // LPIPS's weights
  const test::ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  std::vector<std::string> there, here;
  for (const Metric& metric : metrics()) (computes_there(metric) ? there : here).push_back(metric.name);
  EXPECT_THAT(there, testing::ElementsAre("mse", "psnr-rgb", "psnr-y", "ssim-rgb", "ssim-y", "lpips-alex",
                                          "lpips-squeeze"));
  EXPECT_THAT(here, testing::ElementsAre("lr-psnr-x2", "lr-psnr-x3", "lr-psnr-x4", "erqa", "ciede2000",
                                         "shift", "cambi", "seam", "halo", "ringing", "hallucination",
                                         "drift", "colour-shift", "texture-loss", "noise-residue", "banding",
                                         "blocking", "broken", "text-damage"));
}

}  // namespace
}  // namespace upbench
