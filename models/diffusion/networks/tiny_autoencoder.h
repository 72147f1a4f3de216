#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/diffusion/networks/autoencoder.h"

namespace upbench {

// TAESD's kind of autoencoder (github.com/madebyollin/taesd): convolutions and residual blocks in a row, no
// variance, latents as the diffusion model scales them. Read from shapes: 4 latent channels (TAESD, TAESDXL),
// 16 (TAESD3, TAEF1), 32 with GroupNorm in the middle blocks (TAEF2).
struct TinyLayer {
  enum class Kind {
    convolution,
    resample,  // a convolution without bias: the encoder's halve, the decoder's work on an enlarged map
    block,     // three convolutions around a shortcut
  };
  Kind kind = Kind::convolution;
  std::int64_t index = 0;  // in the row, which counts layers without tensors too
  std::int64_t inputs = 0, outputs = 0;
  std::int64_t pooled = 0;  // channels of the normed branch before a block; 0: none
};

struct TinyAutoencoderFacts {
  std::vector<TinyLayer> encoder, decoder;  // empty: the file has no such half
  int channels = 0, factor = 0;
  Layout layout;
};

// Names as diffusers' AutoencoderTiny has them ("encoder.layers.N...", "decoder.layers.N..."), of a file of
// that kind or of an encoder or decoder alone as TAESD's authors publish them ("N..."). Which of the two it
// is follows from its first layer: the decoder's is a clamp without tensors, so that its names begin with 1.
// Halves from two files are merged by NamedTensors::merge.
NamedTensors tiny_autoencoder_names(const NamedTensors& tensors);

// tensors: canonical names; may be on device meta. Throws std::invalid_argument as autoencoder_facts() does.
TinyAutoencoderFacts tiny_autoencoder_facts(const NamedTensors& tensors);

// weights: canonical names, all of one dtype and device.
std::shared_ptr<const PictureCoder> make_tiny_autoencoder(const TinyAutoencoderFacts& facts,
                                                          const NamedTensors& weights);

}  // namespace upbench
