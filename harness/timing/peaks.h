#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace upbench {

// What the device reaches on the simplest tasks, here and now: the yardstick for "share of the peak". FLOP/s:
// two for each multiply-accumulate, of a square matrix product; on a CPU of a 3x3 convolution where that is
// faster, since MKL multiplies at less than half of oneDNN's rate on AMD processors with AVX-512.
struct Peaks {
  double fp32_flops = 0;        // TF32 off unless the program has it on
  double bf16_flops = 0;        // operands bfloat16; 0: the device cannot
  double fp16_flops = 0;        // measured on GPUs only; 0: not measured
  double tf32_flops = 0;        // likewise
  double copy_bytes_per_s = 0;  // read plus written, of a buffer beyond the caches
};

// Best of several runs, each long enough for the clock; about half a second on a CPU. `threads` on the CPU.
Peaks measure_peaks(const std::string& device, int threads);

// Of arithmetic in "fp32", "tf32", "bf16" or "fp16"; 0: not measured.
double peak_flops(const Peaks& peaks, const std::string& precision);

nlohmann::json to_json(const Peaks& peaks);

}  // namespace upbench
