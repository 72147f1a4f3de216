#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace upbench {

struct Gpu {
  std::string name;          // "NVIDIA H200"
  int major = 0, minor = 0;  // compute capability
  std::uint64_t memory_bytes = 0;
};

struct DriverReport {
  bool present = false;  // there is a driver, whether or not it works
  std::string problem;   // one line: why no GPU can be used; empty: they can
  int version = 0;       // the CUDA that the driver supports, 13000 for 13.0
  std::vector<Gpu> gpus;
};

// Asks the NVIDIA driver itself, before any CUDA library is loaded: a driver that is absent, too old or
// broken gives one clear line in milliseconds. library: for tests.
DriverReport ask_driver(const std::string& library = "libcuda.so.1");

}  // namespace upbench
