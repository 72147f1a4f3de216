#pragma once

#include <string>

#include <gtest/gtest.h>

#include "datasets/device/module.h"
#include "harness/device.h"

namespace upbench::test {

// Why device cuda:0 cannot be used here; empty: it can. Asked before any test computes (gpu_first.cpp).
inline std::string no_gpu() {
  static const std::string reason = []() -> std::string {
    try {
      open_device("cuda:0");
      return {};
    } catch (const DeviceError& error) {
      return error.what();
    }
  }();
  return reason;
}

// Why our own kernels cannot run here.
inline std::string no_kernels() {
  return no_gpu().empty() ? cuda_module().problem : no_gpu();
}

}  // namespace upbench::test

#define UPBENCH_NEEDS_GPU() \
  if (!upbench::test::no_gpu().empty()) GTEST_SKIP() << upbench::test::no_gpu()
#define UPBENCH_NEEDS_KERNELS() \
  if (!upbench::test::no_kernels().empty()) GTEST_SKIP() << upbench::test::no_kernels()
