// A libtorch_cuda.so that was built for other GPUs: it finds one, and nothing runs there.
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

namespace at {

// LibTorch asks its registry for a class of this name.
struct CUDAHooks final : CUDAHooksInterface {
  explicit CUDAHooks(CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  DeviceIndex deviceCount() const override { return 1; }
};

REGISTER_CUDA_HOOKS(CUDAHooks)

}  // namespace at

namespace upbench::test {
namespace {

constexpr int kNoKernelImage = 209;  // driver_types.h

void fail(const c10::OperatorHandle&, torch::jit::Stack*) {
  throw c10::AcceleratorError({"fail", "fake_libtorch_cuda.cpp", 1}, kNoKernelImage,
                              "CUDA error: no kernel image is available for execution on the device\n"
                              "Search for `cudaErrorNoKernelImageForDevice' in ...");
}

// Every operator that has no kernel of its own for CUDA: all of them.
TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&fail>());
}

}  // namespace
}  // namespace upbench::test
