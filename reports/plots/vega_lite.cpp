#include "reports/plots/vega_lite.h"

#include <cctype>
#include <cmath>

#include <fmt/format.h>

#include "reports/render/format.h"

namespace upbench::vega_lite {

using nlohmann::json;

json frame(const std::string& title, const std::string& subtitle, json rows) {
  return {{"$schema", "https://vega.github.io/schema/vega-lite/v6.json"},
          {"title", {{"text", title}, {"subtitle", subtitle}, {"anchor", "start"}}},
          {"description", title + ". " + subtitle},
          {"width", 520},
          {"data", {{"values", std::move(rows)}}},
          {"layer", json::array()}};
}

json quantitative(const char* field, const std::string& title) {
  return {{"field", field},
          {"type", "quantitative"},
          {"title", title},
          {"scale", {{"zero", false}, {"padding", 12}}}};
}

json nominal(const char* field, json order, const std::string& title) {
  return {{"field", field}, {"type", "nominal"}, {"title", title}, {"sort", std::move(order)}};
}

json logarithmic(const char* field, const std::string& title, double least, double most) {
  // Ticks at decades; over less than two of them also at 2 and 5 times each.
  json ticks = json::array();
  for (int decade = static_cast<int>(std::floor(std::log10(least))); std::pow(10.0, decade) <= most * 2;
       ++decade)
    for (const double step : {1.0, 2.0, 5.0})
      if (step == 1.0 || most < 100 * least) ticks.push_back(step * std::pow(10.0, decade));
  json encoding = quantitative(field, title);
  encoding["scale"] = {{"type", "log"}, {"nice", false}, {"padding", 24}};
  encoding["axis"] = {{"values", ticks}, {"format", "~g"}};
  return encoding;
}

namespace {

json told_apart(const char* field, const std::string& title, json domain) {
  return {
      {"field", field}, {"type", "nominal"}, {"title", title}, {"scale", {{"domain", std::move(domain)}}}};
}

}  // namespace

json coloured(const char* field, const std::string& title, json domain) {
  json channel = told_apart(field, title, std::move(domain));
  channel["scale"]["range"] = kColours;
  return channel;
}

json shaped(const char* field, const std::string& title, json domain) {
  json channel = told_apart(field, title, std::move(domain));
  channel["scale"]["range"] = kShapes;
  return channel;
}

json tooltip(std::initializer_list<std::pair<const char*, const char*>> fields) {
  json list = json::array();
  for (const auto& [field, title] : fields) list.push_back({{"field", field}, {"title", title}});
  return list;
}

std::string axis_title(const MetricRow& metric) {
  return fmt::format("{}{}, {} is better", clean_text(metric.name),
                     metric.unit.empty() ? "" : " [" + clean_text(metric.unit) + "]",
                     metric.higher_is_better ? "higher" : "lower");
}

std::string shown(const MetricRow& metric, double value) {
  return fixed(value, metric.decimals) + (metric.unit.empty() ? "" : " " + clean_text(metric.unit));
}

std::string file_name(const std::string& text) {
  std::string name;
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) || c == '_')
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    else if (!name.empty() && name.back() != '-')
      name += '-';
  return name.substr(0, 80);
}

}  // namespace upbench::vega_lite
