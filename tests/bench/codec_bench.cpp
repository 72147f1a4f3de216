// Decoding and encoding a 1024 x 1024 RGB picture, from memory to memory: PNG (levels 1 and 6), JPEG, WebP.
// `upbench_codec_bench --write DIR` writes the very files, so that other programs can be timed on them
// (scripts/bench_peers.py).
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>

#include <benchmark/benchmark.h>

#include "datasets/codec/decode.h"
#include "datasets/codec/encode.h"
#include "tests/bench/counters.h"
#include "tests/datasets/codec/format_files.h"
#include "tests/datasets/picture_files.h"

namespace upbench {
namespace {

using test::FileBytes;

constexpr int kSide = 1024;

// Shading with a little noise: compresses as photographs do, to about a half as PNG.
const Raster& picture() {
  static const Raster raster = [] {
    Raster made{.width = kSide, .height = kSide, .samples = {}, .notes = {}};
    std::mt19937 random(1);
    for (int y = 0; y < kSide; ++y)
      for (int x = 0; x < kSide; ++x)
        for (int channel = 0; channel < 3; ++channel) {
          const double shade = 128 + 90 * std::sin(x / (37.0 + channel)) * std::cos(y / 29.0);
          made.samples.push_back(static_cast<std::uint8_t>(shade + static_cast<double>(random() % 9)));
        }
    return made;
  }();
  return raster;
}

FileBytes file_of(const std::string& format) {
  if (format == "jpeg") return test::jpeg_file(picture(), {.quality = 95, .exif = {}});
  if (format == "webp") return encode_webp(picture(), {.effort = 0});
  return encode_png(picture(), {.level = 6, .text = {}});
}

void count_pixels(benchmark::State& state) {
  count_work(state, square(kSide));
}

void decode_picture(benchmark::State& state, const std::string& format) {
  const FileBytes file = file_of(format);
  for (auto _ : state) benchmark::DoNotOptimize(decode(file, "picture." + format));
  count_pixels(state);
}

void encode_picture(benchmark::State& state) {
  const int level = static_cast<int>(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(encode_png(picture(), {.level = level, .text = {}}));
  count_pixels(state);
}

BENCHMARK_CAPTURE(decode_picture, png, "png")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode_picture, jpeg, "jpeg")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(decode_picture, webp, "webp")->Unit(benchmark::kMillisecond);
BENCHMARK(encode_picture)->ArgName("level")->Arg(1)->Arg(6)->Unit(benchmark::kMillisecond);

void write_files(const std::filesystem::path& folder) {
  for (const char* format : {"png", "jpeg", "webp"})
    test::write_bytes(folder / (std::string("picture.") + format), file_of(format));
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--write") == 0) {
    upbench::write_files(argv[2]);
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
