#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace upbench {

// What the device reaches on the two simplest tasks, here and now: the yardstick for "share of the peak".
// FLOP/s: two for each multiply-accumulate.
struct Peaks {
  double fp32_flops = 0;        // square matrix product; TF32 off unless the program has it on
  double bf16_flops = 0;        // operands bfloat16; 0: the device cannot
  double fp16_flops = 0;        // measured on GPUs only; 0: not measured
  double tf32_flops = 0;        // likewise
  double copy_bytes_per_s = 0;  // read plus written, of a buffer beyond the caches
};

// Best of several runs, each long enough for the clock; about half a second on a CPU. `threads` on the CPU.
Peaks measure_peaks(const std::string& device, int threads);

// Of the precision's matrix product ("fp32", "tf32", "bf16", "fp16"); 0: not measured.
double peak_flops(const Peaks& peaks, const std::string& precision);

nlohmann::json to_json(const Peaks& peaks);

}  // namespace upbench
