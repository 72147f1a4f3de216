#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "datasets/resample.h"
#include "metrics/artifacts/calibration.h"
#include "metrics/artifacts/catalog.h"
#include "models/catalog.h"
#include "models/upscale.h"
#include "reports/statistics/roc.h"
#include "tests/support/assets.h"

// What artifact detectors say of real networks on real pictures.
namespace upbench {
namespace {

Image read(const char* file) {
  return to_image(decode_file(test::assets() / "images" / file));
}

Image cut(const Image& image, int x, int y, int width, int height) {
  return image.slice(1, y, y + height).slice(2, x, x + width).contiguous();
}

UpscalerPtr network(const char* file) {
  return load_upscaler_file(test::assets() / "weights" / "upscalers" / file);
}

Image enlarged(const UpscalerPtr& upscaler, const Image& input) {
  return quantized(upscale(*upscaler, input, {}).image);
}

double value_of(const char* detector, const Subject& subject) {
  return detect(subject, *find_detector(detector)).value;
}

constexpr char kFidelity[] = "rrdb/RRDB_PSNR_x4.fp16.safetensors";

TEST(ArtifactFindings, GanNetworksInventMoreThanRrdbPsnr) {
  UPBENCH_NEEDS_ASSETS();
  const Image input = cut(read("Set5/LR_bicubic/X4/butterflyx4.png"), 8, 8, 40, 40);
  const Image reference = cut(read("Set5/HR/butterfly.png"), 32, 32, 160, 160);
  const Image faithful = enlarged(network(kFidelity), input);
  const double least = value_of("hallucination", {.output = &faithful, .reference = &reference});
  for (const char* file : {"rrdb/RealESRGAN_x4plus_anime_6B.pth", "srvgg/realesr-general-x4v3.safetensors"}) {
    const Image output = enlarged(network(file), input);
    EXPECT_GT(value_of("hallucination", {.output = &output, .reference = &reference}), 2 * least) << file;
    // The same without the truth.
    EXPECT_GT(value_of("hallucination", {.output = &output, .fidelity = &faithful}), 2 * least) << file;
    EXPECT_GT(value_of("halo", {.output = &output, .reference = &reference}), 20) << file;
  }
  EXPECT_LT(value_of("halo", {.output = &faithful, .reference = &reference}), 10);
}

// The second, differently made defect: what real GAN networks invent, on pictures of two sets, against what a
// network trained on squared error makes of the same inputs.
TEST(ArtifactFindings, GanNetworksAreToldFromAFidelityNetwork) {
  UPBENCH_NEEDS_ASSETS();
  const UpscalerPtr faithful = network(kFidelity);
  const std::vector<UpscalerPtr> gans = {network("rrdb/RealESRGAN_x4plus_anime_6B.pth"),
                                         network("srvgg/realesr-general-x4v3.safetensors")};
  std::vector<double> clean, invented;
  for (const char* name : {"Set5/HR/baby.png", "Set5/HR/bird.png", "Set5/HR/head.png", "Set14/HR/comic.png",
                           "Set14/HR/zebra.png", "Set14/HR/baboon.png"}) {
    const Image reference = cut(read(name), 64, 64, 128, 128);
    const Image input = quantized(resample(reference, 32, 32, "matlab-bicubic"));
    const auto value = [&](const UpscalerPtr& upscaler) {
      const Image output = enlarged(upscaler, input);
      return value_of("hallucination", {.output = &output, .reference = &reference});
    };
    clean.push_back(value(faithful));
    for (const UpscalerPtr& gan : gans) invented.push_back(value(gan));
  }
  EXPECT_GE(area_under_roc(invented, clean), 0.9);
}

TEST(ArtifactFindings, EsrgansOwnBaboonHasMoreThanRrdbPsnr) {
  UPBENCH_NEEDS_ASSETS();
  // The part's own network sees nothing beyond it: what lies near the border is left out.
  const Image input = cut(read("esrgan/LR/baboon.png"), 30, 20, 48, 48);
  const auto inner = [](const Image& output) { return cut(output, 32, 32, 128, 128); };
  const Image faithful = inner(enlarged(network(kFidelity), input));
  const Image esrgan = cut(read("esrgan/results/baboon_ESRGAN.png"), 120 + 32, 80 + 32, 128, 128);
  EXPECT_GT(value_of("hallucination", {.output = &esrgan, .fidelity = &faithful}), 6);
}

// RRDB in tiles that see too little around them.
TEST(ArtifactFindings, RrdbWithLittleContextShowsItsTiles) {
  UPBENCH_NEEDS_ASSETS();
  const UpscalerPtr rrdb = network(kFidelity);
  const Image input = cut(read("Set5/LR_bicubic/X4/birdx4.png"), 12, 10, 40, 40);
  const auto seam = [&](const TileSettings& tile) {
    const UpscaleResult result = upscale(*rrdb, input, {.tile = tile});
    const Image output = quantized(result.image);
    Subject subject{.output = &output, .input = &input, .boundaries_known = true};
    // Judged where the tiles meet, whether or not there are any.
    subject.boundaries = {{true, 80, 0}, {false, 80, 0}};
    return value_of("seam", subject);
  };
  const double whole = seam({});
  const double enough = seam({.tile = 20, .context = 64});
  EXPECT_NEAR(enough, whole, 0.02);  // the same picture but for rounding
  EXPECT_GT(seam({.tile = 20, .context = 0}), enough + 0.5);
}

// The tile before it, as an index error pastes it, or black.
TEST(ArtifactFindings, InjectedBlackAndStaleTilesAreAllCaught) {
  UPBENCH_NEEDS_ASSETS();
  const double threshold = embedded_calibrations().with_input.thresholds.find("broken")->second.value;
  for (const char* file :
       {"Set5/HR/butterfly.png", "Set5/HR/bird.png", "Set14/HR/comic.png", "Set14/HR/ppt3.png"}) {
    const Image whole = read(file);
    const Image reference = cut(whole, 0, 0, static_cast<int>(whole.size(2)) / 64 * 64,
                                static_cast<int>(whole.size(1)) / 64 * 64);
    const auto width = static_cast<int>(reference.size(2)), height = static_cast<int>(reference.size(1));
    const Image input = quantized(at::avg_pool2d(reference.unsqueeze(0), 2).squeeze(0));
    int tiles = 0;
    for (int y = 0; y < height; y += 64)
      for (int x = 64; x < width; x += 64) {
        const Image truth = reference.slice(1, y, y + 64).slice(2, x, x + 64);
        const Image before = reference.slice(1, y, y + 64).slice(2, x - 64, x);
        if ((truth - before).abs().mean().item<double>() * 255 < 20) continue;  // flat: nothing to see
        ++tiles;
        for (const Image& pasted : {at::zeros_like(before), before}) {
          Image output = reference.clone();
          output.slice(1, y, y + 64).slice(2, x, x + 64).copy_(pasted);
          EXPECT_GT(value_of("broken", {.output = &output, .input = &input}), threshold)
              << file << " at " << x << ", " << y << (pasted.is_same(before) ? ", stale" : ", black");
        }
      }
    EXPECT_GT(tiles, 3) << file;
    EXPECT_EQ(value_of("broken", {.output = &reference, .input = &input}), 0) << file;
  }
}

}  // namespace
}  // namespace upbench
