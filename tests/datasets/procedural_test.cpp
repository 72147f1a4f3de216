#include "datasets/procedural.h"

#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <set>
#include <thread>

#include <ATen/ATen.h>
#include <ATen/ops/fft_rfft2.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "datasets/image_set.h"
#include "datasets/procedural/canvas.h"
#include "datasets/procedural/texture.h"
#include "datasets/resample.h"

namespace upbench {
namespace {

using procedural::Canvas;
using procedural::Colour;
using procedural::Random;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Digest pixels(const ProceduralPicture& picture) {
  const Raster raster = render_procedural(picture);
  return Hasher().add(raster.samples.data(), raster.samples.size()).finish();
}

std::string message_of(const ProceduralPicture& picture) {
  try {
    render_procedural(picture);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

double mean_difference(const Raster& a, const Raster& b) {  // grey levels
  return (to_image(a) - to_image(b)).abs().mean().item<double>() * 255;
}

// Share of the luma's energy (without its mean) at frequencies above half of Nyquist along either axis.
double high_frequency_energy(const Image& image) {
  const at::Tensor grey = image.mean(0);
  const at::Tensor window =
      at::hann_window(grey.size(0), false).unsqueeze(1) * at::hann_window(grey.size(1), false);
  const at::Tensor energy = at::fft_rfft2((grey - grey.mean()) * window).abs().square();
  const std::int64_t height = energy.size(0), width = energy.size(1);
  at::Tensor high = at::zeros_like(energy);
  high.narrow(0, height / 4, height / 2).fill_(1);
  high.narrow(1, width / 2, width - width / 2).fill_(1);
  return ((energy * high).sum() / energy.sum()).item<double>();
}

// 3 x 3 samples a pixel: a white bar that ends a third into pixel 2 covers that much of it.
TEST(ProceduralCanvas, ThirdOfAPixelCoveredIsAThirdOfWhite) {
  Canvas canvas(4);
  canvas.fill(procedural::rectangle({0, 2}, {1, 0}, 2 + 1.0F / 3, 8),
              [](int, int) { return Colour{1, 1, 1}; });
  const Raster raster = canvas.averaged();
  std::vector<int> row;
  row.reserve(4);
  for (int x = 0; x < 4; ++x) row.push_back(raster.samples[static_cast<std::size_t>(x) * 3]);
  EXPECT_THAT(row, ElementsAre(255, 255, 85, 0));
}

TEST(ProceduralCanvas, EllipseCoversItsArea) {
  Canvas canvas(64);
  canvas.fill(procedural::Ellipse{{32, 32}, procedural::direction(0.1F), 20, 10},
              [](int, int) { return Colour{1, 1, 1}; });
  const double covered = to_image(canvas.averaged())[0].sum().item<double>();
  EXPECT_NEAR(covered, std::numbers::pi * 20 * 10,
              4);  // a third of a pixel at the ~97 px of its outline, either way
}

TEST(ProceduralCanvas, PolygonCoversItsArea) {
  Canvas canvas(64);
  canvas.fill(procedural::Polygon{{{10, 10}, {50, 10}, {10, 40}}}, [](int, int) { return Colour{1, 1, 1}; });
  EXPECT_NEAR(to_image(canvas.averaged())[0].sum().item<double>(), 600, 4);  // as above
}

TEST(ProceduralCanvas, BlurKeepsTheMeanAndHasItsSigma) {
  Canvas canvas(64);
  canvas.fill(procedural::rectangle({32, 32}, {1, 0}, 1.0F / 6, 64),
              [](int, int) { return Colour{1, 1, 1}; });
  canvas.blur(3);
  double sum = 0, variance = 0;
  for (int x = 0; x < canvas.side(); ++x) {
    const double value = canvas.at(x, 96).r, offset = Canvas::position(x) - 32;
    sum += value;
    variance += value * offset * offset;
  }
  EXPECT_NEAR(sum, 1, 1e-4);                        // one sample wide; float32 running sums
  EXPECT_NEAR(std::sqrt(variance / sum), 3, 0.35);  // boxes have odd widths in samples of a third of a pixel
}

TEST(ProceduralRandom, SineIsTheSine) {
  for (int i = -300; i <= 300; ++i) {
    const float turns = static_cast<float>(i) / 97;
    // The series stops at x^9: 4e-6 at a quarter turn; float32 turns around 3 add 1e-6.
    EXPECT_NEAR(procedural::wave(turns), std::sin(2 * std::numbers::pi * static_cast<double>(turns)), 6e-6)
        << turns;
  }
}

TEST(ProceduralRandom, ForkLeavesTheStreamWhereItIs) {
  Random a(5), b(5);
  a.fork(1).bits();
  EXPECT_EQ(a.bits(), b.bits());
  EXPECT_NE(a.fork(1).bits(), a.fork(2).bits());
}

TEST(ProceduralRandom, IntegersAndPowerLawKeepToTheirEnds) {
  Random random(1);
  std::map<int, int> seen;
  int small = 0;
  for (int i = 0; i < 6000; ++i) {
    ++seen[random.integer(-1, 4)];
    const float radius = random.power_law(2, 32);
    ASSERT_GE(radius, 2);
    ASSERT_LE(radius, 32.001F);  // float32 rounding of the quotient
    if (radius < 4) ++small;
  }
  ASSERT_EQ(seen.size(), 6u);
  for (const auto& [value, count] : seen) EXPECT_NEAR(count, 1000, 150) << value;  // 5 standard deviations
  // P(radius < 4) = (1 - 1/4) / (1 - 1/256); 5 standard deviations of 6000 draws are 0.028.
  EXPECT_NEAR(small / 6000.0, 0.75 / (1 - 1 / 256.0), 0.028);
}

TEST(ProceduralTexture, RepeatsWithoutASeam) {
  const procedural::Texture texture({.largest = 32, .persistence = 0.6F}, Random(3));
  double step = 0, seam = 0;
  for (int y = 0; y < procedural::Texture::kSide; ++y) {
    step += std::abs(texture.at(101, y) - texture.at(100, y));
    seam +=
        std::abs(texture.at(procedural::Texture::kSide, y) - texture.at(procedural::Texture::kSide - 1, y));
  }
  EXPECT_LT(seam, 2 * step);  // equal but for chance
  EXPECT_EQ(texture.at(5, 7), texture.at(5 + procedural::Texture::kSide, 7 - procedural::Texture::kSide));
  EXPECT_EQ(texture.at(5, 7), texture.at(7, 5, true));
}

TEST(Procedural, ClassesAreTheSixInTheOrderOfASet) {
  EXPECT_THAT(procedural_classes(), ElementsAre("dead-leaves", "text", "line-art", "smooth-shading",
                                                "periodic-texture", "natural-field"));
}

TEST(Procedural, NameIsClassAndIndex) {
  EXPECT_EQ(procedural_name({.cls = "text", .index = 3}), "text-003");
  EXPECT_EQ(procedural_name({.cls = "dead-leaves", .index = 12345}), "dead-leaves-12345");
}

TEST(Procedural, IdentityDependsOnEveryField) {
  const ProceduralPicture base{.cls = "text", .size = 64, .seed = 1, .index = 2};
  EXPECT_EQ(procedural_identity(base), procedural_identity(base));
  std::set<Digest> seen{procedural_identity(base)};
  ProceduralPicture other = base;
  other.cls = "line-art";
  seen.insert(procedural_identity(other));
  other = base, other.size = 65;
  seen.insert(procedural_identity(other));
  other = base, other.seed = 2;
  seen.insert(procedural_identity(other));
  other = base, other.index = 1;
  seen.insert(procedural_identity(other));
  EXPECT_EQ(seen.size(), 5u);
}

TEST(Procedural, RefusesUnknownClassesAndSizes) {
  EXPECT_THAT(message_of({.cls = "texts"}), HasSubstr("'texts'; known: dead-leaves, text, line-art"));
  EXPECT_THAT(message_of({.cls = "text", .size = 15}), HasSubstr("15 px a side: expected 16 to 4096"));
  EXPECT_THAT(message_of({.cls = "text", .size = 4097}), HasSubstr("4097 px a side"));
  EXPECT_THAT(message_of({.cls = "text", .size = -1}), HasSubstr("-1 px a side"));
}

TEST(Procedural, EverySizeCanBePainted) {
  for (const std::string& cls : procedural_classes()) {
    for (const int size : {16, 17, 61, 300}) {
      const Raster raster = render_procedural({.cls = cls, .size = size, .seed = 4, .index = 1});
      EXPECT_EQ(raster.width, size);
      EXPECT_EQ(raster.height, size);
      EXPECT_EQ(raster.samples.size(), static_cast<std::size_t>(size) * size * 3) << cls;
    }
  }
}

// The bytes themselves: change them only together with kProceduralVersion.
TEST(Procedural, PixelsAreTheRecordedOnes) {
  const std::map<std::string, std::string> recorded{
      {"dead-leaves", "9fbeebb4065929646661d6889a7217416a7b69cbc676a92ed74f40284e947a1a"},
      {"text", "7e93435431757affb3c72608140e18d7a2cd8b2301991c432091400f524d7621"},
      {"line-art", "82792ee4189bc7623fd4b0e96ce6ec243802bf23e49ecf60ffb9a266825aba01"},
      {"smooth-shading", "6ac561d05dbbf58b69fef05f4c527a9404586f4921ab41c3a70b7ed39493e1e0"},
      {"periodic-texture", "6349839cedabdffd1c6ac7f71e249788c176a1b4b022fcfae227c70f390511ce"},
      {"natural-field", "c4e6723eaf20019de0e2fa1702bf9d44739cf3dc809dd0034ceb1448a729a603"},
  };
  for (const auto& [cls, hash] : recorded) {
    EXPECT_EQ(pixels({.cls = cls, .size = 96, .seed = 1, .index = 2}).hex(), hash) << cls;
  }
}

TEST(Procedural, SameBytesInSeveralThreadsAndInAnyOrder) {
  const auto& classes = procedural_classes();
  std::vector<Digest> alone(classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i)
    alone[i] = pixels({.cls = classes[i], .size = 64, .index = 7});
  std::vector<Digest> together(classes.size());
  std::vector<std::thread> threads;
  for (std::size_t i = classes.size(); i-- > 0;) {
    threads.emplace_back([&, i] { together[i] = pixels({.cls = classes[i], .size = 64, .index = 7}); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(together, alone);
}

TEST(Procedural, OtherClassSeedOrIndexIsAnotherPicture) {
  for (const std::string& cls : procedural_classes()) {
    const Raster base = render_procedural({.cls = cls, .size = 96, .seed = 1, .index = 0});
    // 3 grey levels on average: far above noise, far below any two of the pictures (at least 8).
    EXPECT_GT(mean_difference(base, render_procedural({.cls = cls, .size = 96, .seed = 2, .index = 0})), 3)
        << cls;
    EXPECT_GT(mean_difference(base, render_procedural({.cls = cls, .size = 96, .seed = 1, .index = 1})), 3)
        << cls;
    for (const std::string& other : procedural_classes()) {
      if (other == cls) continue;
      EXPECT_GT(mean_difference(base, render_procedural({.cls = other, .size = 96, .seed = 1, .index = 0})),
                3)
          << cls << other;
    }
  }
}

TEST(Procedural, MorePicturesInASetLeaveTheOthersAsTheyWere) {
  ImageSetSpec small, large;
  small.procedural = {.classes = {}, .count = 6, .size = 64, .seed = 9};
  large.procedural = {.classes = {}, .count = 30, .size = 64, .seed = 9};
  small.make_lr = large.make_lr = ImageSetSpec::LowResolution{.scale = 2};
  std::map<std::string, Digest> references;
  for (const ImageItem& item : list_items(large)) references[item.name] = identify(large, item).reference;
  EXPECT_EQ(references.size(), 30u);
  for (const ImageItem& item : list_items(small)) {
    ASSERT_TRUE(references.contains(item.name)) << item.name;
    EXPECT_EQ(references[item.name], identify(small, item).reference) << item.name;
  }
}

// What a resampler has to give back: pictures that lost it by 1/2 and back have next to none left.
TEST(Procedural, EveryClassHoldsFrequenciesThatABicubicRoundTripLoses) {
  for (const std::string& cls : procedural_classes()) {
    double kept = 0, whole = 0;
    for (std::uint64_t index = 0; index < 3; ++index) {
      const Image image = to_image(render_procedural({.cls = cls, .size = 128, .seed = 3, .index = index}));
      const Image half = resample(image, 64, 64, "matlab-bicubic", true);
      whole += high_frequency_energy(image);
      kept += high_frequency_energy(resample(half, 128, 128, "matlab-bicubic", true));
    }
    EXPECT_GT(whole, 3 * kept) << cls;
    EXPECT_GT(whole / 3, 1e-3) << cls;  // of all energy; smooth-shading has least, 7e-3
  }
}

}  // namespace
}  // namespace upbench
