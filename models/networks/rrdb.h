#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// RRDBNet (ESRGAN, 2018; Real-ESRGAN, 2021): a convolution, `blocks` residual-in-residual blocks of three
// dense blocks each, then a nearest x2 and a convolution per upsampler. Read in three spellings:
//   model.0, model.1.sub.N.RDB1.conv1.0, ...    old ESRGAN
//   conv_first, RRDB_trunk.N.RDB1.conv1, ...    ESRGAN's later code
//   conv_first, body.N.rdb1.conv1, ...          BasicSR, Real-ESRGAN
// with or without ESRGAN+'s 1x1 shortcuts, with a pixel unshuffle before the first convolution (12 or 48
// input channels), and with any number of upsamplers: scale = 2^upsamplers / unshuffle. Old ESRGAN's x3 has
// one upsampler, a nearest x3, and the tensors of its x2: the pictures choose.
enum class RrdbSpelling { old_esrgan, trunk, basicsr };

struct RrdbShape {
  std::int64_t features = 64;
  std::int64_t growth = 32;
  int blocks = 23;
  int upsamplers = 2;
  int unshuffle = 1;
  bool plus = false;    // ESRGAN+: a 1x1 convolution around the second convolution of each dense block
  int enlargement = 2;  // by each upsampler; no tensor tells
};

std::optional<NetworkMatch> match_rrdb(const NamedTensors& tensors);

// How the convolutions of a dense block, each of which reads all that was made before it, are computed
// without concatenating: convolution by convolution (what a CPU's caches like), or source by source, one wide
// convolution for all that read it (what a GPU likes: few launches, many outputs each).
enum class DenseOrder { by_convolution, by_source };

// weights: by canonical name. The function keeps them, works without gradients, and modifies no argument.
NetworkFunction bind_rrdb(const NamedTensors& weights, const RrdbShape& shape, DenseOrder order);
// In the order of the device that the weights are on.
NetworkFunction bind_rrdb(const NamedTensors& weights, const RrdbShape& shape);

// The tensors of such a network in one spelling; canonical names are BasicSR's.
Layout rrdb_layout(const RrdbShape& shape, RrdbSpelling spelling);

}  // namespace upbench
