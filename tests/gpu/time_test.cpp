// `run --time` on a device: memory, share of the peak, what the management library tells.
#include <memory>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "harness/timing/measure.h"
#include "harness/timing/nvml.h"
#include "harness/timing/session.h"
#include "harness/worker.h"
#include "on_device.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::IsEmpty;

// What the library tells of the GPU now is in the session as well, from the least to the greatest reading and
// within what hardware can be; what it does not tell is absent. nvml: null where there is no library. The
// session has seen a lap.
void expect_gpu_facts(const nlohmann::json& session, const Nvml* nvml) {
  ASSERT_EQ(session.contains("gpu"), nvml != nullptr) << session;
  if (nvml == nullptr) return;
  const GpuReading reading = nvml->read();
  const nlohmann::json& gpu = session.at("gpu");
  const auto expect_range = [&](const char* name, const std::optional<double>& told, double most) {
    ASSERT_EQ(gpu.contains(name), told.has_value()) << name;
    if (!told) return;
    const double least = gpu.at(name).at(0), greatest = gpu.at(name).at(1);
    EXPECT_GT(least, 0) << name;
    EXPECT_LE(least, greatest) << name;
    EXPECT_LT(greatest, most) << name;
  };
  expect_range("clock_mhz", reading.clock_mhz, 10'000);
  expect_range("temperature_c", reading.temperature_c, 130);
  expect_range("power_w", reading.power_w, 5'000);
  EXPECT_EQ(gpu.contains("power_limit_w"), reading.power_limit_w.has_value());
  EXPECT_TRUE(gpu.at("throttle").is_array());
}

TEST(TimedFacts, OfAGpuAreWhatTheLibraryTells) {
  const test::ScopedVariable library("UPBENCH_NVML", UPBENCH_FAKE_NVML),
      driver("UPBENCH_CUDA_DRIVER", UPBENCH_FAKE_NVML);
  for (const char* said : {"", "throttled", "no-driver"}) {
    const test::ScopedVariable fake("FAKE_NVML", said);
    TimingSession session("cuda:0");
    SubjectTimes times;
    session.begin_lap();
    session.end_lap(times.samples.emplace_back());
    session.add(times);
    expect_gpu_facts(session.facts(), Nvml::open(0).get());
  }
}

class Timed : public test::OnDevice<> {
 protected:
  Sweep sweep() const {
    const std::string precisions = on_gpu() ? "[fp32, tf32, fp16, bf16]" : "[fp32]";
    Spec spec = parse_spec(
        "name: t\nimages: {procedural: {count: 1, size: 192}, lr: {scale: 2}}\nmetrics: [mse]\n"
        "pipeline: [{upscale: {model: compact-x2, precision: " +
            precisions + ", tile: [none, {size: 48, context: 8}]}}]\ntiming: none\n",
        "t.yaml", ".");
    return prepare_sweep(std::move(spec), {.device = device(), .threads = 2});
  }
  std::unique_ptr<Nvml> nvml() const { return on_gpu() ? Nvml::open(0) : nullptr; }

  void expect_peaks(const nlohmann::json& peaks) const {
    for (const char* name : {"fp32_flops", "bf16_flops", "copy_bytes_per_s"})
      EXPECT_GT(peaks.at(name).get<double>(), 0) << name;
    for (const char* name : {"fp16_flops", "tf32_flops"})
      EXPECT_EQ(peaks.at(name).get<double>() > 0, on_gpu()) << name << " is measured on GPUs only";
  }

  test::TemporaryFolder folder_;
};
UPBENCH_ON_CPU_AND_GPU(Timed);

TEST_P(Timed, CellsHaveTheirMemoryAndTheirShareOfThePeak) {
  const Sweep asked = sweep();
  Store store((folder_ / "t.db").string());
  run_sweep(asked, store, {});
  EXPECT_FALSE(settings_in_force().tf32) << "the peak of fp32 would be that of TF32";
  const MeasureResult result = measure_model_times(asked, store, {.thorough = true, .budget_s = 5});
  EXPECT_THAT(result.failures, IsEmpty());
  EXPECT_EQ(result.measured, asked.plan.rows.trials.size());

  const auto weights = static_cast<double>(asked.models.at("\"compact-x2\"").weight_bytes);
  const double output = 3.0 * 192 * 192 * sizeof(float);
  store.for_each_trial(asked.plan.rows.run.key, [&](const TrialResult& trial) {
    ASSERT_NE(trial.model_time, "");
    const auto facts = nlohmann::json::parse(trial.model_time);
    SCOPED_TRACE(facts.dump());
    const auto stages = nlohmann::json::parse(asked.plan.rows.cells[trial.cell].settings);
    const std::string precision = stages.at(0).at("settings").at("precision");
    const bool halved = precision == "fp16" || precision == "bf16";
    EXPECT_GT(facts.at("peak_bytes").get<double>(), (halved ? weights / 2 : weights) + output);
    EXPECT_GT(facts.at("peak_share").get<double>(), 0);
    EXPECT_LT(facts.at("peak_share").get<double>(), 1.5);  // fewer products than counted: Winograd, on CPUs
    EXPECT_GE(facts.at("samples").get<int>(), 1);
    if (const auto library = nvml(); library != nullptr) {
      EXPECT_EQ(facts.contains("energy_source"), library->energy_j().has_value());
    }
    const auto session =
        nlohmann::json::parse(store.timing_session(parse_digest(facts.at("session").get<std::string>())));
    EXPECT_EQ(session.at("device"), device());
    expect_peaks(session.at("peaks"));
    expect_gpu_facts(session, nvml().get());
  });
}

}  // namespace
}  // namespace upbench
