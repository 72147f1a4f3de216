// Before any test of the program: LibTorch is asked for CUDA by a test's first convolution, on the CPU as
// well, and a GPU that is opened after that is none (harness/device.h).
#include "gpu.h"

namespace upbench {
namespace {

class GpuFirst final : public testing::Environment {
 public:
  void SetUp() override { test::no_gpu(); }
};

[[maybe_unused]] testing::Environment* const gpu_first = testing::AddGlobalTestEnvironment(new GpuFirst);

}  // namespace
}  // namespace upbench
