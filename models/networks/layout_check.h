#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "models/networks/network.h"

namespace upbench {

// How the tensors of a file differ from those of a network.
struct LayoutDifferences {
  std::vector<std::string> missing, unexpected;
  std::vector<std::string> wrong;  // of another shape, type or value, with what was expected
  std::size_t count() const { return missing.size() + unexpected.size() + wrong.size(); }
};

// Values are looked at only where a layout says what they are; tensors may else be on device meta.
LayoutDifferences compare(const Layout& layout, const NamedTensors& tensors);

// The first five of each kind: "; 2 missing: a, b; 1 unexpected: c". Empty where there are none.
std::string to_text(const LayoutDifferences& differences);

// Throws std::invalid_argument "WHAT: ..." with them.
void require_layout(const Layout& layout, const NamedTensors& tensors, std::string_view what);

}  // namespace upbench
