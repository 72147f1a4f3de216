#include <algorithm>
#include <cmath>
#include <random>

#include <benchmark/benchmark.h>
#include <lcms2.h>

#include "datasets/codec/colour.h"
#include "tests/bench/counters.h"
#include "tests/datasets/codec/format_files.h"

// Conversion of 8-bit pictures from Adobe RGB: as decoding does it, colour after colour in floating point
// without a memory (the same values), and by Little CMS's own 8-bit path (faster, other values).
namespace upbench {
namespace {

using test::FileBytes;

// Smooth shading with a sensor's noise: many pixels of few colours. Random: hardly a colour comes twice.
Raster picture(bool photo, int side) {
  Raster raster{.width = side, .height = side, .samples = {}};
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 1.5);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double light = 120 + 90 * std::sin(x * 3.0 / side) * std::cos(y * 5.0 / side);
      for (const double tint : {1.0, 0.9, 0.7}) {
        const double value = photo ? light * tint + noise(random) : static_cast<double>(random() % 256);
        raster.samples.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
  }
  return raster;
}

FileBytes adobe() {
  return test::rgb_profile(test::kAdobePrimaries, 563.0 / 256);
}

void count(benchmark::State& state, const Raster& raster) {
  count_work(state, 1.0 * raster.width * raster.height);
}

void BM_Decoding(benchmark::State& state) {
  const Raster stored = picture(state.range(0) != 0, static_cast<int>(state.range(1)));
  std::vector<std::string> notes;
  const ToSrgb to_srgb(adobe(), SampleSpace::rgb, notes);
  for (auto _ : state) {
    Raster raster = stored;
    to_srgb.apply(raster);
    benchmark::DoNotOptimize(raster.samples.data());
  }
  count(state, stored);
}

cmsHTRANSFORM transform_of(cmsUInt32Number format) {
  const FileBytes bytes = adobe();
  cmsHPROFILE from = cmsOpenProfileFromMem(bytes.data(), static_cast<cmsUInt32Number>(bytes.size()));
  cmsHPROFILE to = cmsCreate_sRGBProfile();
  cmsHTRANSFORM transform = cmsCreateTransform(from, format, to, format, INTENT_RELATIVE_COLORIMETRIC,
                                               cmsFLAGS_BLACKPOINTCOMPENSATION);
  cmsCloseProfile(from);
  cmsCloseProfile(to);
  return transform;
}

void BM_FloatingPointForEachPixel(benchmark::State& state) {
  const Raster stored = picture(state.range(0) != 0, static_cast<int>(state.range(1)));
  cmsHTRANSFORM transform = transform_of(TYPE_RGB_FLT);
  const auto row = static_cast<std::size_t>(stored.width) * 3;
  std::vector<float> in(row), out(row);
  for (auto _ : state) {
    Raster raster = stored;
    for (std::size_t first = 0; first < raster.samples.size(); first += row) {
      for (std::size_t i = 0; i < row; ++i) in[i] = static_cast<float>(raster.samples[first + i]) / 255;
      cmsDoTransform(transform, in.data(), out.data(), static_cast<cmsUInt32Number>(raster.width));
      for (std::size_t i = 0; i < row; ++i)
        raster.samples[first + i] =
            static_cast<std::uint8_t>(std::lround(std::clamp(out[i], 0.0F, 1.0F) * 255));
    }
    benchmark::DoNotOptimize(raster.samples.data());
  }
  cmsDeleteTransform(transform);
  count(state, stored);
}

void BM_LibraryEightBit(benchmark::State& state) {
  const Raster stored = picture(state.range(0) != 0, static_cast<int>(state.range(1)));
  cmsHTRANSFORM transform = transform_of(TYPE_RGB_8);
  for (auto _ : state) {
    Raster raster = stored;
    cmsDoTransform(transform, raster.samples.data(), raster.samples.data(),
                   static_cast<cmsUInt32Number>(raster.width * raster.height));
    benchmark::DoNotOptimize(raster.samples.data());
  }
  cmsDeleteTransform(transform);
  count(state, stored);
}

void pictures(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"photo", "side"})->Args({1, 1024})->Args({0, 1024})->Unit(benchmark::kMillisecond);
}
BENCHMARK(BM_Decoding)->Apply(pictures);
BENCHMARK(BM_FloatingPointForEachPixel)->Apply(pictures);
BENCHMARK(BM_LibraryEightBit)->Apply(pictures);

}  // namespace
}  // namespace upbench

BENCHMARK_MAIN();
