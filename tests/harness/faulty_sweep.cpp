#include "tests/harness/faulty_sweep.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace upbench::test {
namespace {

constexpr int kDeviceAssert = 710;
constexpr char kSpec[] = R"(name: faults
images: {procedural: {count: 4, size: 64, seed: 5}, lr: {scale: 2}}
pipeline:
  - upscale: {UPSCALE}
metrics: [psnr-y]
timing: none
)";

}  // namespace

void lose_device() {
  throw c10::AcceleratorError({"f", "g", 1}, kDeviceAssert, "device-side assert triggered");
}

at::Tensor LosesDeviceOnOnePicture::operator()(const at::Tensor& enlarged, int) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->picture.defined()) state_->picture = enlarged.clone();
  if (at::equal(state_->picture, enlarged)) {
    ++state_->losses;
    lose_device();
  }
  return enlarged;
}

Sweep FaultySweep::sweep(const std::string& tile, int threads) {
  return sweep_of("model: nearest, tile: " + tile, threads);
}

Sweep FaultySweep::sweep_of(const std::string& upscale, int threads) {
  std::string text = kSpec;
  text.replace(text.find("UPSCALE"), 7, upscale);
  return prepare_sweep(parse_spec(text, "faults.yaml", "."), {.device = "cpu", .threads = threads});
}

WorkerResult FaultySweep::run(const Sweep& sweep, Fake::Function function) {
  Store store(file());
  WorkerOptions worker = options(std::move(function));
  worker.on_notice = [this](const std::string& text) { notices_.push_back(text); };
  return run_sweep(sweep, store, worker);
}

WorkerOptions FaultySweep::options(Fake::Function function) {
  WorkerOptions options{.keep_outputs = KeepOutputs::none};
  options.load_model = [fake = std::make_shared<Fake>(std::move(function))](const nlohmann::json&) {
    return fake;
  };
  return options;
}

std::vector<TrialResult> FaultySweep::results(const Sweep& sweep) const {
  const Store store(file(), Store::Access::read);
  std::vector<TrialResult> all;
  store.for_each_trial(sweep.plan.rows.run.key, [&](const TrialResult& trial) { all.push_back(trial); });
  return all;
}

std::vector<std::string> FaultySweep::reasons(const Sweep& sweep) const {
  std::vector<std::string> all;
  for (const TrialResult& trial : results(sweep))
    if (trial.status == Status::failed) all.push_back(trial.reason);
  return all;
}

nlohmann::json FaultySweep::used(const Sweep& sweep, std::size_t trial) const {
  const Store store(file(), Store::Access::read);
  return nlohmann::json::parse(store.output(results(sweep).at(trial).output).value().used);
}

Progress FaultySweep::counts(const Sweep& sweep) const {
  return Store(file(), Store::Access::read).progress(sweep.plan.rows.run.key);
}

int FaultySweep::exit_code(const Sweep& sweep) const {
  return counts(sweep).failed > 0 ? 3 : 0;  // cli/command.h: exit_incomplete, exit_ok
}

std::string FaultySweep::told(const Sweep& sweep) const {
  const Progress now = counts(sweep);
  std::string text = fmt::format("{} ok, {} failed\n{}\n", now.ok, now.failed, fmt::join(notices_, "\n"));
  const Store store(file(), Store::Access::read);
  for (const TrialResult& trial : results(sweep)) {
    text += fmt::format("{} [{}]\n", trial.reason, fmt::join(trial.flags, ", "));
    if (const auto output = store.output(trial.output)) text += output->used + "\n";
  }
  return text;
}

}  // namespace upbench::test
