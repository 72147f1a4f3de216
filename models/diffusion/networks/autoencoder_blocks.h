#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/diffusion/networks/autoencoder.h"
#include "models/networks/layers.h"

namespace upbench {

// A half of an AutoencoderKL as a row of steps, each of which makes one map of one: what runs it over whole
// pictures, over tiles in step or without weights differs, the row does not. A residual block is two steps.
struct AutoencoderStep {
  enum class Kind {
    convolution,
    halve,    // 3x3, stride 2; zeros right and below alone
    enlarge,  // 3x3 of the map enlarged twice by nearest neighbour
    attend,   // attention over the whole map, added to it
  };
  Kind kind = Kind::convolution;
  std::string name;  // of the layer
  std::int64_t inputs = 0, outputs = 0;
  int kernel = 3;
  std::string norm = {};      // GroupNorm of the input first, then SiLU but before attention; empty: none
  bool keeps = false;         // the input, before the norm, for the next step that adds it
  bool adds = false;          // what was kept
  std::string shortcut = {};  // the 1x1 convolution through which that goes; empty: as it is
};
using AutoencoderRow = std::vector<AutoencoderStep>;

// Empty where there is no such half.
AutoencoderRow encoder_row(const AutoencoderFacts& facts);
AutoencoderRow decoder_row(const AutoencoderFacts& facts);

// GroupNorm `name` of x and what follows it, as a new tensor.
using AutoencoderNormed =
    std::function<at::Tensor(const std::string& name, const at::Tensor& x, const Activation& then)>;
// By x's own statistics.
AutoencoderNormed normed_alone(Layers& layers, const AutoencoderNorm& norm);

// x: [N, inputs, h, w]; kept: what an earlier step kept, undefined unless step.adds.
at::Tensor apply(Layers& layers, const AutoencoderStep& step, const at::Tensor& x, const at::Tensor& kept,
                 const AutoencoderNormed& normed);
at::Tensor apply(Layers& layers, const AutoencoderRow& row, at::Tensor x, const AutoencoderNormed& normed);

// What make_autoencoder() makes.
class Autoencoder : public PictureCoder {
 public:
  Autoencoder(AutoencoderFacts facts, const NamedTensors& weights);
  Posterior encode(const at::Tensor& picture) const override;
  at::Tensor decode(const at::Tensor& latents) const override;
  int channels() const override { return facts_.channels; }
  int factor() const override { return facts_.factor; }
  bool has_encoder() const override { return facts_.encoder.has_value(); }
  bool has_decoder() const override { return facts_.decoder.has_value(); }
  at::Tensor moments(const at::Tensor& picture) const override;

  const AutoencoderFacts& facts() const { return facts_; }
  const AutoencoderRow& encoder() const { return encoder_; }
  const AutoencoderRow& decoder() const { return decoder_; }
  Layers layers() const { return Layers(weights_, constants_.get()); }
  // x in the dtype, on the device and with the memory format of the weights.
  at::Tensor placed(const at::Tensor& x) const;
  at::Device device() const { return weights_.begin()->second.device(); }

 private:
  AutoencoderFacts facts_;
  AutoencoderRow encoder_, decoder_;
  NamedTensors weights_;
  std::shared_ptr<Constants> constants_ = std::make_shared<Constants>();
};

}  // namespace upbench
