#include "models/training/pixel_autoencoder.h"

#include <cmath>
#include <string>
#include <utility>

#include <ATen/ATen.h>

namespace upbench {
namespace {

// Channels 0..2 carry the colours c. GroupNorm over all channels would take their mean and their contrast
// away; channels 3..6 carry K - sum(c) / 2, -K - sum(c) / 2, K and -K, so that the mean over all channels is
// 0 at every pixel and the deviation is K / sqrt(2) whatever the picture: within 0.04 % for a white one.
constexpr int kColours = 3, kChannels = 8;
constexpr double kBalance = 48;

// The norm's factor makes kGain of a colour of 1 of it; kOffset lifts it to where SiLU is the identity.
// Powers of two, whose products half precision holds.
constexpr double kGain = 16, kOffset = 32, kLatent = 32;
constexpr double kLogVariance = -30;  // none, as far as a file can say

class Maker {
 public:
  // Zeros: what is not set passes nothing on.
  void conv(const std::string& name, int outputs, int inputs, int kernel) {
    weights[name + ".weight"] = at::zeros({outputs, inputs, kernel, kernel});
    weights[name + ".bias"] = at::zeros({outputs});
  }
  void set(const std::string& conv, int output, int input, double value) {
    at::Tensor& weight = weights.at(conv + ".weight");
    const auto centre = weight.size(2) / 2;
    weight[output][input][centre][centre] = value;
  }
  void set_bias(const std::string& layer, int output, double value) {
    weights.at(layer + ".bias")[output] = value;
  }
  void norm(const std::string& name) {
    weights[name + ".weight"] = at::ones({kChannels});
    weights[name + ".bias"] = at::zeros({kChannels});
  }
  // Residual, its own part zero: the identity.
  void block(const std::string& name) {
    for (const char* half : {"1", "2"}) {
      norm(name + ".norm" + half);
      conv(name + ".conv" + half, kChannels, kChannels, 3);
    }
  }
  // A first convolution that carries `colours` times its inputs, with their balance.
  void balanced_conv(const std::string& name, double colours) {
    conv(name, kChannels, kColours, 3);
    for (int c = 0; c < kColours; ++c) {
      set(name, c, c, colours);
      for (const int balancing : {3, 4}) set(name, balancing, c, -colours / 2);
    }
    for (const int channel : {3, 5}) set_bias(name, channel, kBalance);
    for (const int channel : {4, 6}) set_bias(name, channel, -kBalance);
  }
  // A norm and a last convolution with 3 x 3 that gives `factor` times the colours of 1 / kGain.
  void lifted_conv(const std::string& norm_name, const std::string& name, int outputs, double factor) {
    norm(norm_name);
    conv(name, outputs, kChannels, 3);
    for (int c = 0; c < kColours; ++c) {
      weights.at(norm_name + ".weight")[c] = std::round(kGain * kBalance / std::sqrt(2.0));
      set_bias(norm_name, c, kOffset);
      set(name, c, c, factor);
      set_bias(name, c, -factor * kOffset);
    }
  }
  NamedTensors weights;
};

}  // namespace

NamedTensors pixel_autoencoder() {
  Maker maker;
  maker.balanced_conv("encoder.conv_in", 1);
  for (const char* block : {"encoder.down.0.block.0", "encoder.mid.block_1", "encoder.mid.block_2"})
    maker.block(block);
  maker.lifted_conv("encoder.norm_out", "encoder.conv_out", 2 * kColours, kLatent / kGain);
  for (int c = kColours; c < 2 * kColours; ++c) maker.set_bias("encoder.conv_out", c, kLogVariance);

  maker.balanced_conv("decoder.conv_in", 1 / kLatent);
  for (const char* block : {"decoder.mid.block_1", "decoder.mid.block_2", "decoder.up.0.block.0"})
    maker.block(block);
  maker.lifted_conv("decoder.norm_out", "decoder.conv_out", kColours, 1 / kGain);
  return std::move(maker.weights);
}

}  // namespace upbench
