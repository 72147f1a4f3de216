#include "reports/gate/changes.h"

#include <algorithm>
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

// Leaves that differ, as "build.flags: -O2 -> -O3".
void differences(const json& base, const json& now, const std::string& where,
                 std::vector<std::string>& lines) {
  if (base == now) return;
  if (base.is_object() && now.is_object()) {
    json both = base;
    both.update(now);
    for (const auto& [key, unused] : both.items())
      differences(base.value(key, json()), now.value(key, json()), where.empty() ? key : where + "." + key,
                  lines);
    return;
  }
  if (base.is_array() && now.is_array() && base.size() == now.size()) {
    for (std::size_t i = 0; i < base.size(); ++i) {
      const bool named = base[i].is_object() && base[i].contains("id");
      differences(base[i], now[i],
                  named ? where + (where.empty() ? "" : ".") + base[i]["id"].get<std::string>()
                        : fmt::format("{}[{}]", where, i),
                  lines);
    }
    return;
  }
  lines.push_back(fmt::format("{}: {} -> {}", where, base.is_null() ? "nothing" : shown(base),
                              now.is_null() ? "nothing" : shown(now)));
}

}  // namespace

std::vector<std::string> changes_between(const GateSide& base, const GateSide& now) {
  std::vector<std::string> lines;
  differences(base.environment, now.environment, "", lines);
  std::map<std::string, const json*> settings;
  for (const GateSide::Cell& cell : now.cells) settings.emplace(cell.label, &cell.settings);
  for (const GateSide::Cell& cell : base.cells)
    if (const auto found = settings.find(cell.label); found != settings.end())
      differences(cell.settings, *found->second, "", lines);
  // Cells of one model all say the same.
  std::vector<std::string> once;
  for (std::string& line : lines)
    if (std::find(once.begin(), once.end(), line) == once.end()) once.push_back(std::move(line));
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
