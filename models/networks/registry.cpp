#include "models/networks/registry.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <stdexcept>

#include <ATen/core/Tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/checkpoint/refuse.h"
#include "models/networks/rrdb.h"
#include "models/networks/srvgg.h"

namespace upbench {
namespace {

struct Architecture {
  const char* name;
  std::optional<NetworkMatch> (*match)(const NamedTensors&);
  std::vector<Layout> (
      *examples)();  // what a file of each spelling holds, to find the nearest for a file that matches none
};

// A new architecture is one line here.
constexpr std::array kArchitectures{
    Architecture{"RRDBNet", match_rrdb,
                 [] {
                   return std::vector{rrdb_layout({}, RrdbSpelling::old_esrgan),
                                      rrdb_layout({}, RrdbSpelling::trunk),
                                      rrdb_layout({}, RrdbSpelling::basicsr)};
                 }},
    Architecture{"SRVGGNetCompact", match_srvgg, [] { return std::vector{srvgg_layout(64, 16, 4)}; }},
};

struct Differences {
  std::vector<std::string> missing, unexpected, wrong;
  std::size_t count() const { return missing.size() + unexpected.size() + wrong.size(); }
};

Differences compare(const Layout& layout, const NamedTensors& tensors) {
  Differences differences;
  for (const auto& [name, expected] : layout) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) {
      differences.missing.push_back(name);
    } else if (found->second.sizes() != at::IntArrayRef(expected.shape)) {
      differences.wrong.push_back(fmt::format("{} [{}] expected [{}]", name,
                                              fmt::join(found->second.sizes(), ", "),
                                              fmt::join(expected.shape, ", ")));
    } else if (!found->second.is_floating_point()) {
      differences.wrong.push_back(fmt::format("{} of {} expected a floating-point type", name,
                                              c10::toString(found->second.scalar_type())));
    }
  }
  for (const auto& [name, tensor] : tensors) {
    if (!layout.contains(name)) differences.unexpected.push_back(printable(name));
  }
  return differences;
}

void append(std::string& text, const std::vector<std::string>& names, const char* what) {
  constexpr std::size_t kShown = 5;
  if (names.empty()) return;
  const std::span shown(names.data(), std::min(names.size(), kShown));
  text += fmt::format("; {} {}: {}{}", names.size(), what, fmt::join(shown, ", "),
                      names.size() > kShown ? ", ..." : "");
}

std::string to_text(const Differences& differences) {
  std::string text;
  append(text, differences.missing, "missing");
  append(text, differences.unexpected, "unexpected");
  append(text, differences.wrong, "of another shape or type");
  return text;
}

[[noreturn]] void refuse_unknown(const NamedTensors& tensors) {
  const char* nearest = nullptr;
  Differences nearest_differences;
  std::size_t most_common = 0;
  for (const Architecture& architecture : kArchitectures) {
    for (const Layout& example : architecture.examples()) {
      Differences differences = compare(example, tensors);
      const std::size_t common = example.size() - differences.missing.size();
      if (common <= most_common) continue;
      nearest = architecture.name;
      nearest_differences = std::move(differences);
      most_common = common;
    }
  }
  std::string first;
  for (const auto& [name, tensor] : tensors) {
    if (first.size() > 200) break;
    first += (first.empty() ? "" : ", ") + printable(name);
  }
  if (!nearest)
    refuse("unknown architecture: no tensor is named as in {}; its {} tensors begin with {}",
           fmt::join(architecture_names(), " or "), tensors.size(), first);
  refuse("unknown architecture; nearest is {}{}", nearest, to_text(nearest_differences));
}

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
}

NetworkMatch recognise(const NamedTensors& tensors) {
  std::vector<NetworkMatch> complete;
  std::string problem;
  std::size_t fewest = ~std::size_t{0};
  for (const Architecture& architecture : kArchitectures) {
    std::optional<NetworkMatch> match = architecture.match(tensors);
    if (!match) continue;
    if (!match->problem.empty()) {
      if (problem.empty())
        problem = fmt::format("looks like {} ({}), but {}", match->architecture, match->recognised_by,
                              match->problem);
      continue;
    }
    const Differences differences = compare(match->layout, tensors);
    if (differences.count() == 0) {
      complete.push_back(std::move(*match));
    } else if (differences.count() < fewest) {
      fewest = differences.count();
      problem = fmt::format("looks like {} ({}), but is not{}", match->architecture, match->recognised_by,
                            to_text(differences));
    }
  }
  if (complete.size() > 1)
    refuse("ambiguous: both {} and {} have exactly these tensors", complete[0].architecture,
           complete[1].architecture);
  if (complete.size() == 1) return std::move(complete.front());
  if (!problem.empty()) refuse("{}", problem);
  refuse_unknown(tensors);
}

LoadedNetwork load_network(const Checkpoint& checkpoint) {
  LoadedNetwork network{.match = recognise(checkpoint.tensors),
                        .weights = {},
                        .hash = tensor_hash(checkpoint.tensors),
                        .dialect = checkpoint.dialect};
  for (const auto& [name, expected] : network.match.layout)
    network.weights.emplace(expected.canonical, checkpoint.tensors.at(name));
  return network;
}

}  // namespace upbench
