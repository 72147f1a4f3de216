#include "tests/models/diffusion/networks/unet_layouts.h"

#include <cmath>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "models/diffusion/networks/unet_trunk.h"

namespace upbench::test {

UNetFacts stable_diffusion_1() {
  return {.in_channels = 4,
          .out_channels = 4,
          .channels = {320, 640, 1280, 1280},
          .blocks_per_level = 2,
          .transformer_depth = {1, 1, 1, 0},
          .middle_depth = 1,
          .context_width = 768,
          .heads = {8, 8, 8, 8},
          .context_only = {false, false, false, false}};
}

UNetFacts stable_diffusion_2() {
  UNetFacts facts = stable_diffusion_1();
  facts.context_width = 1024;
  facts.linear_projections = true;
  facts.heads = {5, 10, 20, 20};
  return facts;
}

UNetFacts sdxl_base() {
  return {.in_channels = 4,
          .out_channels = 4,
          .channels = {320, 640, 1280},
          .blocks_per_level = 2,
          .transformer_depth = {0, 2, 10},
          .middle_depth = 10,
          .context_width = 2048,
          .linear_projections = true,
          .vector_width = 2816,
          .heads = {0, 10, 20},
          .context_only = {false, false, false}};
}

UNetFacts sdxl_refiner() {
  return {.in_channels = 4,
          .out_channels = 4,
          .channels = {384, 768, 1536, 1536},
          .blocks_per_level = 2,
          .transformer_depth = {0, 4, 4, 0},
          .middle_depth = 4,
          .context_width = 1280,
          .linear_projections = true,
          .vector_width = 2560,
          .heads = {0, 12, 24, 24},
          .context_only = {false, false, false, false}};
}

UNetFacts x4_upscaler() {
  return {.in_channels = 7,
          .out_channels = 4,
          .channels = {256, 512, 512, 1024},
          .blocks_per_level = 2,
          .transformer_depth = {0, 1, 1, 1},
          .middle_depth = 1,
          .context_width = 1024,
          .linear_projections = true,
          .class_labels = 1000,
          .heads = {0, 8, 8, 8},
          .context_only = {false, true, true, false}};
}

NamedTensors meta_tensors(const UNetFacts& facts) {
  Declaration declaration;
  Layers layers(declaration);
  unet(layers, facts, declared_input(facts, 8, 8, 1));
  NamedTensors tensors;
  for (const auto& [name, expected] : declaration.layout)
    tensors.emplace(name, at::empty(expected.shape, at::TensorOptions(at::kMeta)));
  return tensors;
}

NamedTensors random_weights(const Layout& layout, std::uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  NamedTensors tensors;
  for (const auto& [name, expected] : layout) {
    const at::Tensor noise = at::randn(expected.shape, generator);
    const bool is_norm = expected.shape.size() == 1 && name.ends_with("weight");
    const double deviation =
        expected.shape.size() == 1 ? 0.1 : 1 / std::sqrt(static_cast<double>(noise[0].numel()));
    tensors.emplace(name, noise * deviation + (is_norm ? 1 : 0));
  }
  return tensors;
}

double parameters(const NamedTensors& tensors) {
  double count = 0;
  for (const auto& [name, tensor] : tensors) count += static_cast<double>(tensor.numel());
  return count;
}

}  // namespace upbench::test
