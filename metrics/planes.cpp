#include "metrics/planes.h"

#include <stdexcept>

#include <ATen/core/Tensor.h>

#include "datasets/image.h"

namespace upbench {

Planes planes_of(const Image& image) {
  require_image(image, "metric");
  // A row of one pixel has no neighbours: whatever its stride says.
  if (!image.is_cpu() || (image.stride(2) != 1 && image.size(2) > 1))
    throw std::invalid_argument("metric: expected an image in CPU memory with adjacent pixels in each row");
  return {.data = image.const_data_ptr<float>(),
          .width = static_cast<int>(image.size(2)),
          .height = static_cast<int>(image.size(1)),
          .row_stride = image.stride(1),
          .channel_stride = image.stride(0)};
}

}  // namespace upbench
