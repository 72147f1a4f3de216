// Resizing an RGB picture on one thread: ours (float32 planes) and OpenCV's resize for the same kernel on the
// same planes, 1024 x 1024 enlarged twice, shrunk four times and shrunk to 600 x 600; and the kernels that
// reproduce Pillow (see resample_vs_pillow.py).
//   build/upbench_resample_bench --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
#include <random>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/resample.h"

namespace {

using namespace upbench;

constexpr int kSide = 1024;
const std::vector<int> kTargets{2048, 256, 600};

// 8-bit values, as pictures have them.
Image random_picture() {
  at::Tensor image = at::empty({3, kSide, kSide});
  std::mt19937 random(1);
  float* samples = image.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < image.numel(); ++i) samples[i] = static_cast<float>(random() & 255) / 255.0F;
  return image;
}

void count(benchmark::State& state, int side) {
  state.SetItemsProcessed(state.iterations() * side * side);
}

void ours(benchmark::State& state, const std::string& kernel, int side) {
  const Image image = random_picture();
  for (auto _ : state) benchmark::DoNotOptimize(resample(image, side, side, kernel));
  count(state, side);
}

void opencv(benchmark::State& state, int mode, int side) {
  cv::setNumThreads(1);
  const Image image = random_picture();
  float* samples = image.mutable_data_ptr<float>();
  for (auto _ : state) {
    at::Tensor out = at::empty({3, side, side});
    for (int c = 0; c < 3; ++c) {
      cv::Mat plane(side, side, CV_32F, out.mutable_data_ptr<float>() + c * side * side);
      cv::resize(cv::Mat(kSide, kSide, CV_32F, samples + c * kSide * kSide), plane, plane.size(), 0, 0, mode);
    }
    benchmark::DoNotOptimize(out);
  }
  count(state, side);
}

void add(const std::string& name, int side, auto function, auto what) {
  benchmark::RegisterBenchmark((name + "/" + std::to_string(side)).c_str(), function, what, side)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::pair<std::string, int>> shared_with_opencv{{"nearest", cv::INTER_NEAREST},
                                                                    {"bilinear", cv::INTER_LINEAR},
                                                                    {"bicubic-a75", cv::INTER_CUBIC},
                                                                    {"lanczos4", cv::INTER_LANCZOS4},
                                                                    {"area", cv::INTER_AREA}};
  for (const int side : kTargets) {
    for (const auto& [kernel, mode] : shared_with_opencv) {
      add(kernel + "/ours", side, ours, kernel);
      add(kernel + "/opencv", side, opencv, mode);
    }
    for (const ResampleKernel& kernel : resample_kernels())
      if (kernel.name.starts_with("pil-")) add(kernel.name, side, ours, kernel.name);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
