#include <algorithm>
#include <array>
#include <charconv>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include "models/networks/rrdb.h"

namespace upbench {
namespace {

constexpr std::array kSpellings{RrdbSpelling::old_esrgan, RrdbSpelling::trunk, RrdbSpelling::basicsr};

// The names of one network in one spelling, without ".weight" and ".bias".
struct Names {
  RrdbSpelling spelling;
  int blocks, upsamplers;

  bool old() const { return spelling == RrdbSpelling::old_esrgan; }
  // Old ESRGAN numbers the layers of one sequence: 0 first, 1 blocks, then (enlarge, convolution, activation)
  // for each upsampler, convolution, activation, convolution.
  std::string first() const { return old() ? "model.0" : "conv_first"; }
  std::string dense(int block, int index) const {
    switch (spelling) {
      case RrdbSpelling::old_esrgan:
        return fmt::format("model.1.sub.{}.RDB{}.", block, index);
      case RrdbSpelling::trunk:
        return fmt::format("RRDB_trunk.{}.RDB{}.", block, index);
      case RrdbSpelling::basicsr:
        return fmt::format("body.{}.rdb{}.", block, index);
    }
    return {};
  }
  std::string convolution(int block, int index, int k) const {
    return fmt::format("{}conv{}{}", dense(block, index), k, old() ? ".0" : "");
  }
  std::string shortcut(int block, int index) const { return dense(block, index) + "conv1x1"; }
  std::string trunk() const {
    return old() ? fmt::format("model.1.sub.{}", blocks) : pick("trunk_conv", "conv_body");
  }
  std::string upsampler(int k) const {
    return old() ? fmt::format("model.{}", 3 * k) : fmt::format("{}{}", pick("upconv", "conv_up"), k);
  }
  std::string high() const {
    return old() ? fmt::format("model.{}", 3 * upsamplers + 2) : pick("HRconv", "conv_hr");
  }
  std::string last() const { return old() ? fmt::format("model.{}", 3 * upsamplers + 4) : "conv_last"; }

 private:
  std::string pick(const char* trunk_name, const char* basicsr_name) const {
    return spelling == RrdbSpelling::trunk ? trunk_name : basicsr_name;
  }
};

bool has(const NamedTensors& tensors, const std::string& layer) {
  return tensors.contains(layer + ".weight");
}

// Size `dimension` of a convolution's weight; `otherwise` where the file lacks it or it is no convolution.
std::int64_t weight_size(const NamedTensors& tensors, const std::string& layer, int dimension,
                         std::int64_t otherwise) {
  const auto weight = tensors.find(layer + ".weight");
  return weight == tensors.end() || weight->second.dim() != 4 ? otherwise : weight->second.size(dimension);
}

// The number of layers `name(1)`, `name(2)`, ... that the file has.
template <class Name>
int count_layers(const NamedTensors& tensors, int from, Name name) {
  int count = 0;
  while (has(tensors, name(from + count))) ++count;
  return count;
}

// Old ESRGAN: the last layer's number is 3 upsamplers + 4.
int old_upsamplers(const NamedTensors& tensors) {
  int last = 0;
  for (const auto& [name, tensor] : tensors) {
    int number = 0;
    const std::string_view text = std::string_view(name).substr(std::min<std::size_t>(name.size(), 6));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (name.starts_with("model.") && error == std::errc() &&
        std::string_view(end, text.data() + text.size()) == ".weight") {
      last = std::max(last, number);
    }
  }
  return last >= 4 && last < 100 ? (last - 4) / 3 : 0;
}

// How far a result depends on the input, in input pixels. The trunk reaches 2 + 15 blocks feature pixels;
// behind it come two convolutions at full size, then one at each smaller size; how much of a feature pixel
// these leave depends on the phase. With upsamplers of x2: one of x3 reaches no further.
int receptive_radius(const RrdbShape& shape, int scale) {
  const int trunk = 2 + 15 * shape.blocks;
  int farthest = 0;
  for (int phase = 0; phase < shape.unshuffle; ++phase) {
    int low = phase * scale - 2, high = (phase + 1) * scale - 1 + 2;
    for (int k = 0; k < shape.upsamplers; ++k) {
      low = (low - 1) >> 1;
      high = (high + 1) >> 1;
    }
    farthest = std::max({farthest, phase - (low - trunk) * shape.unshuffle,
                         (high + trunk + 1) * shape.unshuffle - 1 - phase});
  }
  return farthest;
}

double macs_per_pixel(const RrdbShape& shape) {
  const auto n = static_cast<double>(shape.features), g = static_cast<double>(shape.growth);
  double dense = 9 * (n + 4 * g) * n + (shape.plus ? n * g : 0);
  for (int k = 0; k < 4; ++k) dense += 9 * (n + k * g) * g;
  double macs = 9 * (3.0 * shape.unshuffle * shape.unshuffle * n + n * n) + 3 * shape.blocks * dense;
  double pixels = 1;
  for (int k = 0; k < shape.upsamplers; ++k)
    macs += 9 * n * n * (pixels *= shape.enlargement * shape.enlargement);
  macs += 9 * pixels * (n * n + 3 * n);
  return macs / (shape.unshuffle * shape.unshuffle);
}

// The factor of a pixel unshuffle that makes 3 channels `channels`; 0 where there is none.
int unshuffle_factor(std::int64_t channels) {
  for (const int factor : {1, 2, 4}) {
    if (channels == 3 * factor * factor) return factor;
  }
  return 0;
}

RrdbShape shape_of(const NamedTensors& tensors, const Names& names) {
  const std::string sample = names.convolution(0, 1, 1);
  return {.features = weight_size(tensors, sample, 1, 64),
          .growth = weight_size(tensors, sample, 0, 32),
          .blocks = names.blocks,
          .upsamplers = names.upsamplers,
          .unshuffle = unshuffle_factor(weight_size(tensors, names.first(), 1, 3)),
          .plus = has(tensors, names.shortcut(0, 1))};
}

// The scale, or those between which the pictures choose, with the work and the binding.
void set_scales(NetworkMatch& match, const RrdbShape& shape, const Names& names) {
  if (!names.old() || shape.upsamplers != 1 || shape.unshuffle != 1) {
    match.scale = (1 << shape.upsamplers) / shape.unshuffle;
    match.macs_per_pixel = macs_per_pixel(shape);
    match.bind = [shape](const NamedTensors& weights) { return bind_rrdb(weights, shape); };
    return;
  }
  match.recognised_by += "; one upsampler is x2 or x3, whose networks have the same tensors";
  const auto at_scale = [shape](int scale) {
    RrdbShape one = shape;
    one.enlargement = scale;
    return one;
  };
  match.scales = {2, 3};
  for (const int scale : match.scales)
    match.macs_per_pixel = match.macs_by_scale[scale] = macs_per_pixel(at_scale(scale));
  match.bind_at = [at_scale](const NamedTensors& weights, int scale) {
    return bind_rrdb(weights, at_scale(scale));
  };
}

void describe(NetworkMatch& match, const RrdbShape& shape, const Names& names) {
  const int whole = 1 << shape.upsamplers;
  if (shape.unshuffle == 0) {
    match.problem = fmt::format("{} takes neither 3 channels nor 12 or 48 (pixel unshuffle)", names.first());
  } else if (whole % shape.unshuffle != 0) {
    match.problem = fmt::format("{} upsamplers after a pixel unshuffle by {} make the picture smaller",
                                shape.upsamplers, shape.unshuffle);
  } else if (shape.features == 0 || shape.growth == 0) {
    match.problem = "they have no channels";
  }
  match.recognised_by =
      fmt::format("{}.weight: dense blocks of {} features, growth {}; {} of them in threes; {} upsamplers",
                  names.convolution(0, 1, 1), shape.features, shape.growth, shape.blocks, shape.upsamplers);
  if (shape.plus) match.recognised_by += "; 1x1 shortcuts (ESRGAN+)";
  if (!match.problem.empty()) return;
  if (shape.unshuffle > 1)
    match.recognised_by +=
        fmt::format("; {} takes 3 x {}^2 channels: pixel unshuffle", names.first(), shape.unshuffle);
  match.size_multiple = shape.unshuffle;  // as Real-ESRGAN's own program
  if (shape.unshuffle == 2) match.spandrel_padding = PaddingRule{.size_multiple = 4};
  match.receptive_radius = receptive_radius(shape, whole / shape.unshuffle);
  match.hyper_parameters = {
      {"blocks", std::to_string(shape.blocks)},       {"features", std::to_string(shape.features)},
      {"growth", std::to_string(shape.growth)},       {"upsamplers", std::to_string(shape.upsamplers)},
      {"unshuffle", std::to_string(shape.unshuffle)}, {"plus", shape.plus ? "yes" : "no"}};
  match.layout = rrdb_layout(shape, names.spelling);
  set_scales(match, shape, names);
}

}  // namespace

Layout rrdb_layout(const RrdbShape& shape, RrdbSpelling spelling) {
  const Names names{spelling, shape.blocks, shape.upsamplers},
      canonical{RrdbSpelling::basicsr, shape.blocks, shape.upsamplers};
  Layout layout;
  const auto add = [&](const std::string& name, const std::string& canonical_name, std::int64_t in,
                       std::int64_t out, int side) {
    layout[name + ".weight"] = {.shape = {out, in, side, side}, .canonical = canonical_name + ".weight"};
    if (side == 3) layout[name + ".bias"] = {.shape = {out}, .canonical = canonical_name + ".bias"};
  };
  const std::int64_t n = shape.features, g = shape.growth;
  add(names.first(), canonical.first(), 3 * shape.unshuffle * shape.unshuffle, n, 3);
  for (int block = 0; block < shape.blocks; ++block) {
    for (int index = 1; index <= 3; ++index) {
      for (int k = 1; k <= 5; ++k)
        add(names.convolution(block, index, k), canonical.convolution(block, index, k), n + (k - 1) * g,
            k < 5 ? g : n, 3);
      if (shape.plus) add(names.shortcut(block, index), canonical.shortcut(block, index), n, g, 1);
    }
  }
  add(names.trunk(), canonical.trunk(), n, n, 3);
  for (int k = 1; k <= shape.upsamplers; ++k) add(names.upsampler(k), canonical.upsampler(k), n, n, 3);
  add(names.high(), canonical.high(), n, n, 3);
  add(names.last(), canonical.last(), n, 3, 3);
  return layout;
}

std::optional<NetworkMatch> match_rrdb(const NamedTensors& tensors) {
  for (const RrdbSpelling spelling : kSpellings) {
    Names names{spelling, 0, 0};
    names.blocks = count_layers(tensors, 0, [&](int block) { return names.convolution(block, 1, 1); });
    if (names.blocks == 0) continue;
    names.upsamplers = names.old() ? old_upsamplers(tensors)
                                   : count_layers(tensors, 1, [&](int k) { return names.upsampler(k); });
    if (names.upsamplers > 4) continue;  // x16 is the most that anyone trained
    NetworkMatch match;
    match.architecture = "RRDBNet";
    describe(match, shape_of(tensors, names), names);
    return match;
  }
  return {};
}

}  // namespace upbench
