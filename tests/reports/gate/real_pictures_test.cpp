// Do the thresholds that name a cause hold on photographs and drawings? The changes are made by other means
// than those that look for them: Lanczos where cubics are fitted, tiles that see nothing of their neighbours.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <memory>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "reports/gate/picture_change.h"
#include "reports/statistics/random.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using Kind = PictureChange::Kind;

constexpr int kSide = 128, kTile = 32;

struct Named {
  std::string name;
  PicturePlanes planes;
};

std::size_t place(int x, int y, int width) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
}

PicturePlanes middle(const PicturePlanes& whole) {
  PicturePlanes cut{.width = kSide, .height = kSide, .rgb = {}};
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x)
        cut.rgb[c].push_back(
            whole.rgb[c][place(x + (whole.width - kSide) / 2, y + (whole.height - kSide) / 2, whole.width)]);
  return cut;
}

std::vector<Named> real_pictures() {
  std::vector<std::filesystem::path> files;
  for (const char* set : {"Set5", "Set14"})
    for (const auto& entry : std::filesystem::directory_iterator(test::assets() / "images" / set / "HR"))
      files.push_back(entry.path());
  std::ranges::sort(files);
  std::vector<Named> pictures;
  for (const auto& file : files) pictures.push_back({file.filename().string(), middle(read_planes(file))});
  return pictures;
}

// A pixel of a plane; beyond [x0, x1) and [y0, y1) the nearest inside.
struct View {
  const std::vector<float>& plane;
  int x0 = 0, y0 = 0, x1 = kSide, y1 = kSide;
  double at(int x, int y) const {
    return plane[place(std::clamp(x, x0, x1 - 1), std::clamp(y, y0, y1 - 1), kSide)];
  }
};

using Pixel = std::function<double(const View& view, int x, int y)>;

float as_saved(double value) {
  return static_cast<float>(std::lround(255 * std::clamp(value, 0.0, 1.0))) / 255;
}

// Every pixel from its channel, in tiles of this side that see nothing of each other; 0: in one piece.
PicturePlanes made(const PicturePlanes& base, const Pixel& pixel, int tile = 0) {
  PicturePlanes now{.width = kSide, .height = kSide, .rgb = {}};
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x) {
        const int side = tile > 0 ? tile : kSide, left = x / side * side, top = y / side * side;
        const View view{base.rgb[c], left, top, left + side, top + side};
        now.rgb[c].push_back(as_saved(pixel(view, x, y)));
      }
  return now;
}

double lanczos(double x) {
  constexpr double kLobes = 3;
  if (x == 0) return 1;
  if (std::abs(x) >= kLobes) return 0;
  const double t = std::numbers::pi * x;
  return kLobes * std::sin(t) * std::sin(t / kLobes) / (t * t);
}

// kernel(dx) kernel(dy), of weight 1 in all, around (x + right, y + down).
Pixel filtered(const std::function<double(double)>& kernel, double right = 0, double down = 0) {
  return [=](const View& view, int x, int y) {
    constexpr int kReach = 4;
    double sum = 0, weights = 0;
    for (int j = -kReach; j <= kReach; ++j)
      for (int i = -kReach; i <= kReach; ++i) {
        const double weight = kernel(i - right) * kernel(j - down);
        if (weight == 0) continue;
        sum += weight * view.at(x + i, y + j);
        weights += weight;
      }
    return sum / weights;
  };
}

double gaussian(double x) {
  return std::abs(x) > 3 ? 0 : std::exp(-x * x / 2);
}

Pixel tone(const std::function<double(double)>& curve) {
  return [=](const View& view, int x, int y) { return curve(view.at(x, y)); };
}

const PictureChange* of_kind(const std::vector<PictureChange>& changes, Kind kind) {
  const auto found = std::ranges::find(changes, kind, &PictureChange::kind);
  return found == changes.end() ? nullptr : &*found;
}

std::vector<BoundaryRow> boundaries() {
  std::vector<BoundaryRow> rows;
  for (const bool vertical : {true, false})
    for (int at = kTile; at < kSide; at += kTile)
      rows.push_back({.stage = "upscale", .vertical = vertical, .position = static_cast<double>(at)});
  return rows;
}

// The change is the first that is named, on every picture. Prints the least share that it explains.
void expect_named(
    const char* what, Kind kind, const std::vector<Named>& pictures,
    const std::function<PicturePlanes(const PicturePlanes&)>& change,
    const std::function<PicturePlanes(const PicturePlanes&)>& before = [](const PicturePlanes& planes) {
      return planes;
    }) {
  double least = 1;
  for (const Named& picture : pictures) {
    const PicturePlanes base = before(picture.planes);
    const std::vector<PictureChange> changes = explain_difference(base, change(picture.planes), boundaries());
    const PictureChange* found = of_kind(changes, kind);
    ASSERT_NE(found, nullptr) << what << " of " << picture.name;
    EXPECT_TRUE(is_telling(*found)) << what << " of " << picture.name << ": " << found->explained;
    for (const PictureChange& other : changes)
      EXPECT_TRUE(other.kind == kind || !is_telling(other) || other.explained <= found->explained)
          << what << " of " << picture.name << " taken for: " << other.text;
    least = std::min(least, found->explained);
  }
  fmt::print("{}: explains {:.3f} or more on {} pictures\n", what, least, pictures.size());
}

// Nothing is named on any picture. Prints the largest share that anything seems to explain.
void expect_unnamed(const char* what, const std::vector<Named>& pictures,
                    const std::function<PicturePlanes(const PicturePlanes&)>& change) {
  double most = -1;
  for (const Named& picture : pictures)
    for (const PictureChange& seen :
         explain_difference(picture.planes, change(picture.planes), boundaries())) {
      EXPECT_FALSE(is_telling(seen)) << what << " of " << picture.name << " taken for: " << seen.text << ", "
                                     << seen.explained;
      most = std::max(most, seen.explained);
    }
  fmt::print("{}: explained by {:.3f} at most\n", what, most);
}

TEST(CausesOnRealPictures, AHalfPixelShiftIsNamed) {
  UPBENCH_NEEDS_ASSETS();
  const std::vector<Named> pictures = real_pictures();
  expect_named("half a pixel right", Kind::shift, pictures,
               [](const PicturePlanes& base) { return made(base, filtered(lanczos, -0.5)); });
  expect_named("half a pixel left and up", Kind::shift, pictures,
               [](const PicturePlanes& base) { return made(base, filtered(lanczos, 0.5, 0.5)); });
}

TEST(CausesOnRealPictures, SwappedChannelsAreNamed) {
  UPBENCH_NEEDS_ASSETS();
  std::vector<Named> coloured = real_pictures();
  std::erase_if(coloured,
                [](const Named& picture) { return picture.planes.rgb[0] == picture.planes.rgb[2]; });
  ASSERT_GE(coloured.size(), 12u);
  expect_named("R and B swapped", Kind::channels, coloured, [](const PicturePlanes& base) {
    PicturePlanes now = base;
    std::swap(now.rgb[0], now.rgb[2]);
    return now;
  });
}

TEST(CausesOnRealPictures, GammaAndRangeAreNamed) {
  UPBENCH_NEEDS_ASSETS();
  const std::vector<Named> pictures = real_pictures();
  expect_named("gamma 1.1", Kind::tone, pictures, [](const PicturePlanes& base) {
    return made(base, tone([](double v) { return std::pow(v, 1.1); }));
  });
  expect_named("limited range", Kind::tone, pictures, [](const PicturePlanes& base) {
    return made(base, tone([](double v) { return (219 * v + 16) / 255; }));
  });
}

TEST(CausesOnRealPictures, TilesThatSeeNothingOfTheirNeighboursAreNamed) {
  UPBENCH_NEEDS_ASSETS();
  const Pixel blur = filtered(gaussian);
  expect_named(
      "borders of tiles", Kind::tile_borders, real_pictures(),
      [&](const PicturePlanes& base) { return made(base, blur, kTile); },
      [&](const PicturePlanes& base) { return made(base, blur); });
}

TEST(CausesOnRealPictures, BlurSharpeningNoiseAndCoarserLevelsAreNamedNothing) {
  UPBENCH_NEEDS_ASSETS();
  const std::vector<Named> pictures = real_pictures();
  expect_unnamed("blur", pictures, [](const PicturePlanes& base) { return made(base, filtered(gaussian)); });
  expect_unnamed("sharpening", pictures, [](const PicturePlanes& base) {
    return made(base, [blur = filtered(gaussian)](const View& view, int x, int y) {
      return 1.5 * view.at(x, y) - 0.5 * blur(view, x, y);
    });
  });
  expect_unnamed("noise", pictures, [](const PicturePlanes& base) {
    return made(base, [random = std::make_shared<Random>(4)](const View& view, int x, int y) {
      return view.at(x, y) + 0.02 * random->normal();
    });
  });
  expect_unnamed("levels in steps of 8", pictures, [](const PicturePlanes& base) {
    return made(base, tone([](double v) { return std::round(255 * v / 8) * 8 / 255; }));
  });
}

// What a generative network makes of the picture instead: another result, no change of this one.
TEST(CausesOnRealPictures, AnotherNetworksResultIsNamedNothing) {
  UPBENCH_NEEDS_ASSETS();
  const PicturePlanes truth = read_planes(test::assets() / "images/Set14/HR/baboon.png");
  const PicturePlanes result = read_planes(test::assets() / "images/esrgan/results/baboon_ESRGAN.png");
  for (const PictureChange& seen : explain_difference(truth, result, boundaries()))
    EXPECT_FALSE(is_telling(seen)) << seen.text << ", " << seen.explained;
}

}  // namespace
}  // namespace upbench
