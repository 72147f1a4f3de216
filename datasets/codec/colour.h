#pragma once

#include <memory>
#include <string>
#include <vector>

#include "datasets/codec/byte_order.h"
#include "datasets/codec/decode.h"

namespace upbench {

enum class SampleSpace { grey, rgb, cmyk };

// What brings a picture's samples to sRGB: its ICC profile (ICC.1:2022), relative colorimetric with black
// point compensation, evaluated in floating point, rounded once, colours outside sRGB clipped. Grey stays one
// channel, alpha is left alone.
class ToSrgb {
 public:
  // profile: empty for none. Notes what will be done. A profile that cannot be used (broken, for another kind
  // of samples, no device's) is noted as "icc_ignored: why", and samples are taken for sRGB.
  ToSrgb(Bytes profile, SampleSpace space, std::vector<std::string>& notes);

  // cmyk: four channels of ink (0: none) become three of RGB.
  void apply(Raster& raster) const;
  void apply(RasterHeader& header) const;

 private:
  SampleSpace space_;
  std::shared_ptr<void> transform_;  // none: the samples are sRGB already
  std::shared_ptr<void> linear_;     // beside it, of RGB: to linear light of sRGB's primaries
};

}  // namespace upbench
