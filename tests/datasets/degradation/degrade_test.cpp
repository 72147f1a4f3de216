#include "datasets/degrade.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "datasets/degradation/steps.h"
#include "datasets/image.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"
#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

Image picture(const std::string& cls, int size = 96, std::uint64_t index = 0) {
  return to_image(render_procedural({.cls = cls, .size = size, .index = index}));
}

double psnr(const Image& a, const Image& b) {
  return -10 * std::log10((a - b).to(at::kDouble).square().mean().item<double>());
}

// Small tensors, and CTest runs several programs at once: more threads would wait for each other.
class OneThread : public ::testing::Environment {
  void SetUp() override { at::set_num_threads(1); }
};
const ::testing::Environment* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

const Digest kContent = sha256("a picture");

TEST(Degrade, NothingAskedIsThePictureAsItWouldBeSaved) {
  const Image image = picture("text") * 0.987;
  EXPECT_TRUE(at::equal(degrade(image, {}, 1, kContent), quantized(image)));
  EXPECT_EQ(describe_degradation({}, 1, kContent), "nothing");
}

TEST(Degrade, StepsRunInTheirOrderAndEndInWholeLevels) {
  const DegradeSettings settings{.scale = 2,
                                 .kernel = "area",
                                 .blur = BlurSettings{.sigma = 1.2},
                                 .noise = NoiseSettings{.gaussian = 5, .poisson = 0.5},
                                 .jpeg = 60,
                                 .webp = 70};
  EXPECT_EQ(
      describe_degradation(settings, 1, kContent),
      "blur gaussian 1.2 size 21; resize to the result area; poisson noise 0.5; gaussian noise 5; jpeg 60; "
      "webp 70");
  const Image image = picture("dead-leaves", 97), made = degrade(image, settings, 1, kContent);
  EXPECT_EQ(made.sizes(), at::IntArrayRef({3, 49, 49}));
  EXPECT_TRUE(at::equal(made, quantized(made)));
}

TEST(Degrade, ShrinkingAloneIsTheLowResolutionOfDataSets) {
  const Image image = picture("natural-field");
  const DegradeSettings settings{.scale = 4};
  EXPECT_TRUE(at::equal(degrade(image, settings, 1, kContent),
                        quantized(resample(image, 24, 24, "matlab-bicubic", /*as_uint8=*/true))));
}

TEST(Degrade, DependsOnSeedAndContentAndNothingElse) {
  const DegradeSettings settings{.noise = NoiseSettings{.gaussian = 10}};
  const Image image = picture("smooth-shading");
  const Image made = degrade(image, settings, 1, kContent);
  degrade(picture("text"), settings, 1, sha256("another picture"));
  EXPECT_TRUE(at::equal(degrade(image, settings, 1, kContent), made));
  EXPECT_FALSE(at::equal(degrade(image, settings, 2, kContent), made));
  EXPECT_FALSE(at::equal(degrade(image, settings, 1, sha256("another picture")), made));
}

// A noise's pattern stays while other settings change: curves over one setting compare the same draws.
TEST(Degrade, ADrawDoesNotMoveWithOtherSettings) {
  const Image image = at::full({3, 40, 40}, 0.5F);
  DegradeSettings settings{.noise = NoiseSettings{.gaussian = 4}};
  const Image weak = degrade(image, settings, 1, kContent) - quantized(image);
  settings.noise->gaussian = 8;
  const Image strong = degrade(image, settings, 1, kContent) - quantized(image);
  // Both are rounded to levels.
  EXPECT_LT((strong - 2 * weak).abs().max().item<double>(), 1.51 / 255);
}

TEST(Degrade, RandomKernelIsOneOfThree) {
  std::map<std::string, int> drawn;
  for (std::uint64_t seed = 0; seed < 300; ++seed)
    ++drawn[describe_degradation({.scale = 2, .kernel = "random"}, seed, kContent)];
  ASSERT_EQ(drawn.size(), 3U);
  for (const auto& [text, count] : drawn) EXPECT_NEAR(count, 100, 40) << text;  // five standard deviations
}

TEST(Degrade, OnePixelAndUnevenPicturesPass) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 40}, {33, 17}}) {
    const Image image = to_image(random_raster(width, height));
    for (const double severity : {0.3, 1.0}) {
      const Image made = degrade(image, {.scale = 3, .real_esrgan = severity}, 1, kContent);
      EXPECT_EQ(made.size(1), std::max(1, (height + 1) / 3));
      EXPECT_TRUE(at::isfinite(made).all().item<bool>());
    }
  }
  EXPECT_THROW(degrade(at::zeros({4, 4}), {}, 1, kContent), std::invalid_argument);
  EXPECT_THROW(degrade(picture("text"), {.jpeg = 101}, 1, kContent), std::invalid_argument);
}

TEST(RealEsrgan, SeverityZeroOnlyResizes) {
  const Image image = picture("line-art");
  EXPECT_TRUE(at::equal(degrade(image, {.real_esrgan = 0}, 3, kContent), image));
  const auto steps = degrade_steps({.scale = 4, .real_esrgan = 0}, 3, kContent);
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_TRUE(at::equal(degrade(image, {.scale = 4, .real_esrgan = 0}, 3, kContent),
                        quantized(resample(image, 24, 24, std::get<ResizeStep>(steps[1]).kernel))));
}

struct Tally {
  std::map<std::string, int> counts;
  std::map<std::string, std::pair<double, double>> ranges;

  void note(const std::string& name, double value) {
    auto& [low, high] = ranges.try_emplace(name, value, value).first->second;
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

void tally(Tally& found, const std::vector<DegradeStep>& steps) {
  int blurs = 0, noises = 0, resizes = 0;
  for (const DegradeStep& step : steps) {
    if (const auto* blur = std::get_if<BlurStep>(&step)) {
      const std::string kind = to_string(blur->kernel.kind) + (blur->kernel.sigma2 == 0 ? "" : " aniso");
      if (resizes == 0) ++found.counts["first " + kind];
      if (resizes == 0 && blur->kernel.kind != BlurKind::sinc) found.note("first sigma", blur->kernel.sigma);
      if (blur->kernel.kind == BlurKind::generalised) found.note("generalised beta", blur->kernel.beta);
      if (blur->kernel.kind == BlurKind::plateau) found.note("plateau beta", blur->kernel.beta);
      found.note("size", blur->kernel.size);
      ++blurs;
    } else if (const auto* noise = std::get_if<NoiseStep>(&step)) {
      const std::string order = noises++ == 0 ? "first " : "second ";
      ++found.counts[order + "noise " + (noise->poisson ? "poisson" : "gaussian")];
      found.counts[order + "grey"] += noise->grey;
      found.note(order + (noise->poisson ? "poisson" : "gaussian"), noise->strength);
    } else if (const auto* resize = std::get_if<ResizeStep>(&step)) {
      const std::string order = ++resizes == 1 ? "first " : resizes == 2 ? "second " : "last ";
      ++found.counts[order + (resize->factor > 1 ? "up" : resize->factor < 1 ? "down" : "keep")];
      found.note(order + "factor", resize->factor);
    } else {
      found.note("quality", std::get<CompressStep>(step).quality);
    }
  }
  ++found.counts["blurs " + std::to_string(blurs)];
  found.counts["jpeg last"] += std::holds_alternative<CompressStep>(steps.back());
}

TEST(RealEsrgan, AtFullSeverityDrawsHaveTheProbabilitiesAndRangesOfTheTrainingOptions) {
  constexpr int kDraws = 6000;
  Tally found;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed)
    tally(found, degrade_steps({.scale = 4, .real_esrgan = 1}, seed, kContent));
  const std::map<std::string, double> probabilities{
      {"first sinc", 0.1},
      {"first gaussian", 0.9 * 0.45},
      {"first gaussian aniso", 0.9 * 0.25},
      {"first generalised", 0.9 * 0.12},
      {"first generalised aniso", 0.9 * 0.03},
      {"first plateau", 0.9 * 0.12},
      {"first plateau aniso", 0.9 * 0.03},
      {"first up", 0.2},
      {"first down", 0.7},
      {"first keep", 0.1},
      {"second up", 0.3},
      {"second down", 0.4},
      {"second keep", 0.3},
      {"first noise gaussian", 0.5},
      {"second noise gaussian", 0.5},
      {"first grey", 0.4},
      {"second grey", 0.4},
      {"blurs 3", 0.64},
      {"blurs 2", 0.32},
      {"blurs 1", 0.04},
      {"jpeg last", 0.5},
  };
  for (const auto& [name, probability] : probabilities) {  // to five standard deviations
    EXPECT_NEAR(found.counts[name], kDraws * probability,
                5 * std::sqrt(kDraws * probability * (1 - probability)))
        << name;
  }
  const std::map<std::string, std::pair<double, double>> ranges{
      {"first sigma", {0.2, 3}},     {"generalised beta", {0.5, 4}},
      {"plateau beta", {1, 2}},      {"size", {7, 21}},
      {"first gaussian", {1, 30}},   {"first poisson", {0.05, 3}},
      {"second gaussian", {1, 25}},  {"second poisson", {0.05, 2.5}},
      {"first factor", {0.15, 1.5}}, {"second factor", {0.3, 1.2}},
      {"last factor", {1, 1}},       {"quality", {30, 95}},
  };
  for (const auto& [name, range] : ranges) {
    const auto& [low, high] = found.ranges[name];
    const double margin = 0.02 * (range.second - range.first);  // of thousands of uniform draws
    EXPECT_TRUE(low >= range.first && low <= range.first + margin) << name << " " << low;
    EXPECT_TRUE(high <= range.second && high >= range.second - margin) << name << " " << high;
  }
}

TEST(RealEsrgan, ALadderKeepsItsDrawsAndGrows) {
  const auto full = degrade_steps({.scale = 4, .real_esrgan = 1}, 5, kContent);
  const auto half = degrade_steps({.scale = 4, .real_esrgan = 0.25}, 5, kContent);
  ASSERT_EQ(full.size(), half.size());
  for (std::size_t i = 0; i < full.size(); ++i) {
    ASSERT_EQ(full[i].index(), half[i].index());
    if (const auto* blur = std::get_if<BlurStep>(&full[i]); blur && blur->kernel.kind != BlurKind::sinc) {
      EXPECT_DOUBLE_EQ(std::get<BlurStep>(half[i]).kernel.sigma, blur->kernel.sigma / 2);
    }
    if (const auto* noise = std::get_if<NoiseStep>(&full[i])) {
      EXPECT_DOUBLE_EQ(std::get<NoiseStep>(half[i]).strength, noise->strength / 4);
    }
    if (const auto* resize = std::get_if<ResizeStep>(&full[i])) {
      EXPECT_DOUBLE_EQ(std::get<ResizeStep>(half[i]).factor, std::pow(resize->factor, 0.25));
    }
    if (const auto* jpeg = std::get_if<CompressStep>(&full[i])) {
      EXPECT_EQ(std::get<CompressStep>(half[i]).quality, std::lround(100 - (100 - jpeg->quality) / 4.0));
    }
  }
}

// Strict on rungs a quarter apart: on finer ones the sizes in between are rounded differently, and PSNR has
// been seen to rise by 0.02 dB in one step of 720.
TEST(RealEsrgan, AHigherSeverityIsNeverCloserToThePicture) {
  for (const std::string& cls : procedural_classes()) {
    const Image image = picture(cls, 80);
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      double before = std::numeric_limits<double>::infinity();
      for (const double severity : {0.25, 0.5, 0.75, 1.0}) {
        const double now = psnr(degrade(image, {.real_esrgan = severity}, seed, kContent), image);
        EXPECT_LT(now, before) << cls << " " << severity << ": "
                               << describe_degradation({.real_esrgan = severity}, seed, kContent);
        before = now;
      }
    }
  }
}

// Each kind alone: more of it is worse.
TEST(Degrade, MoreOfAnyKindIsFurtherFromThePicture) {
  const auto blurred = [](double sigma) { return DegradeSettings{.blur = BlurSettings{.sigma = sigma}}; };
  const auto ringing = [](double cutoff) {
    return DegradeSettings{.blur = BlurSettings{.kind = BlurKind::sinc, .cutoff = cutoff}};
  };
  const auto noisy = [](double sigma) { return DegradeSettings{.noise = NoiseSettings{.gaussian = sigma}}; };
  const auto photons = [](double scale) { return DegradeSettings{.noise = NoiseSettings{.poisson = scale}}; };
  const std::vector<std::vector<DegradeSettings>> ladders{
      {blurred(0.5), blurred(1), blurred(2), blurred(4)},
      {ringing(0.9), ringing(0.6), ringing(0.3)},
      {noisy(1), noisy(5), noisy(20), noisy(60)},
      {photons(0.1), photons(0.5), photons(3)},
      {{.jpeg = 95}, {.jpeg = 70}, {.jpeg = 30}, {.jpeg = 5}},
      {{.webp = 95}, {.webp = 70}, {.webp = 30}, {.webp = 0}},
  };
  for (const std::string& cls : procedural_classes()) {
    const Image image = picture(cls);
    for (const auto& ladder : ladders) {
      double before = std::numeric_limits<double>::infinity();
      for (const DegradeSettings& settings : ladder) {
        const double now = psnr(degrade(image, settings, 1, kContent), image);
        EXPECT_LT(now, before) << cls << " " << describe_degradation(settings, 1, kContent);
        before = now;
      }
    }
  }
}

}  // namespace
}  // namespace upbench::test
