#pragma once

#include <cstddef>
#include <string>

#include <ATen/core/Tensor.h>

#include "datasets/codec/raster.h"
#include "datasets/image_fwd.h"
#include "datasets/load_item.h"
#include "harness/device_runtime.h"

namespace upbench {

// Pictures on their way to where trials compute and back. To a device they go through pinned memory, 8 bit
// ones as 8 bit, and become images there; back they come as 8 bit. Buffers are few and reused: who finds none
// waits. On the CPU a picture is where it is. Thread-safe; outlives what it was asked for.
class DevicePictures {
 public:
  // buffers: pictures between host and device at once, at most.
  DevicePictures(const std::string& device, std::size_t buffers);

  bool remote() const { return remote_; }
  // How pictures are best held on their way up.
  PictureForm form() const { return remote_ ? PictureForm::compact : PictureForm::image; }
  // What up() queues, in order; networks that load meanwhile belong there as well.
  const DeviceStream& uploads() const { return uploads_; }

  // picture: of either form, in CPU memory. The image is complete when uploads() has passed.
  Image up(const at::Tensor& picture);

  struct Saved {
    Raster raster;      // 8 bit, as to_raster() makes it
    double spread = 0;  // standard deviation of the values before that, of the channel that varies most
  };
  // Waits. What made the image must have happened.
  Saved down(const Image& image);

 private:
  std::string device_;
  bool remote_;
  DeviceStream uploads_, downloads_;
  StagingPool staging_;
};

}  // namespace upbench
