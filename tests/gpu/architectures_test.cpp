// Every architecture on the device: networks of random weights against the CPU's float32.
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include "models/network_upscaler.h"
#include "models/networks/bsrn.h"
#include "models/networks/carn.h"
#include "models/networks/craft.h"
#include "models/networks/dctlsa.h"
#include "models/networks/efdn.h"
#include "models/networks/hit_srf.h"
#include "models/networks/imdn.h"
#include "models/networks/pan.h"
#include "models/networks/registry.h"
#include "models/networks/rfdn.h"
#include "models/networks/rlfn.h"
#include "models/networks/rrdb.h"
#include "models/networks/safmn.h"
#include "models/networks/span.h"
#include "models/networks/srvgg.h"
#include "models/networks/vdsr.h"
#include "on_device.h"
#include "tests/models/networks/random_network.h"

namespace upbench {
namespace {

std::vector<Layout> layouts() {
  return {rrdb_layout({.features = 16, .growth = 8, .blocks = 2}, RrdbSpelling::basicsr),
          srvgg_layout(16, 3, 4),
          imdn_layout({}),
          imdn_baseline_layout({.blocks = 2}),
          rfdn_layout({}),
          rlfn_layout({}),
          efdn_layout({}),
          bsrn_layout({}),
          pan_layout({}),
          span_layout({}),
          span_layout({.features = 16, .fused = 16, .blocks = 2, .gain = 2, .scale = 2}),  // fused when bound
          safmn_layout({}),
          carn_layout({.features = 16, .groups = 2}),
          vdsr_layout({.features = 16, .inner = 4}),
          dctlsa_layout({.modules = 2}),
          craft_layout({.groups = 1}),
          hit_srf_layout({.groups = 1})};
}

LoadedNetwork network_of(const Layout& layout) {
  return load_network({.format = "safetensors",
                       .dialect = "plain",
                       .tensors = test::random_tensors(layout, 1),
                       .metadata = {}});
}

std::vector<int> scales_of(const NetworkMatch& match) {
  if (match.scale > 0) return {match.scale};
  return match.scales.empty() ? std::vector{2, 3} : match.scales;
}

// Of the CPU in float32 by ATen's own operators, one by one: weights whose channels are not last in memory
// select them (models/networks/fused.h).
at::Tensor expected_of(const LoadedNetwork& network, const at::Tensor& batch, int scale) {
  const NetworkMatch& match = network.match;
  return match.bind ? match.bind(network.weights)(batch) : match.bind_at(network.weights, scale)(batch);
}

class Architectures : public test::OnDevice<> {
 protected:
  // bfloat16 keeps 8 bits (0.4 %), float16 11 (0.05 %), through up to a hundred layers.
  double half_error() const { return half() == Precision::bf16 ? 0.1 : 0.02; }

  // visit(network on the CPU, what is expected, scale).
  template <class Visit>
  void for_each_network(const Visit& visit) const {
    for (const Layout& layout : layouts()) {
      const LoadedNetwork network = network_of(layout);
      for (const int scale : scales_of(network.match)) {
        SCOPED_TRACE(network.match.architecture + " x" + std::to_string(scale));
        const at::Tensor expected = expected_of(network, batch_, scale);
        ASSERT_GT(expected.std().item<double>(), 0);
        visit(*make_network_upscaler("random", network), expected, scale);
      }
    }
  }
  at::Tensor forward(const Upscaler& upscaler, Precision precision, int scale) const {
    return upscaler.to(device(), precision)->forward(batch_.to(device()), scale);
  }

  const at::NoGradGuard no_gradients_;
  const at::Tensor batch_ = at::rand({2, 3, 32, 32}, at::make_generator<at::CPUGeneratorImpl>(5));
};
UPBENCH_ON_CPU_AND_GPU(Architectures);

TEST_P(Architectures, InFp32AreTheCpus) {
  for_each_network([&](const Upscaler& upscaler, const at::Tensor& expected, int scale) {
    const at::Tensor found = forward(upscaler, Precision::fp32, scale);
    ASSERT_EQ(found.sizes(), expected.sizes());
    // 24 bits (6e-8) through up to a hundred layers, sums in another order
    EXPECT_LT(test::relative_rms(found, expected), 1e-4);
  });
}

TEST_P(Architectures, InHalfPrecisionStayNear) {
  for_each_network([&](const Upscaler& upscaler, const at::Tensor& expected, int scale) {
    if (!upscaler.info().supports_half) {
      EXPECT_THROW(upscaler.to(device(), half()), std::invalid_argument);
      return;
    }
    const double rounded = test::relative_rms(forward(upscaler, half(), scale), expected);
    EXPECT_LT(rounded, half_error());
    EXPECT_GT(rounded, test::relative_rms(forward(upscaler, Precision::fp32, scale), expected))
        << "it was no half";
  });
}

// A network whose forward waits for the device, or reads host memory, cannot be recorded.
TEST_P(Architectures, AreReplayedToTheBitsOfEagerRuns) {
  if (on_gpu() && !test::no_kernels().empty()) GTEST_SKIP() << test::no_kernels();
  GraphPool pool(device(), 1);
  const at::Tensor batch = batch_.to(device());
  for_each_network([&](const Upscaler& upscaler, const at::Tensor&, int scale) {
    for (const Precision precision : {Precision::fp32, half()}) {
      if (precision != Precision::fp32 && (!on_gpu() || !upscaler.info().supports_half)) continue;
      const UpscalerPtr network = upscaler.to(device(), precision);
      const TensorFunction forward = [&](const at::Tensor& x) { return network->forward(x, scale); };
      pool.clear();
      const at::Tensor recorded = pool.run("network", batch, forward, network).clone(),
                       replayed = pool.run("network", batch, forward, network).clone();
      ASSERT_EQ(pool.why_eager("network"), "");
      EXPECT_EQ(pool.graphs(), pool.replays() ? 1U : 0U);
      const at::Tensor eager = forward(batch);
      EXPECT_TRUE(at::equal(recorded, eager));
      EXPECT_TRUE(at::equal(replayed, eager));
    }
  });
  EXPECT_EQ(pool.replays(), on_gpu()) << pool.why_eager();
}

// ESRGAN's own widths in the order in which a GPU adds up the parts of a dense block's convolutions: each
// part is rounded to half precision, where one convolution over all channels would be rounded once.
TEST_P(Architectures, RrdbsSplitWeightsInHalfPrecisionStayNearFp32) {
  const RrdbShape shape{.blocks = 3};
  const Layout layout = rrdb_layout(shape, RrdbSpelling::basicsr);
  const NamedTensors weights = test::random_tensors(layout, 1, /*canonical=*/true);
  const auto output = [&](Precision precision) {
    NamedTensors placed;
    for (const auto& [name, tensor] : weights) {
      const at::Tensor there = tensor.to(at::Device(device()), dtype_of(precision));
      placed[name] = there.dim() == 4 ? there.contiguous(at::MemoryFormat::ChannelsLast) : there;
    }
    const at::Tensor batch = batch_.to(placed.at("conv_hr.bias").options());
    return bind_rrdb(placed, shape, DenseOrder::by_source)(batch.contiguous(at::MemoryFormat::ChannelsLast))
        .to(at::kFloat)
        .cpu();
  };
  const at::Tensor exact = output(Precision::fp32);
  const double rounded = test::relative_rms(output(half()), exact);
  EXPECT_LT(rounded, half_error());
  EXPECT_GT(rounded, 1e-5) << "it was no half";  // float32 alone is below that
}

TEST(ArchitecturesTested, AreAllThatAreKnown) {
  std::set<std::string> tested;
  for (const Layout& layout : layouts()) tested.insert(recognise(test::hollow_tensors(layout)).architecture);
  const std::vector<std::string> known = architecture_names();
  EXPECT_EQ(tested, (std::set<std::string>(known.begin(), known.end())));
}

}  // namespace
}  // namespace upbench
