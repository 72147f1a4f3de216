#pragma once

#include <ostream>
#include <string>

#include "datasets/device/pixels.h"
#include "emulated_kernels.h"

namespace upbench::test {

// Which kernels are chosen, until the end of the scope.
class ChosenKernels {
 public:
  explicit ChosenKernels(const std::string& list) : before_(kernel_choice()) {
    set_kernel_choice(parse_kernel_choice(list));
  }
  ~ChosenKernels() { set_kernel_choice(before_); }
  ChosenKernels(const ChosenKernels&) = delete;
  ChosenKernels& operator=(const ChosenKernels&) = delete;

 private:
  KernelChoice before_;
};

// The CPU taken for a device, with these kernels emulated.
class Pretending {
 public:
  explicit Pretending(const std::string& kernels) : kernels_(kernels), device_(emulated_kernels()) {}

 private:
  ChosenKernels kernels_;
  PretendedDevice device_;
};

}  // namespace upbench::test
