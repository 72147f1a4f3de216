#include "models/checkpoint/dialect.h"

#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "models/checkpoint/module_tensors.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr std::array<std::string_view, 12> kWrappers{
    "params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model",
    "module",     "net_g_ema",  "net_g",  "netG",       "generator",        "net"};
// First parts of names that stand, in a format without dictionaries, where others have a dictionary's key; in
// the order of kWrappers. `model` is none: old ESRGAN calls its layers model.0, model.1, ...
constexpr std::array<std::string_view, 5> kFlatWrappers{"params_ema", "params-ema", "params", "state_dict",
                                                        "model_state_dict"};
// _orig_mod: of what torch.compile made.
constexpr std::array<std::string_view, 5> kPrefixes{"module.", "_orig_mod.", "netG.", "net_g.", "generator."};
constexpr int kMaxWrappers = 8;
constexpr std::size_t kMaxListed = 10;
constexpr std::size_t kMaxVisited = 1'000'000;

// Where tensors may be: a dictionary, or a whole module.
bool is_container(const PickleValue* value) {
  return value && (value->as<PickleDict>() || value->as<PickleModule>());
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

std::map<std::string, TensorRef> direct_tensors(const PickleDict& dictionary) {
  std::map<std::string, TensorRef> tensors;
  for (const auto& [key, value] : dictionary.items) {
    const auto* tensor = value->as<TensorRef>();
    const auto* name = key->as<std::string>();
    if (!tensor) continue;
    if (!name) refuse("a tensor's key is no text");
    check_tensor_name(*name);
    if (!tensors.emplace(*name, *tensor).second) refuse("tensor '{}' is there twice", printable(*name));
  }
  return tensors;
}

struct Listing {
  std::vector<std::string> found;  // "params (53 tensors)"
  std::size_t visited = 0;         // items: a dictionary may hold another many times over

  bool full() const { return found.size() >= kMaxListed || visited > kMaxVisited; }
};

std::size_t count_tensors(const PickleValue& container) {
  if (const auto* module = container.as<PickleModule>()) return module_tensors(*module).size();
  return static_cast<std::size_t>(std::ranges::count_if(
      container.as<PickleDict>()->items,
      [](const auto& item) { return item.second->template as<TensorRef>() != nullptr; }));
}

// Every container with tensors of its own.
void list_containers(const PickleValue& value, const std::string& path, int depth, Listing& listing) {
  const auto* dictionary = value.as<PickleDict>();
  listing.visited += 1 + (dictionary ? dictionary->items.size() : 0);
  if (depth > kMaxWrappers || listing.full()) return;
  if (const std::size_t count = count_tensors(value); count > 0)
    listing.found.push_back(fmt::format("{} ({} tensors)", path.empty() ? "." : printable(path), count));
  if (!dictionary) return;
  for (const auto& [key, inner] : dictionary->items) {
    const auto* name = key->as<std::string>();
    if (name && is_container(inner))
      list_containers(*inner, path.empty() ? *name : path + "/" + *name, depth + 1, listing);
  }
}

// The inner container to follow, and its key; null where this is the innermost, or where it is not clear
// which.
std::pair<std::string_view, const PickleValue*> find_wrapped(const PickleValue& outer) {
  const PickleDict& dictionary = *outer.as<PickleDict>();
  for (const std::string_view wrapper : kWrappers) {
    const PickleValue* value = find_item(dictionary, wrapper);
    if (is_container(value)) return {wrapper, value};
  }
  std::pair<std::string_view, const PickleValue*> only{};
  if (count_tensors(outer) > 0) return only;
  Listing leads;
  for (const auto& [key, value] : dictionary.items) {
    const auto* name = key->as<std::string>();
    if (!name || !is_container(value)) continue;
    const std::size_t before = leads.found.size();
    list_containers(*value, *name, 0, leads);
    if (leads.full()) return {};
    if (leads.found.size() == before) continue;
    if (only.second) return {};
    only = {*name, value};
  }
  return only;
}

[[noreturn]] void refuse_key(std::string_view key, const std::vector<std::string>& found) {
  refuse("holds no tensors under the key '{}'; it holds {}", printable(key),
         found.empty() ? "none at all" : fmt::format("{}", fmt::join(found, ", ")));
}

[[noreturn]] void refuse_without_tensors(const PickleValue& dictionary, const std::string& path) {
  Listing listing;
  const std::string here = path == "." ? "" : path.substr(0, path.find_last_not_of('/') + 1);  // "a/" is "a"
  list_containers(dictionary, here, 0, listing);
  if (listing.found.empty())
    refuse("no tensors in dictionary '{}' (it holds {}), expected a state_dict()", path,
           first_keys(*dictionary.as<PickleDict>()));
  refuse("no tensors in dictionary '{}', but within it: {}; one can be named as FILE@KEY", path,
         fmt::join(listing.found, ", "));
}

bool is_under(std::string_view name, std::string_view key) {
  return name.size() > key.size() + 1 && name.starts_with(key) && name[key.size()] == '.';
}

// Where a path of keys ends, and the beginning of names there that its rest is; empty: all names.
struct End {
  const PickleValue* container;
  std::string_view beginning;
};

End follow(const PickleValue& root, std::string_view path) {
  const PickleValue* value = &root;
  for (std::string_view rest = path; path != "." && !rest.empty();) {
    const std::string_view key = rest.substr(0, rest.find('/'));
    const auto* dictionary = value->as<PickleDict>();
    const PickleValue* inner = dictionary ? find_item(*dictionary, key) : nullptr;
    if (!is_container(inner)) {
      const auto begins = [rest](const auto& tensor) { return is_under(tensor.first, rest); };
      if (dictionary && std::ranges::any_of(direct_tensors(*dictionary), begins)) return {value, rest};
      Listing listing;
      list_containers(root, "", 0, listing);
      refuse_key(path, listing.found);
    }
    value = inner;
    rest.remove_prefix(std::min(rest.size(), key.size() + 1));
  }
  return {value, {}};
}

// Leaves those whose names begin so, without that and the dot behind it.
void keep_under(std::string_view beginning, std::map<std::string, TensorRef>& tensors) {
  std::map<std::string, TensorRef> kept;
  for (const auto& [name, tensor] : tensors)
    if (is_under(name, beginning)) kept.emplace(name.substr(beginning.size() + 1), tensor);
  tensors = std::move(kept);
}

// The first of kFlatWrappers that there is, where every name is under one of them; else nothing.
std::string_view flat_wrapper(const std::map<std::string, TensorEntry>& tensors) {
  const auto is_wrapped = [](const auto& tensor) {
    return std::ranges::any_of(kFlatWrappers,
                               [&](std::string_view key) { return is_under(tensor.first, key); });
  };
  if (!std::ranges::all_of(tensors, is_wrapped)) return {};
  for (const std::string_view key : kFlatWrappers)
    if (std::ranges::any_of(tensors, [&](const auto& tensor) { return is_under(tensor.first, key); }))
      return key;
  return {};
}

const PickleValue* unwrap(const PickleValue& root, std::string& path) {
  const PickleValue* value = &root;
  for (int depth = 0; value->as<PickleDict>(); ++depth) {
    const auto [key, inner] = find_wrapped(*value);
    if (!inner) break;
    if (depth == kMaxWrappers) refuse("dictionaries nested more than {} deep", kMaxWrappers);
    path += (depth ? "/" : "") + printable(key);
    value = inner;
  }
  return value;
}

}  // namespace

StateDict select_state_dict(const PickleValue& root, std::string_view param_key) {
  if (!is_container(&root)) refuse("holds no dictionary of tensors, expected a state_dict()");
  StateDict chosen{.dialect = std::string(param_key), .tensors = {}};
  const auto [value, beginning] =
      param_key.empty() ? End{unwrap(root, chosen.dialect), {}} : follow(root, param_key);
  if (const auto* module = value->as<PickleModule>()) {
    chosen.tensors = module_tensors(*module);
    if (chosen.tensors.empty()) refuse("no tensors in the module '{}'", printable(module->type));
    chosen.dialect +=
        fmt::format("{}pickled module {}", chosen.dialect.empty() ? "" : ", ", printable(module->type));
    return chosen;
  }
  chosen.tensors = direct_tensors(*value->as<PickleDict>());
  if (!beginning.empty()) keep_under(beginning, chosen.tensors);
  if (chosen.tensors.empty()) refuse_without_tensors(*value, chosen.dialect);
  if (chosen.dialect.empty() || chosen.dialect == ".") chosen.dialect = "plain";
  return chosen;
}

std::size_t select_names(CheckpointHeader& header, std::string_view param_key) {
  if (param_key == ".") return 0;
  const std::string_view key = param_key.empty() ? flat_wrapper(header.tensors) : param_key;
  if (key.empty()) return 0;
  std::map<std::string, int> beginnings;
  for (const auto& [name, entry] : header.tensors)
    if (const auto dot = name.find('.'); dot != name.npos) ++beginnings[name.substr(0, dot)];
  std::erase_if(header.tensors, [&](const auto& tensor) { return !is_under(tensor.first, key); });
  if (header.tensors.empty()) {
    std::vector<std::string> found;
    for (const auto& [name, count] : beginnings)
      if (found.size() < kMaxListed) found.push_back(fmt::format("{} ({} tensors)", printable(name), count));
    refuse_key(key, found);
  }
  header.dialect = key;
  return key.size() + 1;
}

std::vector<std::string_view> shared_prefixes(const std::map<std::string, TensorEntry>& tensors,
                                              std::size_t from) {
  std::vector<std::string_view> prefixes;
  const auto shared = [&] {
    return std::ranges::find_if(kPrefixes, [&](std::string_view prefix) {
      return std::ranges::all_of(tensors, [&](const auto& tensor) {
        const std::string_view rest = std::string_view(tensor.first).substr(from);
        return rest.size() > prefix.size() && rest.starts_with(prefix);
      });
    });
  };
  for (auto prefix = shared(); prefix != kPrefixes.end() && !tensors.empty(); prefix = shared()) {
    prefixes.push_back(*prefix);
    from += prefix->size();
  }
  return prefixes;
}

}  // namespace upbench
