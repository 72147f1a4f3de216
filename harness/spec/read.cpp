#include "harness/spec/read.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "harness/spec/names.h"

namespace upbench {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text;
}

struct NumberParts {
  std::string_view whole, fraction, exponent;  // exponent with its sign
};

// -12.5e-3, .5, 5. ; nothing else (no +1, 0x10, 1_000, 010)
bool split_number(std::string_view text, NumberParts& parts) {
  text = without_sign(text);
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    parts.exponent = text.substr(e + 1);
    const std::string_view digits =
        parts.exponent.starts_with('+') ? parts.exponent.substr(1) : without_sign(parts.exponent);
    if (!is_digits(digits)) return false;
    text = text.substr(0, e);
  }
  const std::size_t dot = text.find('.');
  parts.whole = text.substr(0, dot);
  parts.fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  return (is_digits(parts.whole) || (parts.whole.empty() && !parts.fraction.empty())) &&
         (parts.fraction.empty() || is_digits(parts.fraction));
}

bool has_leading_zero(std::string_view whole) {
  return whole.size() > 1 && whole[0] == '0';
}

[[noreturn]] void refuse_value(const YamlNode& node, std::string_view what, std::string_view expected) {
  refuse(node.place, fmt::format("{} is {}, expected {}", what, describe(node), expected));
}

// A plain scalar that reads as a decimal number; anything else is refused.
NumberParts need_number(const YamlNode& node, std::string_view what, const std::string& expected) {
  NumberParts parts;
  if (!node.is(YamlNode::Kind::scalar) || node.quoted || !split_number(node.text, parts))
    refuse_value(node, what, expected);
  if (has_leading_zero(parts.whole))
    refuse_value(node, what, expected + " without leading zeros (octal is not read)");
  return parts;
}

std::string range_text(std::string_view kind, double least, double most) {
  if (least == 0 && most == 0) return std::string(kind);
  return fmt::format("{} from {} to {}", kind, least, most);
}

}  // namespace

std::string describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
    case YamlNode::Kind::scalar:
      break;
  }
  const std::string text = node.text.size() > 60 ? node.text.substr(0, 60) + "..." : node.text;
  return node.quoted ? fmt::format("the text '{}'", text) : fmt::format("'{}'", text);
}

void require_kind(const YamlNode& node, YamlNode::Kind kind, std::string_view what,
                  std::string_view expected) {
  if (!node.is(kind)) refuse_value(node, what, expected);
}

MapReader::MapReader(const YamlNode& node, std::string what, std::vector<std::string> known_keys,
                     std::string_view whole)
    : node_(node), what_(std::move(what)), whole_(whole) {
  require_kind(node, YamlNode::Kind::map, what_.empty() ? whole_ : what_, "a map");
  for (const auto& entry : node.entries) {
    if (std::find(known_keys.begin(), known_keys.end(), entry.key) == known_keys.end())
      refuse(entry.place, unknown_name(what_.empty() ? "key" : "key of " + what_, entry.key, known_keys));
  }
  for (const auto& entry : node.entries)
    if (entry.value.is(YamlNode::Kind::null))
      refuse(entry.place, fmt::format("{} has no value, expected one", path(entry.key)));
}

const YamlNode& MapReader::need(std::string_view key) const {
  const YamlNode* found = node_.find(key);
  if (!found)
    refuse(node_.place,
           fmt::format("{} is missing, expected it in {}", path(key), what_.empty() ? whole_ : what_));
  return *found;
}

std::string MapReader::path(std::string_view key) const {
  return what_.empty() ? std::string(key) : fmt::format("{}.{}", what_, key);
}

std::string read_text(const YamlNode& node, std::string_view what) {
  if (!node.is(YamlNode::Kind::scalar) || node.text.empty()) refuse_value(node, what, "a text");
  if (node.text.find('\0') != std::string::npos)
    refuse(node.place, fmt::format("{} holds a zero byte, expected a text", what));
  return node.text;
}

bool read_boolean(const YamlNode& node, std::string_view what) {
  if (!node.is(YamlNode::Kind::scalar) || node.quoted || (node.text != "true" && node.text != "false"))
    refuse_value(node, what, "true or false");
  return node.text == "true";
}

std::int64_t read_integer(const YamlNode& node, std::string_view what, std::int64_t least,
                          std::int64_t most) {
  const std::string expected =
      least == 0 && most == 0 ? "a whole number" : fmt::format("a whole number from {} to {}", least, most);
  const NumberParts parts = need_number(node, what, expected);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  const bool whole = parts.exponent.empty() && node.text.find('.') == std::string::npos;
  const bool inside = (least == 0 && most == 0) || (value >= least && value <= most);
  if (!whole || error != std::errc() || !inside) refuse_value(node, what, expected);
  return value;
}

std::uint64_t read_unsigned(const YamlNode& node, std::string_view what) {
  const std::string expected =
      fmt::format("a whole number from 0 to {}", std::numeric_limits<std::uint64_t>::max());
  need_number(node, what, expected);
  std::uint64_t value = 0;
  const char* last = node.text.data() + node.text.size();
  const auto [end, error] = std::from_chars(node.text.data(), last, value);
  if (error != std::errc() || end != last) refuse_value(node, what, expected);
  return value;
}

double parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return std::numeric_limits<double>::infinity();
  return value;
}

std::optional<double> plain_number(const std::string& text) {
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

double read_number(const YamlNode& node, std::string_view what, double least, double most) {
  const std::string expected = range_text("a number", least, most);
  need_number(node, what, expected);
  const double value = parse_number(node.text);
  if (!std::isfinite(value)) refuse_value(node, what, expected + " that a double can hold");
  if (!(least == 0 && most == 0) && (value < least || value > most)) refuse_value(node, what, expected);
  return value;
}

std::string read_choice(const YamlNode& node, std::string_view what,
                        const std::vector<std::string>& choices) {
  const std::string text = read_text(node, what);
  if (std::find(choices.begin(), choices.end(), text) == choices.end())
    refuse(node.place, unknown_name(what, text, choices));
  return text;
}

std::filesystem::path read_path(const YamlNode& node, std::string_view what) {
  const std::string text = read_text(node, what);
  if (text.starts_with('~'))
    refuse_value(node, what, "the path written out (~ is not expanded; ./~ is a file of that name)");
  const std::filesystem::path path = text;
  const std::filesystem::path& directory = node.place.source->directory;
  return path.is_absolute() || directory.empty() || directory == "." ? path : directory / path;
}

Decimal read_decimal(const YamlNode& node, std::string_view what) {
  const NumberParts parts = need_number(node, what, "a number");
  const std::string expected = "a number of at most 15 digits";
  int exponent = 0;
  if (!parts.exponent.empty()) {
    const std::string_view text = parts.exponent.starts_with('+') ? parts.exponent.substr(1) : parts.exponent;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exponent);
    if (error != std::errc() || exponent < -15 || exponent > 15) refuse_value(node, what, expected);
  }
  std::string digits = std::string(parts.whole) + std::string(parts.fraction);
  int places = static_cast<int>(parts.fraction.size()) - exponent;
  for (; places < 0 && digits.size() <= 15; ++places) digits += '0';
  while (places > 0 && digits.size() > 1 && digits.back() == '0') {
    digits.pop_back();
    --places;
  }
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  if (digits.size() > 15 || places > 15) refuse_value(node, what, expected);
  Decimal value{.digits = 0, .places = places};
  std::from_chars(digits.data(), digits.data() + digits.size(), value.digits);
  if (node.text.starts_with('-')) value.digits = -value.digits;
  return value;
}

std::string to_text(Decimal value) {
  std::string digits =
      fmt::format("{:0{}}", value.digits < 0 ? -value.digits : value.digits, value.places + 1);
  const std::size_t dot = digits.size() - static_cast<std::size_t>(value.places);
  std::string fraction = digits.substr(dot);
  while (fraction.ends_with('0')) fraction.pop_back();
  return fmt::format("{}{}{}{}", value.digits < 0 ? "-" : "", digits.substr(0, dot),
                     fraction.empty() ? "" : ".", fraction);
}

}  // namespace upbench
