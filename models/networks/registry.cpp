#include "models/networks/registry.h"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/checkpoint/refuse.h"
#include "models/networks/bsrn.h"
#include "models/networks/carn.h"
#include "models/networks/craft.h"
#include "models/networks/dctlsa.h"
#include "models/networks/efdn.h"
#include "models/networks/hit_srf.h"
#include "models/networks/imdn.h"
#include "models/networks/layout_check.h"
#include "models/networks/pan.h"
#include "models/networks/rfdn.h"
#include "models/networks/rlfn.h"
#include "models/networks/rrdb.h"
#include "models/networks/safmn.h"
#include "models/networks/span.h"
#include "models/networks/srvgg.h"
#include "models/networks/vdsr.h"

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
    Architecture{"IMDN", match_imdn, [] { return std::vector{imdn_layout({})}; }},
    Architecture{"IMDN-baseline", match_imdn_baseline,
                 [] { return std::vector{imdn_baseline_layout({.blocks = 8})}; }},
    Architecture{"RFDN", match_rfdn, [] { return std::vector{rfdn_layout({})}; }},
    Architecture{"RLFN", match_rlfn, [] { return std::vector{rlfn_layout({})}; }},
    Architecture{"EFDN", match_efdn, [] { return std::vector{efdn_layout({})}; }},
    Architecture{"BSRN", match_bsrn, [] { return std::vector{bsrn_layout({})}; }},
    Architecture{"PAN", match_pan, [] { return std::vector{pan_layout({})}; }},
    Architecture{"SPAN", match_span, [] { return std::vector{span_layout({}), span_layout({.gain = 2})}; }},
    Architecture{"SAFMN++", match_safmn, [] { return std::vector{safmn_layout({})}; }},
    Architecture{"CARN-M", match_carn,
                 [] { return std::vector{carn_layout({}), carn_layout({.scales = {4}})}; }},
    Architecture{"VDSR", match_vdsr, [] { return std::vector{vdsr_layout({})}; }},
    Architecture{"DCTLSA", match_dctlsa, [] { return std::vector{dctlsa_layout({})}; }},
    Architecture{"CRAFT", match_craft, [] { return std::vector{craft_layout({})}; }},
    Architecture{"HiT-SRF", match_hit_srf, [] { return std::vector{hit_srf_layout({})}; }},
};

struct Example {
  const char* architecture;
  Layout layout;
};

// Made once: folders hold many files that are no network.
const std::vector<Example>& examples() {
  static const std::vector<Example> all = [] {
    std::vector<Example> made;
    for (const Architecture& architecture : kArchitectures) {
      for (Layout& layout : architecture.examples()) made.push_back({architecture.name, std::move(layout)});
    }
    return made;
  }();
  return all;
}

[[noreturn]] void refuse_unknown(const NamedTensors& tensors) {
  const char* nearest = nullptr;
  LayoutDifferences nearest_differences;
  std::size_t most_common = 0;
  for (const Example& example : examples()) {
    LayoutDifferences differences = compare(example.layout, tensors);
    const std::size_t common = example.layout.size() - differences.missing.size();
    if (common <= most_common) continue;
    nearest = example.architecture;
    nearest_differences = std::move(differences);
    most_common = common;
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
    const LayoutDifferences differences = compare(match->layout, tensors);
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
                        .dialect = checkpoint.dialect,
                        .licence = stated_licence(checkpoint.metadata)};
  for (const auto& [name, expected] : network.match.layout)
    if (expected.use == ExpectedTensor::Use::weight)
      network.weights.emplace(expected.canonical, checkpoint.tensors.at(name));
  return network;
}

}  // namespace upbench
