#include "tests/reports/plots/plot_checks.h"

#include <algorithm>
#include <regex>
#include <set>

#include <gtest/gtest.h>

namespace upbench::test {
namespace {

using nlohmann::json;

void collect_fields(const json& node, std::set<std::string>& fields) {
  if (node.is_object() && node.contains("field")) fields.insert(node["field"].get<std::string>());
  if (node.is_structured())
    for (const json& child : node) collect_fields(child, fields);
}

const json& rows_of(const Plot& plot, const json& layer) {
  return layer.contains("data") ? layer["data"]["values"] : plot.spec["data"]["values"];
}

}  // namespace

void expect_whole(const Plot& plot) {
  std::set<std::string> shared;
  collect_fields(plot.spec.value("encoding", json::object()), shared);
  ASSERT_FALSE(plot.spec["layer"].empty()) << plot.name;
  for (const json& layer : plot.spec["layer"]) {
    std::set<std::string> fields = shared;
    collect_fields(layer.value("encoding", json::object()), fields);
    EXPECT_FALSE(fields.empty()) << plot.name;
    // A stretch over the whole height has no part in the other axis.
    for (const json& row : rows_of(plot, layer))
      for (const std::string& field : fields) EXPECT_TRUE(row.contains(field)) << plot.name << " " << field;
  }
  const std::string told = plot.spec["title"]["subtitle"].get<std::string>() + plot.caption;
  EXPECT_TRUE(std::regex_search(told, std::regex("n = \\d+|\\d+ cells"))) << plot.name << ": " << told;
  EXPECT_FALSE(plot.caption.empty()) << plot.name;
}

const Plot* find_plot(const std::vector<Plot>& plots, const std::string& name) {
  const auto found = std::ranges::find(plots, name, &Plot::name);
  return found == plots.end() ? nullptr : &*found;
}

std::size_t marks_of(const Plot& plot) {
  std::size_t marks = 0;
  for (const json& layer : plot.spec["layer"]) marks += rows_of(plot, layer).size();
  return marks;
}

}  // namespace upbench::test
