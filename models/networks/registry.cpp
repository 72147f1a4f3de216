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

constexpr std::size_t kNamed = 3;  // architectures in one refusal

// How far a file is like an architecture that did not take it.
struct Likeness {
  const char* architecture = nullptr;
  std::size_t expected = 0;  // tensors
  std::size_t named = 0;     // those of them whose names the file has
  std::size_t alike = 0;     // and with their shape and type
  LayoutDifferences differences;
};

Likeness likeness_of(const Example& example, const NamedTensors& tensors) {
  Likeness likeness{.architecture = example.architecture,
                    .expected = example.layout.size(),
                    .differences = compare(example.layout, tensors)};
  likeness.named = likeness.expected - likeness.differences.missing.size();
  likeness.alike = likeness.named - likeness.differences.wrong.size();
  return likeness;
}

bool is_nearer(const Likeness& a, const Likeness& b) {
  if (a.named != b.named) return a.named > b.named;
  if (a.alike != b.alike) return a.alike > b.alike;
  return a.differences.count() < b.differences.count();
}

// Of each architecture that shares a name with the file the nearest spelling; the nearest first.
std::vector<Likeness> nearest_architectures(const NamedTensors& tensors) {
  std::vector<Likeness> nearest;
  for (const Example& example : examples()) {  // those of one architecture follow each other
    Likeness likeness = likeness_of(example, tensors);
    if (likeness.named == 0) continue;
    const bool is_another_spelling = !nearest.empty() && nearest.back().architecture == example.architecture;
    if (!is_another_spelling)
      nearest.push_back(std::move(likeness));
    else if (is_nearer(likeness, nearest.back()))
      nearest.back() = std::move(likeness);
  }
  std::ranges::stable_sort(nearest, is_nearer);
  if (nearest.size() > kNamed) nearest.resize(kNamed);
  return nearest;
}

std::string first_names(const NamedTensors& tensors) {
  std::string names;
  for (const auto& [name, tensor] : tensors) {
    if (names.size() > 200) break;
    names += (names.empty() ? "" : ", ") + printable(name);
  }
  return names;
}

[[noreturn]] void refuse_unknown(const NamedTensors& tensors) {
  std::vector<std::string> candidates;
  for (const Likeness& one : nearest_architectures(tensors))
    candidates.push_back(fmt::format("{} ({} of its {} names{})", one.architecture, one.named, one.expected,
                                     to_text(one.differences)));
  if (candidates.empty())
    refuse("unknown architecture: no tensor is named as in {}; its {} tensors begin with {}",
           fmt::join(architecture_names(), " or "), tensors.size(), first_names(tensors));
  refuse("unknown architecture; nearest: {}", fmt::join(candidates, ", "));
}

// An architecture that took the file by some of its names, and why it is not that.
struct Candidate {
  std::string text;
  std::size_t differences = 0;
};

[[noreturn]] void refuse_candidates(std::vector<Candidate> candidates) {
  std::ranges::stable_sort(candidates, {}, &Candidate::differences);
  std::string text = candidates.front().text;
  for (std::size_t i = 1; i < std::min(candidates.size(), kNamed); ++i)
    text += "; also like " + candidates[i].text;
  refuse("looks like {}", text);
}

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& architecture : kArchitectures) names.emplace_back(architecture.name);
  return names;
}

NetworkMatch recognise(const NamedTensors& tensors) {
  std::vector<NetworkMatch> complete;
  std::vector<Candidate> candidates;
  for (const Architecture& architecture : kArchitectures) {
    std::optional<NetworkMatch> match = architecture.match(tensors);
    if (!match) continue;
    const std::string what = fmt::format("{} ({})", match->architecture, match->recognised_by);
    if (!match->problem.empty()) {
      candidates.push_back({fmt::format("{}, but {}", what, match->problem), ~std::size_t{0}});
      continue;
    }
    const LayoutDifferences differences = compare(match->layout, tensors);
    if (differences.count() == 0)
      complete.push_back(std::move(*match));
    else
      candidates.push_back(
          {fmt::format("{}, but is not{}", what, to_text(differences)), differences.count()});
  }
  if (complete.size() > 1)
    refuse("ambiguous: both {} ({}) and {} ({}) have exactly these tensors", complete[0].architecture,
           complete[0].recognised_by, complete[1].architecture, complete[1].recognised_by);
  if (complete.size() == 1) return std::move(complete.front());
  if (!candidates.empty()) refuse_candidates(std::move(candidates));
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
