#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <regex>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/gate/side.h"
#include "tests/reports/gate/sample_side.h"

// docs/baseline.schema.json is what others read baselines by.
namespace upbench {
namespace {

using nlohmann::json;

json schema() {
  return json::parse(std::ifstream(UPBENCH_SOURCE_DIR "/docs/baseline.schema.json"));
}

bool has_type(const json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  return type == value.type_name();
}

// The keywords that the schema uses, and beyond JSON Schema that no key is there which it does not name.
// Empty: valid; else where and why not.
std::string fault(const json& rule, const json& value, const json& root, const std::string& where = "") {
  if (rule.contains("$ref"))
    if (const auto bad =
            fault(root.at(json::json_pointer(rule["$ref"].get<std::string>().substr(1))), value, root, where);
        !bad.empty())
      return bad;
  if (rule.contains("const") && rule["const"] != value) return where + ": const";
  if (rule.contains("type") && !has_type(value, rule["type"])) return where + ": type";
  if (rule.contains("enum") && std::ranges::find(rule["enum"], value) == rule["enum"].end())
    return where + ": enum";
  if (rule.contains("anyOf") && std::ranges::none_of(rule["anyOf"], [&](const json& one) {
        return fault(one, value, root, where).empty();
      }))
    return where + ": anyOf";
  if (rule.contains("minimum") && value < rule["minimum"]) return where + ": minimum";
  if (rule.contains("exclusiveMinimum") && value <= rule["exclusiveMinimum"])
    return where + ": exclusiveMinimum";
  if (rule.contains("pattern") &&
      !std::regex_search(value.get<std::string>(), std::regex(rule["pattern"].get<std::string>())))
    return where + ": pattern";
  for (const json& key : rule.value("required", json::array()))
    if (!value.contains(key)) return where + ": lacks " + key.dump();
  if (rule.contains("properties"))
    for (const auto& [key, inner] : value.items()) {
      if (!rule["properties"].contains(key)) return where + ": does not name " + key;
      if (const auto bad = fault(rule["properties"][key], inner, root, where + "/" + key); !bad.empty())
        return bad;
    }
  if (rule.contains("additionalProperties"))
    for (const auto& [key, inner] : value.items())
      if (const auto bad = fault(rule["additionalProperties"], inner, root, where + "/" + key); !bad.empty())
        return bad;
  if (rule.contains("items"))
    for (std::size_t i = 0; i < value.size(); ++i)
      if (const auto bad = fault(rule["items"], value[i], root, where + "/" + std::to_string(i));
          !bad.empty())
        return bad;
  return {};
}

json full_baseline() {
  GateSide side = with_detector(sample_side(), "seam");
  side.pictures[0].input = std::string(64, '7');
  side.pictures[1].reference.clear();
  side.trials[{0, 0, 0}].pixels = std::string(64, '8');
  side.trials[{0, 0, 0}].peak_bytes = 1 << 20;
  side.trials[{0, 0, 0}].scores[0] = {std::numeric_limits<double>::infinity(), ValueFlag::inf};
  side.trials[{0, 1, 0}] = {.finished = true, .status = Status::failed, .reason = "no"};
  side.trials[{0, 1, 0}].scores = {{0, ValueFlag::failed}, {0, ValueFlag::skipped}};
  return json::parse(baseline_text(side));
}

TEST(BaselineSchema, WhatIsSavedFollowsItAndEveryKeyIsInIt) {
  EXPECT_EQ(fault(schema(), full_baseline(), schema()), "");
}

TEST(BaselineSchema, EveryKeyOfItIsWrittenSomewhere) {
  const std::string text = full_baseline().dump();
  const std::function<void(const json&)> visit = [&](const json& rule) {
    const json properties = rule.value("properties", json::object());
    for (const auto& [key, inner] : properties.items()) {
      EXPECT_NE(text.find("\"" + key + "\":"), text.npos) << key;
      visit(inner);
    }
    if (rule.contains("items")) visit(rule["items"]);
  };
  visit(schema());
}

TEST(BaselineSchema, RequiredKeysAreThoseThatReadingNeeds) {
  const json whole = full_baseline();
  const auto refused = [](const json& file) {
    try {
      parse_baseline(file.dump(), "b.json");
      return false;
    } catch (const std::invalid_argument&) {
      return true;
    }
  };
  EXPECT_FALSE(refused(whole));
  const json required_keys = schema()["required"];
  for (const json& key : required_keys) {
    json without = whole;
    without.erase(key.get<std::string>());
    EXPECT_TRUE(refused(without)) << key;
  }
  for (const char* list : {"metrics", "detectors", "cells", "pictures", "trials"}) {
    const json rule = schema()["properties"][list]["items"];
    for (const auto& [key, unused] : rule["properties"].items()) {
      json without = whole;
      for (json& element : without[list]) element.erase(key);
      const bool required = std::ranges::find(rule["required"], json(key)) != rule["required"].end();
      EXPECT_EQ(refused(without), required) << list << "." << key;
    }
  }
}

// A later version may say more.
TEST(BaselineSchema, KeysThatAreNotKnownAreLeftOut) {
  json more = full_baseline();
  more["later"] = 1;
  more["trials"][0]["regions"] = {{"seam", 3}};
  more["trials"][0]["decisions"]["later"] = true;
  EXPECT_EQ(parse_baseline(more.dump(), "b.json").trials.size(), 40u);
}

}  // namespace
}  // namespace upbench
