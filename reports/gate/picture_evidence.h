#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reports/gate/picture_change.h"
#include "reports/gate/side.h"

namespace upbench {

// What the kept output pictures of two sides say about a cell.
class PictureEvidence {
 public:
  PictureEvidence(const GateSide& base, const GateSide& now) : base_(base), now_(now) {}

  struct Finding {
    std::string text;           // "shifted by half a pixel: ..."; empty: nothing can be said, and
    std::string why_not;        // why; may be empty too
    std::size_t looked_at = 0;  // pictures
  };
  // At most the first three of `pictures` that differ and are kept on both sides. A change is named when it
  // is telling on most of them.
  Finding look(const std::string& cell, const std::vector<std::string>& pictures) const;

 private:
  const GateSide &base_, &now_;
};

}  // namespace upbench
