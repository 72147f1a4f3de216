#pragma once

#include <optional>

#include "models/networks/network.h"

namespace upbench {

// VDSR (Kim et al., "Accurate Image Super-Resolution Using Very Deep Convolutional Networks", CVPR 2016) as
// github.com/twtygqyy/pytorch-vdsr writes it: 3x3 convolutions without bias and ReLU add details to the luma
// of a picture that has been enlarged bicubically. So it takes any scale, the caller's choice (trained on 2,
// 3 and 4).
//
// Here: enlarged by the Keys cubic with a = -0.5, cut off at the border (Pillow's BICUBIC, but unrounded);
// luma is BT.601's of limited range; chroma stays that of the enlarged picture.
struct VdsrShape {
  std::int64_t features = 64;
  std::int64_t inner = 18;  // convolutions between the first and the last
};

std::optional<NetworkMatch> match_vdsr(const NamedTensors& tensors);
Layout vdsr_layout(const VdsrShape& shape);

}  // namespace upbench
