#include "models/checkpoint/dialect.h"

#include <algorithm>
#include <array>

#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr std::array<std::string_view, 10> kWrappers{
    "params_ema", "params", "state_dict", "model_state_dict", "model", "module",
    "net_g_ema",  "net_g",  "netG",       "generator"};
constexpr std::array<std::string_view, 4> kPrefixes{"module.", "netG.", "net_g.", "generator."};
constexpr int kMaxWrappers = 8;

// The inner dictionary to follow, and its key; null where this is the innermost.
std::pair<std::string_view, const PickleDict*> find_wrapped(const PickleDict& dictionary) {
  for (const std::string_view wrapper : kWrappers) {
    for (const auto& [key, value] : dictionary.items) {
      const auto* name = key->as<std::string>();
      if (name && *name == wrapper && value->as<PickleDict>()) return {wrapper, value->as<PickleDict>()};
    }
  }
  return {"", nullptr};
}

std::string first_keys(const PickleDict& dictionary) {
  std::string keys;
  int shown = 0;
  for (const auto& [key, value] : dictionary.items) {
    if (++shown > 5) return keys + ", ...";
    const auto* name = key->as<std::string>();
    keys += (keys.empty() ? "" : ", ") + (name ? printable(*name) : std::string("(no text)"));
  }
  return keys.empty() ? "nothing" : keys;
}

}  // namespace

StateDict select_state_dict(const PickleValue& root) {
  const auto* dictionary = root.as<PickleDict>();
  if (!dictionary) refuse("holds no dictionary of tensors, expected a state_dict()");
  StateDict chosen;
  for (int depth = 0;; ++depth) {
    const auto [key, inner] = find_wrapped(*dictionary);
    if (!inner) break;
    if (depth == kMaxWrappers) refuse("dictionaries nested more than {} deep", kMaxWrappers);
    chosen.dialect += (depth ? "/" : "") + std::string(key);
    dictionary = inner;
  }
  for (const auto& [key, value] : dictionary->items) {
    const auto* tensor = value->as<TensorRef>();
    const auto* name = key->as<std::string>();
    if (!tensor) continue;
    if (!name) refuse("a tensor's key is no text");
    check_tensor_name(*name);
    if (!chosen.tensors.emplace(*name, tensor).second) refuse("tensor '{}' is there twice", printable(*name));
  }
  if (chosen.tensors.empty()) {
    refuse("no tensors in dictionary '{}' (it holds {}), expected a state_dict()", chosen.dialect,
           first_keys(*dictionary));
  }
  if (chosen.dialect.empty()) chosen.dialect = "plain";
  return chosen;
}

void strip_prefixes(Checkpoint& checkpoint) {
  const auto shared = [&] {
    return std::ranges::find_if(kPrefixes, [&](std::string_view prefix) {
      return std::ranges::all_of(checkpoint.tensors, [&](const auto& tensor) {
        return tensor.first.size() > prefix.size() && tensor.first.starts_with(prefix);
      });
    });
  };
  for (auto prefix = shared(); prefix != kPrefixes.end() && !checkpoint.tensors.empty(); prefix = shared()) {
    NamedTensors renamed;
    for (auto& [name, tensor] : checkpoint.tensors)
      renamed.emplace(name.substr(prefix->size()), std::move(tensor));
    checkpoint.tensors = std::move(renamed);
    checkpoint.dialect += ", prefix " + std::string(*prefix) + " stripped";
  }
}

}  // namespace upbench
