#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/spec/yaml.h"

// Typed reading of YAML nodes. `what` names the value in messages ("images.limit"). All throw SpecError with
// the node's place: "WHAT is X, expected Y".
namespace upbench {

// A map whose keys are all known and not null.
class MapReader {
 public:
  // whole: what an empty `what`, the outermost map, is called.
  MapReader(const YamlNode& node, std::string what, std::vector<std::string> known_keys,
            std::string_view whole = "the spec");
  const YamlNode* find(std::string_view key) const { return node_.find(key); }
  const YamlNode& need(std::string_view key) const;
  std::string path(std::string_view key) const;  // "images.limit"

 private:
  const YamlNode& node_;
  std::string what_;
  std::string_view whole_;
};

std::string read_text(const YamlNode& node, std::string_view what);  // any scalar, as written; not empty
bool read_boolean(const YamlNode& node, std::string_view what);      // true or false
std::int64_t read_integer(const YamlNode& node, std::string_view what, std::int64_t least, std::int64_t most);
std::uint64_t read_unsigned(const YamlNode& node, std::string_view what);
double read_number(const YamlNode& node, std::string_view what, double least, double most);  // finite
std::string read_choice(const YamlNode& node, std::string_view what, const std::vector<std::string>& choices);
// Relative to the file that says it. A leading ~ is refused, $ is literal.
std::filesystem::path read_path(const YamlNode& node, std::string_view what);
void require_kind(const YamlNode& node, YamlNode::Kind kind, std::string_view what,
                  std::string_view expected);

// A decimal number as an integer: value = digits / 10^places. At most 15 digits.
struct Decimal {
  std::int64_t digits = 0;
  int places = 0;
};
Decimal read_decimal(const YamlNode& node, std::string_view what);
std::string to_text(Decimal value);  // "0.3", "128"; no trailing zeros
double parse_number(
    std::string_view text);  // of decimal text, correctly rounded; infinity when it does not fit

// The finite number that the whole text is, "0.25"; nothing for other texts.
std::optional<double> plain_number(const std::string& text);

// "the text 'abc'", "a list", "nothing"
std::string describe(const YamlNode& node);

}  // namespace upbench
