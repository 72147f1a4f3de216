#include "models/networks/layout_check.h"

#include <algorithm>
#include <span>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

bool has_value(const at::Tensor& tensor, const at::Tensor& value) {
  return at::equal(tensor.to(at::kDouble), value.to(at::kDouble));
}

void append(std::string& text, const std::vector<std::string>& names, const char* what) {
  constexpr std::size_t kShown = 5;
  if (names.empty()) return;
  const std::span shown(names.data(), std::min(names.size(), kShown));
  text += fmt::format("; {} {}: {}{}", names.size(), what, fmt::join(shown, ", "),
                      names.size() > kShown ? ", ..." : "");
}

}  // namespace

LayoutDifferences compare(const Layout& layout, const NamedTensors& tensors) {
  LayoutDifferences differences;
  for (const auto& [name, expected] : layout) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      differences.missing.push_back(name);
    } else if (found->second.sizes() != at::IntArrayRef(expected.shape)) {
      differences.wrong.push_back(fmt::format("{} [{}] expected [{}]", name,
                                              fmt::join(found->second.sizes(), ", "),
                                              fmt::join(expected.shape, ", ")));
    } else if (expected.use == ExpectedTensor::Use::weight && !found->second.is_floating_point()) {
      differences.wrong.push_back(fmt::format("{} of {} expected a floating-point type", name,
                                              c10::toString(found->second.scalar_type())));
    } else if (expected.use == ExpectedTensor::Use::computed && !has_value(found->second, expected.value)) {
      differences.wrong.push_back(
          fmt::format("{} of other values than this architecture computes for it", name));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!layout.contains(name)) differences.unexpected.push_back(printable(name));
  }
  return differences;
}

std::string to_text(const LayoutDifferences& differences) {
  std::string text;
  append(text, differences.missing, "missing");
  append(text, differences.unexpected, "unexpected");
  append(text, differences.wrong, "of another shape or type");
  return text;
}

void require_layout(const Layout& layout, const NamedTensors& tensors, std::string_view what) {
  const LayoutDifferences differences = compare(layout, tensors);
  if (differences.count() > 0)
    refuse("{}: its tensors are not those its shapes call for{}", what, to_text(differences));
}

}  // namespace upbench
