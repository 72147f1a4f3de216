#include "models/checkpoint/module_tensors.h"

#include <set>
#include <string_view>

#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxItems = 1'000'000;

class Collector {
 public:
  std::map<std::string, TensorRef> tensors;

  void visit(const PickleModule& module, const std::string& prefix, int depth) {
    if (depth > kMaxDepth) refuse("modules nested more than {} deep", kMaxDepth);
    if (depth > 0) check_tensor_name(prefix);
    spend(module.attributes->items.size());
    add_tensors(module, "_parameters", prefix);
    add_tensors(module, "_buffers", prefix);
    for (const auto& [key, value] : part(module, "_modules").items) {
      if (value->as<PickleNone>()) continue;
      const auto* child = value->as<PickleModule>();
      if (!child) refuse("a module of '{}' is no module", printable(module.type));
      visit(*child, prefix + text(key, module) + ".", depth + 1);
    }
  }

 private:
  void spend(std::size_t items) {
    items_ += items;
    if (items_ > kMaxItems) refuse("more than {} items in its modules", kMaxItems);
  }

  const PickleDict& part(const PickleModule& module, const char* name) {
    const PickleValue* value = find_item(*module.attributes, name);
    const auto* dictionary = value ? value->as<PickleDict>() : nullptr;
    if (!dictionary) refuse("'{}' has two values of {}", printable(module.type), name);
    spend(dictionary->items.size());
    return *dictionary;
  }

  static const std::string& text(const PickleValue* key, const PickleModule& module) {
    const auto* name = key->as<std::string>();
    if (!name) refuse("a name in '{}' is no text", printable(module.type));
    return *name;
  }

  std::set<std::string_view> left_out(const PickleModule& module) {
    std::set<std::string_view> names;
    const PickleValue* value = find_item(*module.attributes, "_non_persistent_buffers_set");
    const auto* set = value ? value->as<PickleSet>() : nullptr;
    if (!set) return names;
    spend(set->items.size());
    for (const PickleValue* item : set->items)
      if (const auto* name = item->as<std::string>()) names.insert(*name);
    return names;
  }

  void add_tensors(const PickleModule& module, const char* where, const std::string& prefix) {
    const std::set<std::string_view> not_saved = left_out(module);
    for (const auto& [key, value] : part(module, where).items) {
      const std::string& name = text(key, module);
      if (value->as<PickleNone>() || not_saved.contains(name)) continue;
      const auto* tensor = value->as<TensorRef>();
      if (!tensor) refuse("'{}' in {} of '{}' is no tensor", printable(name), where, printable(module.type));
      check_tensor_name(prefix + name);
      if (!tensors.emplace(prefix + name, *tensor).second)
        refuse("tensor '{}' is there twice", printable(prefix + name));
    }
  }

  std::size_t items_ = 0;
};

}  // namespace

std::map<std::string, TensorRef> module_tensors(const PickleModule& module) {
  Collector collector;
  collector.visit(module, "", 0);
  return std::move(collector.tensors);
}

}  // namespace upbench
