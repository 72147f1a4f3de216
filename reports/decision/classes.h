#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/run_data.h"

namespace upbench {

// The content classes of a run's pictures, in order of first appearance; none where the pictures have none. A
// picture may have several.
struct PictureClasses {
  std::vector<std::string> names;
  std::vector<std::vector<std::uint32_t>> pictures;  // of each class, ascending
};

// A picture has a class where a note on it says "class: NAME", as a manifest can, or where upbench drew it:
// then its name begins with the class.
PictureClasses find_classes(const RunData& data);

// Notes that find_classes() reads.
bool is_class_note(const std::string& note);

}  // namespace upbench
