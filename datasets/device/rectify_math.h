#pragma once

#include <cstdint>

#include "datasets/device/kernel_table.h"
#include "datasets/device/portable.h"

namespace upbench {

// `value`, which belongs at `index` of request.values, with its channel's bias and slope. convert: Element ->
// float, store: float -> Element.
template <typename Element, typename Convert, typename Store>
UPBENCH_HD Element rectified(const RectifyRequest& request, std::int64_t index, Element value,
                             Convert convert, Store store) {
  const auto channel = static_cast<int>(index % request.channels);
  const float sum = convert(value) + convert(static_cast<const Element*>(request.bias)[channel]);
  const float slope = convert(static_cast<const Element*>(request.slope)[channel]);
  return store(sum > 0 ? sum : sum * slope);
}

}  // namespace upbench
