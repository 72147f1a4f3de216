#pragma once

#include <algorithm>

namespace upbench {

// Half open: pixels left .. right - 1 and top .. bottom - 1.
struct PixelBox {
  int left = 0, top = 0, right = 0, bottom = 0;

  int width() const { return right - left; }
  int height() const { return bottom - top; }
  bool is_empty() const { return right <= left || bottom <= top; }
  bool operator==(const PixelBox&) const = default;
};

inline PixelBox intersection(const PixelBox& a, const PixelBox& b) {
  return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
          std::min(a.bottom, b.bottom)};
}

// `margin` pixels more on each side, cut to width x height.
inline PixelBox grown(const PixelBox& box, int margin, int width, int height) {
  return intersection({box.left - margin, box.top - margin, box.right + margin, box.bottom + margin},
                      {0, 0, width, height});
}

}  // namespace upbench
