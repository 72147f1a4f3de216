#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "harness/worker.h"
#include "tests/support/assets.h"

// A sweep whose network is a function of the test's: what fails in it, and with it the device, is up to the
// test.
namespace upbench::test {

// The model `nearest` of a sweep, with one function in its place.
class Fake final : public Upscaler, public std::enable_shared_from_this<Fake> {
 public:
  using Function = std::function<at::Tensor(const at::Tensor& enlarged, int call)>;
  explicit Fake(Function function) : function_(std::move(function)) { info_.name = "fake"; }
  const UpscalerInfo& info() const override { return info_; }
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    return function_(batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3), calls_++);
  }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override {
    return shared_from_this();
  }

 private:
  UpscalerInfo info_;
  Function function_;
  mutable std::atomic<int> calls_ = 0;
};

inline at::Tensor as_it_is(const at::Tensor& enlarged, int) {
  return enlarged;
}

// Throws what LibTorch throws for a failed assertion in a kernel, after which the device is lost.
[[noreturn]] void lose_device();

// Loses the device at every run of the picture that it saw first.
class LosesDeviceOnOnePicture {
 public:
  at::Tensor operator()(const at::Tensor& enlarged, int);
  int losses() const { return state_->losses; }

 private:
  struct State {
    std::mutex mutex;
    at::Tensor picture;
    std::atomic<int> losses = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

class FaultySweep : public testing::Test {
 protected:
  static constexpr int kPictures = 4;

  static Sweep sweep(const std::string& tile = "none", int threads = 1);
  static Sweep sweep_of(const std::string& upscale, int threads = 1);  // settings of the stage
  WorkerResult run(const Sweep& sweep, Fake::Function function);
  static WorkerOptions options(Fake::Function function);
  std::vector<TrialResult> results(const Sweep& sweep) const;
  std::vector<std::string> reasons(const Sweep& sweep) const;  // of failed trials
  nlohmann::json used(const Sweep& sweep, std::size_t trial = 0) const;

  // As `run` ends where no device was lost, and all that the store has to say.
  int exit_code(const Sweep& sweep) const;
  std::string told(const Sweep& sweep) const;
  std::filesystem::path file() const { return folder_ / "s.db"; }

  std::vector<std::string> notices_;  // of run()

 private:
  Progress counts(const Sweep& sweep) const;

  TemporaryFolder folder_;
};

}  // namespace upbench::test
