#include "reports/gate/changes.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>

namespace upbench {
namespace {

using nlohmann::json;

// Hashes are told apart by their first digits.
std::string shown(const json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const bool hash = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
  return hash ? text.substr(0, 12) : text;
}

void find_differences(const json& base, const json& now, const std::string& where,
                      std::vector<Difference>& found) {
  if (base == now) return;
  const std::string prefix = where.empty() ? where : where + ".";
  if (base.is_object() && now.is_object()) {
    json both = base;
    both.update(now);
    for (const auto& [key, unused] : both.items())
      find_differences(base.value(key, json()), now.value(key, json()), prefix + key, found);
    return;
  }
  if (base.is_array() && now.is_array() && base.size() == now.size()) {
    for (std::size_t i = 0; i < base.size(); ++i) {
      const bool named = base[i].is_object() && base[i].contains("id");
      find_differences(base[i], now[i],
                       named ? prefix + base[i]["id"].get<std::string>() : fmt::format("{}[{}]", where, i),
                       found);
    }
    return;
  }
  found.push_back({where, base, now});
}

}  // namespace

std::vector<Difference> differences(const json& base, const json& now) {
  std::vector<Difference> found;
  find_differences(base, now, "", found);
  return found;
}

std::vector<Difference> environment_differences(const GateSide& base, const GateSide& now) {
  if (base.environment.empty() || now.environment.empty()) return {};
  return differences(base.environment, now.environment);
}

std::string to_text(const Difference& difference) {
  const auto text = [](const json& value) { return value.is_null() ? "nothing" : shown(value); };
  return fmt::format("{}: {} -> {}", difference.where, text(difference.base), text(difference.now));
}

std::vector<std::string> changes_between(const GateSide& base, const GateSide& now) {
  std::vector<Difference> found = environment_differences(base, now);
  std::map<std::string, const json*> settings;
  for (const GateSide::Cell& cell : now.cells) settings.emplace(cell.label, &cell.settings);
  for (const GateSide::Cell& cell : base.cells)
    if (const auto other = settings.find(cell.label); other != settings.end())
      std::ranges::move(differences(cell.settings, *other->second), std::back_inserter(found));
  // Cells of one model all say the same.
  std::vector<std::string> once;
  for (const Difference& difference : found)
    if (std::string line = to_text(difference); std::ranges::find(once, line) == once.end())
      once.push_back(std::move(line));
  return once;
}

std::string other_machine(const json& base, const json& now) {
  for (const char* part : {"device", "threads", "processors", "cpu_capability"})
    if (base.value(part, json()) != now.value(part, json()))
      return fmt::format("another environment: {} was {}, is {}", part, base.value(part, json()).dump(),
                         now.value(part, json()).dump());
  return {};
}

}  // namespace upbench
