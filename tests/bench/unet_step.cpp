// One UNet's steps, each when asked for, so that another program's can be run in turns with them
// (scripts/full_size_parity.py).
//
//   upbench_unet_step WEIGHTS INPUTS OUTPUT THREADS
//
// WEIGHTS: safetensors by diffusers' names; INPUTS: latents, timesteps, context, and vector or labels where
// the network takes them. Reads lines from stdin until it ends; for each it runs a step and prints the
// seconds: of the processor for one thread, else of the clock. The first step's result is written to OUTPUT
// as `output`.

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include "datasets/allocator.h"
#include "models/checkpoint/checkpoint.h"
#include "models/diffusion/networks/unet.h"
#include "tests/support/processor_time.h"

namespace upbench {
namespace {

UNetInput input_of(const NamedTensors& tensors) {
  const auto optional = [&](const char* name) {
    const auto found = tensors.find(name);
    return found == tensors.end() ? at::Tensor() : found->second;
  };
  return {.latents = tensors.at("latents"),
          .timesteps = tensors.at("timesteps"),
          .context = tensors.at("context"),
          .vector = optional("vector"),
          .labels = optional("labels")};
}

void answer(const std::string& weights_file, const std::string& inputs, const std::string& output,
            int threads) {
  const c10::InferenceMode no_gradients;
  at::set_num_threads(threads);
  const NamedTensors weights = read_checkpoint(weights_file).tensors;
  const UNetFunction unet = bind_unet(unet_facts(weights), weights);
  const UNetInput input = input_of(read_checkpoint(inputs).tensors);
  bool is_first = true;
  for (std::string line; std::getline(std::cin, line);) {
    const double start = test::clock_of(threads);
    const at::Tensor result = unet(input);
    const double seconds = test::clock_of(threads) - start;
    if (is_first) write_safetensors(output, {{"output", result.contiguous()}});
    is_first = false;
    fmt::print("{:.6f}\n", seconds);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace upbench

int main(int argc, char** argv) {
  if (argc != 5) {
    fmt::print(stderr, "usage: upbench_unet_step WEIGHTS INPUTS OUTPUT THREADS\n");
    return 2;
  }
  upbench::keep_freed_memory();
  try {
    upbench::answer(argv[1], argv[2], argv[3], std::stoi(argv[4]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "upbench_unet_step: {}\n", error.what());
    return 2;
  }
  return 0;
}
