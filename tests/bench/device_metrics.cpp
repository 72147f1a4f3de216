#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "datasets/device/module.h"
#include "datasets/device/pixels.h"
#include "metrics/catalog.h"
#include "tests/bench/counters.h"
#include "tests/bench/device_groups.h"
#include "tests/bench/device_measure.h"
#include "tests/bench/lpips_weights.h"

namespace upbench::bench {
namespace {

// Every metric of signals of one output, as a trial asks for them: two passes (with and without the border)
// and the transfer of their results.
void scores(benchmark::State& state, bool kernel) {
  const auto side = state.range(0);
  const Scorer scorer(
      {parse_metric("psnr-y"), parse_metric("ssim-y"), parse_metric("psnr-rgb"), parse_metric("ssim-rgb@b0")},
      4);
  const Image output = at::rand({3, side, side}, there()), reference = at::rand({3, side, side}, there());
  const KernelChoice before = kernel_choice();
  set_kernel_choice(parse_kernel_choice(kernel ? "similarity,layout" : "none"));
  measure(state, {.bytes = 24 * square(side)}, [&] { scorer.score(output, reference); });
  set_kernel_choice(before);
}

// kept: the reference's features are known, as they are in a sweep after its first output.
void lpips(benchmark::State& state, bool kept) {
  const auto side = state.range(0);
  std::vector<MetricRequest> requests;
  requests.push_back(parse_metric("lpips-alex"));
  const Scorer scorer(std::move(requests), 0);
  const Image output = at::rand({3, side, side}, there()), reference = at::rand({3, side, side}, there());
  const Digest name = kept ? sha256("reference") : Digest{};
  const auto score = [&] { return scorer.score(output, reference, {0}, name); };
  if (const Score first = score().at(0).score; first.flag != ScoreFlag::ok)
    throw std::runtime_error("lpips-alex: " + first.reason);
  measure(state, {.bytes = 24 * square(side), .flop = (kept ? 1 : 2) * alexnet_flop(side)}, score);
}

}  // namespace

void add_metrics() {
  provide_lpips_weights();
  for (const bool kernel : {false, true}) {
    if (kernel && (!on_gpu() || !cuda_module().module)) continue;
    add(kernel ? "scores/kernel" : "scores/aten", scores, kernel)->Arg(256)->Arg(1024);
  }
  add("lpips/pair", lpips, false)->Arg(256)->Arg(1024);
  add("lpips/kept", lpips, true)->Arg(256)->Arg(1024);
}

}  // namespace upbench::bench
