#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/spec.h"

// YAML text -> tree with the place of every node. Types are decided by who reads a node, not by how it looks.
namespace upbench {

struct YamlSource {
  std::string name;                 // as error messages show it
  std::filesystem::path directory;  // what relative paths are relative to
};

struct YamlPlace {
  std::shared_ptr<const YamlSource> source;
  int line = 1, column = 1;
  std::string text() const;  // "FILE:LINE:COLUMN"
};

struct YamlNode {
  enum class Kind { null, scalar, list, map };
  struct Entry;
  Kind kind = Kind::null;
  YamlPlace place;
  std::string text;             // scalar
  bool quoted = false;          // scalar: not plain, so never a number or boolean
  std::vector<YamlNode> items;  // list
  std::vector<Entry> entries;   // map, in the order written; keys are unique

  bool is(Kind what) const { return kind == what; }
  YamlNode* find(std::string_view key);
  const YamlNode* find(std::string_view key) const;
};

struct YamlNode::Entry {
  std::string key;
  YamlPlace place;  // of the key
  YamlNode value;
};

// Throws SpecError for whatever harness/spec.h says is refused in a text.
YamlNode parse_yaml(std::string_view text, std::shared_ptr<const YamlSource> source,
                    std::size_t most_bytes = 1'000'000);

// In one line: {a: 1, b: [2, 3]}.
std::string to_flow(const YamlNode& node);

// Throws SpecError "FILE:LINE:COLUMN: text".
[[noreturn]] void refuse(const YamlPlace& place, std::string_view text);

}  // namespace upbench
