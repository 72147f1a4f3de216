// Resizing an RGB picture on one thread, 1024 x 1024 enlarged twice, shrunk four times and shrunk to 600 x
// 600:
//   KERNEL/ours/N, KERNEL/opencv/N     float32 planes to float32 planes: ours, and OpenCV's resize
//   cv2-*/ours/N, cv2-*/opencv/N       8 bit: the whole call, conversions included, and OpenCV's resize alone
//   pil-*/levels/N, pil-*/ours/N       8-bit planes to 8-bit planes, and the whole call on float32 planes;
//                                      resample_vs_peers.py makes tables of all
// The ratios need the two sides in turns, and the memory policy of the program (or not) for both:
//   export OMP_NUM_THREADS=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=68719476736 MALLOC_TOP_PAD_=67108864
//   taskset -c 1 build/upbench_resample_bench --benchmark_repetitions=9 --benchmark_min_time=0.03
//     --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include <random>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "datasets/resample.h"
#include "datasets/resampling/fixed_point.h"
#include "datasets/resampling/kernels.h"
#include "tests/bench/counters.h"

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

// Two passes over three planes, a product and a sum for each tap. 0 where nothing is summed, and where the
// weights are OpenCV's own.
double flop_of(const std::string& kernel, int side) {
  if (kernel_arithmetic(kernel) == Arithmetic::opencv) return 0;
  const int taps = kernel_weights(kernel, kSide, side).taps;
  return taps == 1 ? 0 : 3 * 2.0 * taps * side * (kSide + side);
}

// One call that is not counted: the heap has grown to what the others need, where the policy keeps it.
void repeat(benchmark::State& state, const std::string& kernel, int side, const auto& call) {
  call();
  for (auto _ : state) call();
  count_work(state, square(side), flop_of(kernel, side));
}

void ours(benchmark::State& state, const std::string& kernel, int side) {
  const Image image = random_picture();
  repeat(state, kernel, side, [&] { benchmark::DoNotOptimize(resample(image, side, side, kernel)); });
}

void levels(benchmark::State& state, const std::string& kernel, int side) {
  const at::Tensor in = random_picture().mul(255).round().to(at::kByte);
  repeat(state, kernel, side, [&] {
    at::Tensor out = at::empty({3, side, side}, at::kByte);
    const AxisWeights weights = kernel_weights(kernel, kSide, side);
    resize_fixed_point(in.const_data_ptr<std::uint8_t>(), 3, kSide, kSide, weights, weights,
                       out.mutable_data_ptr<std::uint8_t>());
    benchmark::DoNotOptimize(out);
  });
}

// What one of our kernels does, by OpenCV.
struct Peer {
  std::string kernel;
  int mode;
};

void opencv(benchmark::State& state, const Peer& peer, int side) {
  const Image image = random_picture();
  float* samples = image.mutable_data_ptr<float>();
  repeat(state, peer.kernel, side, [&] {
    at::Tensor out = at::empty({3, side, side});
    for (int c = 0; c < 3; ++c) {
      cv::Mat plane(side, side, CV_32F, out.mutable_data_ptr<float>() + c * side * side);
      cv::resize(cv::Mat(kSide, kSide, CV_32F, samples + c * kSide * kSide), plane, plane.size(), 0, 0,
                 peer.mode);
    }
    benchmark::DoNotOptimize(out);
  });
}

void opencv_8_bit(benchmark::State& state, const Peer& peer, int side) {
  const at::Tensor bgr = random_picture().mul(255).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  const cv::Mat in(kSide, kSide, CV_8UC3, bgr.mutable_data_ptr());
  repeat(state, peer.kernel, side, [&] {
    cv::Mat out;
    cv::resize(in, out, {side, side}, 0, 0, peer.mode);
    benchmark::DoNotOptimize(out);
  });
}

void add(const std::string& name, int side, auto function, const auto& what) {
  benchmark::RegisterBenchmark((name + "/" + std::to_string(side)).c_str(), function, what, side)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Peer> shared_with_opencv{{"nearest", cv::INTER_NEAREST},
                                             {"bilinear", cv::INTER_LINEAR},
                                             {"bicubic-a75", cv::INTER_CUBIC},
                                             {"lanczos4", cv::INTER_LANCZOS4},
                                             {"area", cv::INTER_AREA}};
  const std::vector<Peer> by_opencv{{"cv2-nearest", cv::INTER_NEAREST},
                                    {"cv2-linear", cv::INTER_LINEAR},
                                    {"cv2-cubic", cv::INTER_CUBIC},
                                    {"cv2-lanczos4", cv::INTER_LANCZOS4},
                                    {"cv2-area", cv::INTER_AREA}};
  cv::setNumThreads(1);
  for (const int side : kTargets) {
    for (const Peer& peer : shared_with_opencv) {
      add(peer.kernel + "/ours", side, ours, peer.kernel);
      add(peer.kernel + "/opencv", side, opencv, peer);
    }
    for (const Peer& peer : by_opencv) {
      add(peer.kernel + "/ours", side, ours, peer.kernel);
      add(peer.kernel + "/opencv", side, opencv_8_bit, peer);
    }
    for (const ResampleKernel& kernel : resample_kernels()) {
      if (!kernel.name.starts_with("pil-")) continue;
      add(kernel.name + "/levels", side, levels, kernel.name);
      add(kernel.name + "/ours", side, ours, kernel.name);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
