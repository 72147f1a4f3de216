#include "models/diffusion/colour_fix.h"

#include <limits>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/diffusion/colour_fix_lab.h"

namespace upbench::test {
namespace {

Image smooth_picture(std::uint64_t seed, std::int64_t height = 40, std::int64_t width = 56) {
  at::manual_seed(seed);
  return at::upsample_bicubic2d(at::rand({1, 3, 7, 9}), {height, width}, false)[0]
      .clamp(0.1, 0.9)
      .contiguous();
}

Image colour(double r, double g, double b, std::int64_t side = 8) {
  return at::tensor({r, g, b}, at::kFloat).reshape({3, 1, 1}).repeat({1, side, side});
}

double largest(const at::Tensor& x) {
  return x.abs().max().item<double>();
}

at::Tensor luminosity(const Image& x) {
  return 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2];
}

TEST(ColourFix, NoneChangesNothing) {
  const Image picture = smooth_picture(1);
  EXPECT_TRUE(at::equal(fix_colours(ColourFix::none, picture, smooth_picture(2)), picture));
}

TEST(ColourFix, APictureLikeItselfStays) {
  const Image picture = smooth_picture(1);
  for (const ColourFix fix : {ColourFix::adain, ColourFix::wavelet})
    EXPECT_LT(largest(fix_colours(fix, picture, picture) - picture), 1e-6) << to_string(fix);  // float32
  // Through 8-bit RGB and 8-bit CIELAB, whose steps are up to 5 of RGB's.
  EXPECT_LT(largest(fix_colours(ColourFix::lab_histogram, picture, picture) - picture), 6.0 / 255);
}

TEST(ColourFix, AConstantCastIsRemoved) {
  const Image like = smooth_picture(1),
              cast = like + at::tensor({0.08, -0.05, 0.03}, at::kFloat).reshape({3, 1, 1});
  for (const ColourFix fix : {ColourFix::adain, ColourFix::wavelet})
    EXPECT_LT(largest(fix_colours(fix, cast, like) - like), 1e-6) << to_string(fix);
  // This one keeps the luminosity of the cast picture; a shift in RGB is nearly one in CIELAB.
  const Image fixed = fix_colours(ColourFix::lab_histogram, cast, like);
  EXPECT_LT(largest(luminosity(fixed) - luminosity(cast)), 1.5 / 255);
  const auto chroma = [](const Image& x) { return x - luminosity(x); };
  EXPECT_LT((chroma(fixed) - chroma(like)).abs().mean().item<double>(),
            0.4 * (chroma(cast) - chroma(like)).abs().mean().item<double>());
}

TEST(ColourFix, AdainGivesLikesMeanAndDeviation) {
  const Image picture = smooth_picture(1), like = smooth_picture(2, 30, 20) * 0.5 + 0.2;
  const Image fixed = fix_colours(ColourFix::adain, picture, like);
  for (int channel = 0; channel < 3; ++channel) {
    EXPECT_NEAR(fixed[channel].mean().item<double>(), like[channel].mean().item<double>(), 1e-5);
    // Both variances are raised by 1e-5.
    EXPECT_NEAR(fixed[channel].std().item<double>(), like[channel].std().item<double>(), 1e-4);
  }
}

TEST(ColourFix, WaveletKeepsDetailAndTakesTheColourOfFlatPictures) {
  // Alternate columns are gone after the first blur.
  const Image flat = colour(0.4, 0.5, 0.6, 32), stripes = flat.clone();
  stripes.slice(2, 0, std::nullopt, 2).add_(0.05);
  const Image fixed = fix_colours(ColourFix::wavelet, stripes, colour(0.6, 0.4, 0.5, 32));
  const Image inner = fixed.narrow(2, 8, 16),
              wanted = (stripes - flat - 0.025 + colour(0.6, 0.4, 0.5, 32)).narrow(2, 8, 16);
  EXPECT_LT(largest(inner - wanted), 2e-3);  // the repeated edge tilts the last blur a little
}

TEST(ColourFix, WaveletOfAnImpulseIsFiveTimesBlurred) {
  // The product of five blurs at one pixel, by the kernel's own numbers: the centre of the first is 1/4, and
  // the later ones' taps are farther apart than what earlier ones spread, except by exactly their reach.
  Image impulse = at::zeros({3, 129, 129});
  impulse.select(1, 64).select(1, 64).fill_(1.0);
  const Image fixed = fix_colours(ColourFix::wavelet, at::zeros_like(impulse), impulse);
  EXPECT_NEAR(fixed.sum().item<double>(), 3, 1e-4);  // blurs keep the sum
  // In one dimension the five blurs make a triangle's weights (32 - |x|) / 32^2.
  const double side = 1.0 / 32, at_8 = (32.0 - 8) / (32 * 32);
  EXPECT_NEAR(fixed[0][64][64].item<double>(), side * side, 1e-7);
  EXPECT_NEAR(fixed[1][64][72].item<double>(), side * at_8, 1e-7);
  EXPECT_NEAR(fixed[2][56][72].item<double>(), at_8 * at_8, 1e-7);
}

at::Tensor bytes_of(const std::vector<double>& pixels) {
  return at::tensor(pixels, at::kDouble).reshape({-1, 3}).t().unsqueeze(2);
}

// OpenCV 5's 8-bit COLOR_RGB2LAB and COLOR_LAB2RGB; its tables may be 1 beside the exact value.
TEST(ColourFix, LabOfKnownColours) {
  const at::Tensor rgb = bytes_of({255, 0, 0, 0, 255, 0,   0,   0,   255, 255, 255,
                                   255, 0, 0, 0, 128, 128, 128, 200, 120, 40}),
                   lab = bytes_of({136, 208, 195, 224, 42,  211, 82,  207, 20,  255, 128,
                                   128, 0,   128, 128, 137, 128, 128, 148, 153, 182}),
                   back = bytes_of({255, 2, 1, 7, 255, 3,   0,   1,   255, 255, 255,
                                    255, 0, 0, 0, 128, 128, 128, 200, 121, 40});
  EXPECT_LE(largest(lab_from_rgb(rgb) - lab), 1) << lab_from_rgb(rgb).squeeze().t();
  EXPECT_LE(largest(rgb_from_lab(lab) - back), 1) << rgb_from_lab(lab).squeeze().t();
}

// As scikit-image 0.26's match_histograms of uint8 has it.
TEST(ColourFix, HistogramMatchOfSmallSets) {
  const at::Tensor values = at::tensor({0, 0, 1, 2, 2, 2, 5, 9}),
                   wanted = at::tensor({10, 20, 20, 40, 40, 90});
  const at::Tensor table = histogram_match(values, wanted);
  // Quantiles 2/8, 3/8, 6/8, 7/8, 1 among (1/6, 10), (3/6, 20), (5/6, 40), (1, 90), cut to whole numbers.
  for (const auto& [value, becomes] : {std::pair{0, 12}, {1, 16}, {2, 35}, {5, 52}, {9, 90}})
    EXPECT_EQ(table[value].item<double>(), becomes) << value;
}

TEST(ColourFix, HistogramMatchOfItselfIsTheIdentity) {
  at::manual_seed(5);
  const at::Tensor values = at::randint(0, 256, {500});
  EXPECT_TRUE(at::equal(histogram_match(values, values).index_select(0, values), values.to(at::kDouble)));
}

TEST(ColourFix, LuminosityIsSetAndColoursClippedTowardsIt) {
  const Image rgb = colour(0.8, 0.4, 0.2, 1);
  const at::Tensor moved = with_luminosity(rgb, colour(0.5, 0.5, 0.5, 1));
  EXPECT_NEAR(luminosity(moved).item<double>(), 0.5, 1e-6);
  EXPECT_NEAR((moved[0] - moved[1]).item<double>(), 0.4, 1e-6);
  const at::Tensor clipped = with_luminosity(rgb, colour(0.9, 0.9, 0.9, 1));
  EXPECT_NEAR(luminosity(clipped).item<double>(), 0.9, 1e-6);
  EXPECT_NEAR(clipped.max().item<double>(), 1, 1e-6);
  const at::Tensor dark = with_luminosity(rgb, colour(0.1, 0.1, 0.1, 1));
  EXPECT_NEAR(luminosity(dark).item<double>(), 0.1, 1e-6);
  EXPECT_NEAR(dark.min().item<double>(), 0, 1e-6);
}

TEST(ColourFix, RefusesWhatItCannotFix) {
  const Image picture = smooth_picture(1);
  EXPECT_THAT(
      [&] { fix_colours(ColourFix::wavelet, picture, smooth_picture(1, 20, 20)); },
      testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("56 x 40 beside one of 20 x 20")));
  EXPECT_THROW(fix_colours(ColourFix::adain, picture[0], picture), std::invalid_argument);
  Image broken = picture.clone();
  broken[0][0][0] = std::numeric_limits<float>::quiet_NaN();
  for (const ColourFix fix : {ColourFix::lab_histogram, ColourFix::adain, ColourFix::wavelet})
    EXPECT_THAT([&] { fix_colours(fix, picture, broken); },
                testing::ThrowsMessage<std::invalid_argument>(testing::HasSubstr("NaN")));
}

TEST(ColourFix, FixesHaveTheirNames) {
  for (const ColourFix fix :
       {ColourFix::none, ColourFix::lab_histogram, ColourFix::adain, ColourFix::wavelet})
    EXPECT_EQ(colour_fix(to_string(fix)), fix);
  EXPECT_THAT([] { colour_fix("lab"); }, testing::ThrowsMessage<std::invalid_argument>(
                                             testing::HasSubstr("none, lab-histogram, adain, wavelet")));
}

}  // namespace
}  // namespace upbench::test
