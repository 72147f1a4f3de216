#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "harness/spec/read.h"
#include "harness/stage_kinds.h"

// Values of stage parameters: one, a list, {from, to, step}, {zip: [...], group: NAME}.
namespace upbench {

struct TypedValue {
  nlohmann::json value;
  std::string label;  // as written
};

// One value of a parameter. `what` names it in messages.
TypedValue read_value(const ParameterKind& kind, const YamlNode& node, std::string_view what);

// {from, to, step}: from, from + step, ... up to and with `to`, in decimal arithmetic, so that 0.1..0.8 by
// 0.1 holds 0.3 and not 0.30000000000000004. At most 100,000 values.
bool is_range(const YamlNode& node);
std::vector<std::string> read_range(const YamlNode& node, std::string_view what);

// Groups of axes that move together, by name; the unnamed group is "".
class ZipGroups {
 public:
  // The group's number. Throws SpecError where the lengths of a group differ.
  int add(const std::string& name, std::size_t length, const YamlNode& node, std::string_view path);

 private:
  struct Group {
    int number;
    std::size_t length;
    std::string first;  // path of the axis that came first
  };
  std::map<std::string, Group> groups_;
};

// All values of a parameter. path: "upscale.tile".
Axis read_axis(const ParameterKind& kind, const YamlNode& node, const std::string& path, ZipGroups& groups);
// Of a parameter that the spec does not mention.
Axis default_axis(const ParameterKind& kind, const std::string& path);

}  // namespace upbench
