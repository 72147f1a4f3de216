// The whole pipeline the way that it goes on a device, with the CPU taken for one; on several devices; and on
// a GPU: the records are those of the CPU.
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <future>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "gpu.h"
#include "harness/device_pictures.h"
#include "harness/worker.h"
#include "models/upscale.h"
#include "pretend.h"
#include "tests/metrics/pictures.h"
#include "tests/models/fake_upscalers.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::HasSubstr;

constexpr char kSpec[] = R"(name: device
images: {procedural: {count: 3, size: 96, seed: 9}, lr: {scale: 2}}
pipeline:
  - degrade: {noise: {gaussian: 3}}
  - upscale: {model: [nearest, compact-x2], tile: [none, {size: 20, context: 6}, {size: 24, overlap: 8, mode: half-sine}]}
metrics: [psnr-y, ssim-rgb, mse@b0, psnr-rgb@float]
timing: none
)";

// An upscaler that is one function, on any device.
class Fake final : public Upscaler, public std::enable_shared_from_this<Fake> {
 public:
  using Function = std::function<at::Tensor(const at::Tensor& batch, int scale)>;
  explicit Fake(Function function) : function_(std::move(function)) { info_.name = "fake"; }
  const UpscalerInfo& info() const override { return info_; }
  at::Tensor forward(const at::Tensor& batch, int scale) const override { return function_(batch, scale); }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override {
    return shared_from_this();
  }

 private:
  UpscalerInfo info_;
  Function function_;
};

class DevicePipeline : public testing::Test {
 protected:
  static Sweep sweep(const std::string& device = "cpu", const std::string& text = kSpec) {
    return prepare_sweep(parse_spec(text, "device.yaml", "."), {.device = device, .threads = 3});
  }
  WorkerResult run(const Sweep& sweep, const std::string& name, const ModelLoader& load = {},
                   KeepOutputs keep = KeepOutputs::all) {
    Store store((folder_ / name).string());
    return run_sweep(sweep, store, {.keep_outputs = keep, .load_model = load});
  }
  std::vector<TrialResult> results(const Sweep& sweep, const std::string& name) {
    const Store store((folder_ / name).string(), Store::Access::read);
    std::vector<TrialResult> all;
    store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) { all.push_back(trial); });
    return all;
  }

  test::TemporaryFolder folder_;
};

// Of one metric's score, where the output's pixels differ by some units in the last place of float32.
constexpr const char* kMetrics[] = {"psnr-y", "ssim-rgb", "mse@b0", "psnr-rgb@float"};
double tolerance(const std::string& metric, double value) {
  if (metric.starts_with("psnr")) return 1e-4;
  return metric.starts_with("ssim") ? 1e-5 : 1e-4 * value;
}

void expect_same(const std::vector<TrialResult>& found, const std::vector<TrialResult>& expected,
                 double looser = 1) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].status, Status::ok) << found[i].reason;
    EXPECT_EQ(found[i].flags, expected[i].flags);
    ASSERT_EQ(found[i].scores.size(), expected[i].scores.size());
    for (std::size_t m = 0; m < found[i].scores.size(); ++m) {
      const auto &score = found[i].scores[m], &other = expected[i].scores[m];
      const std::string metric = m < std::size(kMetrics) ? kMetrics[m] : "psnr";
      EXPECT_EQ(score.flag, other.flag) << metric;
      EXPECT_NEAR(score.value, other.value, looser * tolerance(metric, other.value)) << metric;
    }
  }
}

TEST_F(DevicePipeline, PretendedGivesTheRecordsOfTheCpu) {
  const Sweep asked = sweep();
  run(asked, "cpu.db");
  const auto expected = results(asked, "cpu.db");
  for (const std::string kernels : {"none", "all"}) {
    SCOPED_TRACE(kernels);
    const test::Pretending pretending(kernels);
    const std::string name = kernels + ".db";
    const WorkerResult result = run(asked, name);
    EXPECT_EQ(result.progress.ok, expected.size());
    const auto found = results(asked, name);
    expect_same(found, expected);
    std::size_t same = 0;
    for (std::size_t i = 0; i < found.size(); ++i) same += found[i].pixels == expected[i].pixels ? 1 : 0;
    // Blended in another order, or fused: a value on the edge of two levels may fall to the other side.
    EXPECT_GE(same, found.size() * 2 / 3);
    // Nothing is computed again, and what is kept is scored where it was.
    Store store((folder_ / name).string());
    EXPECT_EQ(run_sweep(asked, store, {.keep_outputs = KeepOutputs::all}).stages, 0u);
  }
}

TEST_F(DevicePipeline, PretendedScoresAMetricThatIsAddedLater) {
  const test::Pretending pretending("all");
  const Sweep first = sweep();
  run(first, "s.db");
  std::string more = kSpec;
  more.replace(more.find("@float"), 6, "@float, psnr-y@b1");
  const Sweep second = sweep("cpu", more);
  const WorkerResult result = run(second, "s.db");
  EXPECT_EQ(result.stages, 0u) << "from the kept outputs";
  run(second, "fresh.db");
  expect_same(results(second, "s.db"), results(second, "fresh.db"));
}

TEST_F(DevicePipeline, PretendedScoresADetectorThatIsAddedLater) {
  const test::Pretending pretending("all");
  std::string text = kSpec;
  run(sweep("cpu", text), "s.db");
  text.replace(text.find("mse@b0"), 6, "mse@b0, colour-shift");
  const Sweep second = sweep("cpu", text);
  EXPECT_EQ(run(second, "s.db").stages, 0u) << "from the kept outputs and the inputs";
  for (const TrialResult& trial : results(second, "s.db")) {
    EXPECT_EQ(trial.status, Status::ok) << trial.reason;
    EXPECT_EQ(trial.detections.size(), 1u);
  }
}

// How many calls there were, and which find no memory.
struct UploadCalls {
  int made = 0, first_refused = 0, last_refused = -1;
};
UploadCalls upload_calls;

int to_float_where_it_fits(const PixelView& bytes, const PixelView& values, void* stream) {
  const int call = ++upload_calls.made;
  if (call >= upload_calls.first_refused && call <= upload_calls.last_refused)
    throw c10::OutOfMemoryError({"f", "g", 1}, "CUDA out of memory. Tried to allocate 9 GiB");
  return test::emulated_kernels().to_float(bytes, values, stream);
}

// Of a trial whose output is kept, the first call makes the input from the decoded reference, and the second
// brings the reference up, when the output is there already.
TEST_F(DevicePipeline, PretendedMemoryThatLacksForAReferenceFailsThatTrialAlone) {
  const auto ask = [](const std::string& metrics) {
    return prepare_sweep(
        parse_spec("name: memory\nimages: {procedural: {count: 3, size: 64, seed: 5}, lr: {scale: 2}}\n"
                   "pipeline:\n  - upscale: {model: nearest}\nmetrics: " +
                       metrics + "\ntiming: none\n",
                   "memory.yaml", "."),
        {.device = "cpu", .threads = 1});
  };
  const test::ChosenKernels layout("layout");
  PixelKernels table = test::emulated_kernels();
  table.to_float = to_float_where_it_fits;
  const PretendedDevice device(table);
  for (const int last : {2, 3}) {
    const std::string name = std::to_string(last) + ".db";
    upload_calls = {};
    run(ask("[psnr-y]"), name);
    const Sweep more = ask("[psnr-y, mse@b0]");
    upload_calls = {.first_refused = 2, .last_refused = last};
    const WorkerResult result = run(more, name);
    EXPECT_EQ(result.progress.ok, last == 2 ? 3u : 2u);
    EXPECT_EQ(result.stages, 0u);
    for (const TrialResult& trial : results(more, name)) {
      const bool failed = trial.status == Status::failed;
      EXPECT_THAT(trial.reason, testing::StartsWith(failed ? "out of memory: CUDA" : ""));
    }
  }
}

// What one trial does wrong in any step is its own failure; the store has all others.
TEST_F(DevicePipeline, PretendedFailuresEndTheirOwnTrials) {
  const std::string text =
      "name: faults\nimages: {procedural: {count: 6, size: 64, seed: 5}, lr: {scale: 2}}\n"
      "pipeline:\n  - upscale: {model: nearest}\nmetrics: [psnr-y]\ntiming: none\n";
  for (const std::string kernels : {"none", "all"}) {
    const test::Pretending pretending(kernels);
    const Sweep asked = sweep("cpu", text);
    std::atomic<int> calls = 0;
    const auto fake = std::make_shared<Fake>([&](const at::Tensor& batch, int scale) {
      at::Tensor enlarged = test::repeated(batch, scale);
      switch (calls++) {
        case 0:
          throw std::logic_error("no such layer");
        case 2:
          return enlarged * std::numeric_limits<float>::infinity();
        case 3:
          return enlarged.narrow(2, 0, 3);
        default:
          return enlarged;
      }
    });
    const WorkerResult result =
        run(asked, kernels, [&](const nlohmann::json&) -> UpscalerPtr { return fake; });
    std::vector<std::string> reasons;
    for (const TrialResult& trial : results(asked, kernels))
      if (trial.status == Status::failed) reasons.push_back(trial.reason);
    EXPECT_THAT(reasons, testing::UnorderedElementsAre("no such layer", HasSubstr("is not finite"),
                                                       HasSubstr("expected [1, 3, 64, 64] of Float")));
    EXPECT_EQ(result.progress.ok, 3u) << kernels;
  }
}

TEST_F(DevicePipeline, OneWorkerForEachDeviceSharesTheQueue) {
  Sweep asked = sweep();
  run(asked, "one.db");
  asked.device.others = {asked.device, asked.device};
  for (const bool pretended : {false, true}) {
    std::optional<test::Pretending> pretending;
    if (pretended) pretending.emplace("none");
    const std::string name = pretended ? "pretended.db" : "three.db";
    const WorkerResult result = run(asked, name);
    EXPECT_EQ(result.executed, asked.plan.rows.trials.size()) << "each once";
    EXPECT_EQ(result.progress.leased, 0u);
    expect_same(results(asked, name), results(asked, "one.db"));
  }
}

// The first worker to load a network loses its device; what it had begun is done by the other.
TEST_F(DevicePipeline, ALostDeviceEndsItsOwnWorker) {
  const std::string text =
      "name: faults\nimages: {procedural: {count: 6, size: 64, seed: 5}, lr: {scale: 2}}\n"
      "pipeline:\n  - upscale: {model: nearest}\nmetrics: [psnr-y]\ntiming: none\n";
  Sweep asked = sweep("cpu", text);
  asked.device.others = {asked.device};
  std::atomic<int> loads = 0;
  std::promise<void> lost;
  const std::shared_future<void> was_lost = lost.get_future().share();
  const ModelLoader load = [&](const nlohmann::json&) -> UpscalerPtr {
    const bool loses = loads++ == 0;
    return std::make_shared<Fake>([&, loses](const at::Tensor& batch, int scale) {
      if (loses) {
        lost.set_value();
        throw c10::AcceleratorError({"f", "g", 1}, 719, "launch failure");
      }
      EXPECT_EQ(was_lost.wait_for(std::chrono::seconds(20)), std::future_status::ready);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the other one gives its trials back
      return test::repeated(batch, scale);
    });
  };
  EXPECT_THAT([&] { run(asked, "s.db", load); },
              testing::ThrowsMessage<DeviceError>(HasSubstr("is lost: launch failure")));
  Store store((folder_ / "s.db").string());
  store.begin_run(asked.plan.rows);
  const Progress progress = store.progress(asked.plan.rows.run.key);
  EXPECT_EQ(progress.failed, 0u);
  EXPECT_EQ(progress.ok, 6u);
}

TEST_F(DevicePipeline, TilesThroughKernelsAreTilesThroughAten) {
  const Image picture = test::textured(45, 61, 4);
  UpscalerInfo info;
  info.name = "wide";
  info.scale = 2;
  const auto network = [](const at::Tensor& batch, int scale) {
    return test::repeated(batch, scale) * 1.6 - 0.3;
  };
  for (const PaddingRule rule :
       {PaddingRule{}, PaddingRule{.size_multiple = 8}, PaddingRule{.size_multiple = 4, .minimum_size = 40}})
    for (const TileMode mode : test::kAllTileModes)
      for (const int batch : {1, 4}) {
        info.size_multiple = rule.size_multiple;
        info.minimum_size = rule.minimum_size;
        const test::FakeUpscaler upscaler(info, network);
        const UpscaleOptions options{.tile = {.tile = 20, .overlap = 8, .context = 3, .mode = mode},
                                     .batch = batch};
        const UpscaleResult expected = upscale(upscaler, picture, options);
        const test::Pretending pretending("tiles,statistics");
        const UpscaleResult found = upscale(upscaler, picture, options);
        // Products may be fused with their additions: units in the last place.
        EXPECT_LE((found.image - expected.image).abs().max().item<float>(), 3e-7F) << to_string(mode);
        EXPECT_DOUBLE_EQ(found.outside_share, expected.outside_share) << to_string(mode);
        EXPECT_GT(found.outside_share, 0);
        EXPECT_EQ(found.batch, expected.batch);
      }
}

TEST_F(DevicePipeline, KernelsNameTheTileThatIsNotFinite) {
  const test::Pretending pretending("all");
  Image picture = test::textured(45, 61, 4);
  picture[1][44][60] = std::numeric_limits<float>::quiet_NaN();
  const test::FakeUpscaler nearest = test::nearest(8);
  EXPECT_THAT(
      [&] { upscale(nearest, picture, {.scale = 2, .tile = {.tile = 20}, .batch = 3}); },
      testing::ThrowsMessage<std::runtime_error>("nearest: tile 12 of 12 (row 2, column 3) is not finite"));
}

// Few buffers, many threads: who finds none waits, and every picture arrives as it was.
TEST_F(DevicePipeline, PicturesGoUpAndDownUnchanged) {
  const test::Pretending pretending("layout");
  DevicePictures pictures("cpu", 2);
  EXPECT_EQ(pictures.form(), PictureForm::compact);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 6; ++i)
    threads.emplace_back([&pictures, i] {
      const Image picture = test::textured(30 + static_cast<int>(i), 41, i);
      const Raster raster = to_raster(picture);
      const Image there = pictures.up(compact_picture(raster));
      EXPECT_TRUE(at::equal(there, picture));
      EXPECT_TRUE(at::equal(pictures.up(picture.mul(0.3)), picture.mul(0.3))) << "not of 8 bit";
      const DevicePictures::Saved saved = pictures.down(there.mul(1.2).sub(0.1));
      EXPECT_EQ(saved.raster.samples, to_raster(picture.mul(1.2).sub(0.1)).samples);
      EXPECT_FLOAT_EQ(static_cast<float>(saved.spread),
                      picture.mul(1.2).sub(0.1).std({1, 2}, /*unbiased=*/false).max().item<float>());
    });
  for (std::thread& thread : threads) thread.join();
}

TEST_F(DevicePipeline, OneColourHasNoSpreadWhateverItIs) {
  const Image flat = at::tensor({0.449F, 0.437F, 0.404F}).view({3, 1, 1}).expand({3, 20, 30}).contiguous();
  const Image pixel = flat.slice(1, 0, 1).slice(2, 0, 1).contiguous();
  Image blue = flat.clone();
  blue[2].copy_(test::textured(20, 30, 5)[2]);
  const auto expect_spreads = [&] {
    DevicePictures pictures("cpu", 1);
    EXPECT_LT(pictures.down(flat).spread, 1e-6);  // its mean is rounded to float32
    EXPECT_EQ(pictures.down(pixel).spread, 0);
    EXPECT_FLOAT_EQ(static_cast<float>(pictures.down(blue).spread),
                    blue[2].std(/*unbiased=*/false).item<float>());
  };
  expect_spreads();
  const test::Pretending pretending("none");
  expect_spreads();
}

// As it is decoded: grey, with alpha, of 16 bit.
TEST(CompactPicture, BecomesTheImageOfTheDecoder) {
  for (const int channels : {1, 2, 3, 4})
    for (const int depth : {8, 16}) {
      Raster raster{.width = 9, .height = 7, .channels = channels, .bit_depth = depth};
      raster.samples.resize(raster.row_bytes() * 7);
      for (std::size_t i = 0; i < raster.samples.size(); ++i)
        raster.samples[i] = static_cast<std::uint8_t>(31 * i + i / 7);
      const at::Tensor compact = compact_picture(raster);
      const bool bytes = compact.scalar_type() == at::kByte;
      EXPECT_EQ(bytes, depth == 8);
      EXPECT_TRUE(at::equal(bytes ? image_of_bytes(compact) : compact, to_image(raster)))
          << channels << " channels of " << depth << " bit";
    }
}

TEST_F(DevicePipeline, TheCpuIsNoDeviceByItself) {
  DevicePictures pictures("cpu", 1);
  const Image picture = test::textured(20, 20, 1);
  EXPECT_FALSE(pictures.remote());
  EXPECT_TRUE(pictures.up(picture).is_alias_of(picture));
}

// On a real one: networks sum in another order, so scores are a little further apart.
TEST(CudaDevicePipeline, GivesTheRecordsOfTheCpu) {
  UPBENCH_NEEDS_GPU();
  struct Sweeps : DevicePipeline {
    void TestBody() override {
      const Sweep here = sweep("cpu");
      run(here, "cpu.db");
      for (const std::string kernels : {"none", "all"}) {
        const test::ChosenKernels chosen(kernels);
        const Sweep there = sweep("cuda:0");
        run(there, kernels + ".db");
        expect_same(results(there, kernels + ".db"), results(here, "cpu.db"), 10);
      }
    }
  };
  Sweeps().TestBody();
}

}  // namespace
}  // namespace upbench
