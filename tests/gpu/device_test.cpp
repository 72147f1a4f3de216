#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "gpu.h"
#include "harness/cuda_driver.h"

namespace upbench {
namespace {

// The fake driver of fake_driver.cpp.
DriverReport ask_fake(const char* says) {
  setenv("FAKE_DRIVER", says, 1);
  return ask_driver(UPBENCH_FAKE_DRIVER);
}

TEST(CudaDriver, ThatIsAbsentIsOneLine) {
  const DriverReport report = ask_driver("libthere_is_none.so.1");
  EXPECT_FALSE(report.present);
  EXPECT_EQ(report.problem, "no NVIDIA driver (libcuda.so.1 cannot be loaded)");
}

TEST(CudaDriver, ThatWorksNamesItsGpus) {
  const DriverReport report = ask_fake("13010 0 2");
  EXPECT_EQ(report.problem, "");
  EXPECT_EQ(report.version, 13010);
  ASSERT_EQ(report.gpus.size(), 2U);
  EXPECT_EQ(report.gpus[1].name, "Fake GPU");
  EXPECT_EQ(report.gpus[1].major, 9);
  EXPECT_EQ(report.gpus[1].minor, 0);
  EXPECT_EQ(report.gpus[1].memory_bytes, std::uint64_t{80} << 30);
}

TEST(CudaDriver, ThatIsTooOldSaysBothVersions) {
  EXPECT_EQ(ask_fake("12040 0 1").problem,
            "the NVIDIA driver is for CUDA 12.4, LibTorch here needs 13.0: update the driver");
}

TEST(CudaDriver, WithoutAGpuSaysSo) {
  EXPECT_EQ(ask_fake("13000 100 0").problem,
            "the NVIDIA driver does not work: it finds no GPU (or CUDA_VISIBLE_DEVICES hides them all)");
  EXPECT_EQ(ask_fake("13000 0 0").problem, ask_fake("13000 100 0").problem);
}

TEST(CudaDriver, OfTwoVersionsSaysWhatToDo) {
  EXPECT_EQ(
      ask_fake("13000 803 1").problem,
      "the NVIDIA driver does not work: libcuda.so.1 and the kernel's driver are of different versions: "
      "reboot, or install one version of both");
}

TEST(CudaDriver, WithAnotherErrorGivesItsNumber) {
  EXPECT_EQ(ask_fake("13000 304 1").problem, "the NVIDIA driver does not work: CUDA error 304");
}

TEST(CudaDriver, OfAnotherLibraryIsNotOne) {
  EXPECT_EQ(ask_driver(UPBENCH_FAKE_MODULE).problem, "the NVIDIA driver is too old to be asked");
}

TEST(CudaDriver, OfTwoGpusHasThoseTwo) {
  const DriverReport two = ask_fake("13010 0 2");
  EXPECT_NO_THROW(require_gpus(two, {0}));
  EXPECT_NO_THROW(require_gpus(two, {1, 0}));
  EXPECT_THAT([&] { require_gpus(two, {0, 2}); },
              testing::ThrowsMessage<DeviceError>("no device cuda:2: expected an index below 2"));
  EXPECT_THAT([] { require_gpus(ask_fake("12040 0 2"), {1}); },
              testing::ThrowsMessage<DeviceError>(
                  "device cuda:1: the NVIDIA driver is for CUDA 12.4, LibTorch here needs 13.0: update the "
                  "driver; --device cpu works without one"));
}

TEST(Device, RequestsNameGpus) {
  EXPECT_EQ(gpus_asked_for("cuda"), std::vector<int>{0});
  EXPECT_EQ(gpus_asked_for("cuda:3"), std::vector<int>{3});
  EXPECT_EQ(gpus_asked_for("cuda:1,cuda:0"), (std::vector<int>{1, 0}));
  for (const std::string wrong : {"cuda:", "cuda:-1", "cuda:0,", "cuda:0,1", "cuda:0,cpu", "cuda:1x"})
    EXPECT_THAT([&] { gpus_asked_for(wrong); }, testing::ThrowsMessage<std::invalid_argument>(
                                                    testing::HasSubstr("expected cuda:N with N = 0, 1, ...")))
        << wrong;
  EXPECT_THAT([] { gpus_asked_for("cuda:1,cuda:1"); },
              testing::ThrowsMessage<std::invalid_argument>("device 'cuda:1,cuda:1': cuda:1 is named twice"));
  EXPECT_THAT([] { open_device("gpu"); },
              testing::ThrowsMessage<std::invalid_argument>(
                  "unknown device 'gpu': expected auto, cpu, cuda:N or cuda:0,cuda:1"));
}

TEST(CudaModule, ThatIsAbsentIsSaidToBe) {
  const LoadedCudaModule loaded = load_cuda_module("/nowhere/libupbench_cuda.so");
  EXPECT_EQ(loaded.module, nullptr);
  EXPECT_EQ(loaded.problem, "/nowhere/libupbench_cuda.so is absent: this upbench was built without nvcc");
}

TEST(CudaModule, OfAnotherVersionIsRefused) {
  const LoadedCudaModule loaded = load_cuda_module(UPBENCH_FAKE_MODULE);
  EXPECT_EQ(loaded.module, nullptr);
  EXPECT_NE(loaded.problem.find("is of version 999, this upbench expects 4"), std::string::npos)
      << loaded.problem;
}

TEST(CudaModule, OfAnotherKindIsRefused) {
  EXPECT_NE(load_cuda_module(UPBENCH_FAKE_DRIVER).problem.find("is not a CUDA module"), std::string::npos);
}

// Where nvcc was there at build time it loads without a GPU too: what is missing is found here, not on a GPU
// machine.
TEST(CudaModule, LoadsWhereItWasBuilt) {
  if (!std::filesystem::exists(UPBENCH_CUDA_MODULE)) GTEST_SKIP() << "built without nvcc";
  const CudaModuleStatus status = cuda_module_status();
  ASSERT_TRUE(status.usable) << status.text;
  EXPECT_EQ(status.text.rfind("version 4, nvcc 13.", 0), 0U) << status.text;
  EXPECT_STREQ(cuda_module().module->error_text(2), "out of memory");
}

TEST(Device, AutoIsTheCpuWithoutAGpu) {
  if (test::no_gpu().empty()) GTEST_SKIP() << "there is a GPU";
  EXPECT_EQ(open_device("auto").name, "cpu");
  try {
    open_device("cuda:0");
    FAIL();
  } catch (const DeviceError& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_NE(text.find("--device cpu works without one"), std::string::npos) << text;
  }
}

TEST(CudaDevice, IsDescribed) {
  UPBENCH_NEEDS_GPU();
  const DeviceInfo info = open_device("cuda");
  EXPECT_EQ(info.name, "cuda:0");
  EXPECT_GT(info.memory_bytes, 0U);
  EXPECT_NE(info.description.find("compute capability"), std::string::npos) << info.description;
  EXPECT_EQ(open_device("auto").name, "cuda:0");
  EXPECT_THROW(open_device("cuda:99"), DeviceError);
}

}  // namespace
}  // namespace upbench
