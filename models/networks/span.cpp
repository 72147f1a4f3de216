#include "models/networks/span.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "models/networks/derive.h"
#include "models/networks/layers.h"
#include "models/networks/windows.h"

namespace upbench {
namespace {

constexpr std::string_view kRunWeight = ".eval_conv.weight";

at::Tensor span(Layers& layers, const at::Tensor& x, const SpanShape& shape) {
  const auto conv = [&](const std::string& name, const at::Tensor& y, const Activation& then = {}) {
    return layers.conv(name + ".eval_conv", y, shape.features, {.then = then});
  };
  const at::Tensor first = conv("conv_1", shape.normalised ? (x - div2k_mean(layers, x)) * 255 : x);
  at::Tensor y = first, after_first_block, inside_last_block;
  for (int i = 1; i <= shape.blocks; ++i) {
    const std::string block = fmt::format("block_{}.", i);
    inside_last_block = conv(block + "c1_r", y, kSilu);
    const at::Tensor o = conv(block + "c3_r", conv(block + "c2_r", inside_last_block, kSilu));
    y = layers.product(o.sigmoid().sub_(0.5), o + y);
    if (i == 1) after_first_block = y;
  }
  // The last of the four is what follows SiLU although the paper's figure shows what precedes it: the
  // authors' SiLU works in place.
  const at::Tensor all = at::cat({first, conv("conv_2", y), after_first_block, inside_last_block}, 1);
  if (!shape.normalised) layers.ignored("no_norm", {1});
  return layers.shuffled_conv("upsampler.0", layers.conv("conv_cat", all, shape.fused, {.kernel = 1}),
                              shape.scale);
}

NetworkDefinition definition(const SpanShape& shape) {
  return [shape](Layers& layers, const at::Tensor& x) { return span(layers, x, shape); };
}

void add_weight_and_bias(Layout& layout, const std::string& name, const std::vector<std::int64_t>& shape) {
  layout[name + ".weight"] = {.shape = shape, .canonical = name + ".weight"};
  layout[name + ".bias"] = {.shape = {shape[0]}, .canonical = name + ".bias"};
}

// The training form consists of the run form's tensors, unused, and beside each those it is fused from.
Layout training_layout(const Layout& run, std::int64_t gain) {
  Layout layout = run;
  for (const auto& [name, expected] : run) {
    if (!name.ends_with(kRunWeight)) continue;
    const std::string conv = name.substr(0, name.size() - kRunWeight.size());
    const std::int64_t out = expected.shape[0], in = expected.shape[1];
    for (const char* tensor : {".eval_conv.weight", ".eval_conv.bias"})
      layout[conv + tensor].use = ExpectedTensor::Use::ignored;
    add_weight_and_bias(layout, conv + ".sk", {out, in, 1, 1});
    add_weight_and_bias(layout, conv + ".conv.0", {in * gain, in, 1, 1});
    add_weight_and_bias(layout, conv + ".conv.1", {out * gain, in * gain, 3, 3});
    add_weight_and_bias(layout, conv + ".conv.2", {out, out * gain, 1, 1});
  }
  return layout;
}

}  // namespace

NamedTensors fuse_span(const NamedTensors& training) {
  NamedTensors run;
  for (const auto& [name, tensor] : training) {
    const std::size_t part = name.find(".sk.weight");
    if (part == std::string::npos) {
      if (name.find(".sk.") == std::string::npos && name.find(".conv.") == std::string::npos)
        run[name] = tensor;
      continue;
    }
    const std::string conv = name.substr(0, part);
    const auto at_name = [&](const char* rest) { return training.at(conv + rest).to(at::kDouble); };
    const auto matrix = [&](const char* rest) { return at_name(rest).flatten(1); };
    // With paddings of the input alone and none inside, the three in a row are one 3x3 convolution:
    // w[o, i] = sum over j, k of w2[o, j] w1[j, k] w0[k, i].
    const at::Tensor w1 = at_name(".conv.1.weight");
    at::Tensor weight =
        at::einsum("oj,jkyx,ki->oiyx", {matrix(".conv.2.weight"), w1, matrix(".conv.0.weight")});
    weight.select(2, 1).select(2, 1).add_(matrix(".sk.weight"));
    const at::Tensor inner = at::mv(w1.sum({2, 3}), at_name(".conv.0.bias")) + at_name(".conv.1.bias");
    const at::Tensor bias =
        at::mv(matrix(".conv.2.weight"), inner) + at_name(".conv.2.bias") + at_name(".sk.bias");
    run[conv + ".eval_conv.weight"] = weight.to(tensor.scalar_type());
    run[conv + ".eval_conv.bias"] = bias.to(tensor.scalar_type());
  }
  return run;
}

std::optional<NetworkMatch> match_span(const NamedTensors& tensors) {
  if (conv_size(tensors, "block_1.c1_r.eval_conv", 0) == 0) return {};
  NetworkMatch match;
  match.architecture = "SPAN";
  const std::string scale = set_scale(match, tensors, "upsampler.0");
  SpanShape shape{.features = conv_size(tensors, "conv_1.eval_conv", 0),
                  .fused = conv_size(tensors, "conv_cat", 0),
                  .blocks = count_blocks(tensors, "block_", 1),
                  .normalised = !tensors.contains("no_norm"),
                  .gain = 0,
                  .scale = match.scale};
  set_hyper_parameters(
      match, {{"features", shape.features}, {"fused", shape.fused}, {"blocks", shape.blocks, kMostBlocks}});
  match.hyper_parameters.emplace_back("input", shape.normalised ? "255 (x - mean of DIV2K)" : "0..1");
  const bool trains = tensors.contains("conv_1.sk.weight");
  if (trains) {
    const std::int64_t in = conv_size(tensors, "block_1.c1_r.conv.0", 1);
    shape.gain = in > 0 ? conv_size(tensors, "block_1.c1_r.conv.0", 0) / in : 0;
    set_hyper_parameters(match, {{"gain", shape.gain, 16}});
  }
  match.hyper_parameters.emplace_back("form", trains ? "training" : "run");
  match.recognised_by = fmt::format(
      "block_1.c1_r.eval_conv and conv_1.eval_conv, which gives {} features: {} blocks{}; {}", shape.features,
      shape.blocks, trains ? "; fused from conv_1.sk, conv_1.conv.0 and their kind" : "", scale);
  // Three 3x3 convolutions a block, one before and one behind the blocks, one before the shuffle.
  match.receptive_radius = static_cast<int>(3 * shape.blocks + 3);
  if (!match.problem.empty()) return match;
  define(match, definition(shape));
  if (!trains || !match.problem.empty()) return match;
  match.layout = training_layout(match.layout, shape.gain);
  match.bind = [run = match.bind](const NamedTensors& weights) { return run(fuse_span(weights)); };
  return match;
}

Layout span_layout(const SpanShape& shape) {
  const Layout run = layout_of(definition(shape));
  return shape.gain > 0 ? training_layout(run, shape.gain) : run;
}

}  // namespace upbench
