#include "reports/render/format.h"

#include <array>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include "datasets/safe_text.h"

namespace upbench {
namespace {

constexpr std::size_t kLongestText = 400;
constexpr std::size_t kLongestSentence = 4000;
constexpr std::size_t kLongestBlock = 200'000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Three significant digits, as many decimals as that takes.
std::string significant(double value) {
  const double size = std::abs(value);
  return fixed(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

std::string format_seconds(double seconds) {
  if (seconds < 0) return "-" + format_seconds(-seconds);
  if (seconds >= 7199.5) return fmt::format("{:.1f} h", seconds / 3600);
  if (seconds >= 119.95) return fmt::format("{:.1f} min", seconds / 60);
  if (seconds >= 0.9995) return significant(seconds) + " s";
  if (seconds >= 0.9995e-3 || seconds == 0) return significant(seconds * 1e3) + " ms";
  return significant(seconds * 1e6) + " µs";
}

std::string format_bytes(double bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes >= 1023.5 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", unit == 0 ? fixed(bytes, 0) : significant(bytes), kUnits[unit]);
}

// Control characters, U+2028/2029 (line breaks to a script), and characters that turn the direction of the
// text around.
bool is_invisible(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x2028 || point == 0x2029 ||
         point == 0x200E || point == 0x200F || (point >= 0x202A && point <= 0x202E) ||
         (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

std::string clean(std::string_view text, std::size_t longest, std::string_view allowed) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::uint32_t point = code_point(text.substr(0, length == 0 ? 1 : length));
    if (result.size() + 4 > longest) return result + "…";
    const bool shown =
        length > 0 && (!is_invisible(point) || allowed.find(text.front()) != std::string_view::npos);
    result += shown ? text.substr(0, length) : kReplacement;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace

std::string exact(double value) {
  return fmt::format("{}", value);
}

std::string fixed(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

namespace {

std::string format_kind(Table::Kind kind, int decimals, double value) {
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  switch (kind) {
    case Table::Kind::text:
    case Table::Kind::number:
    case Table::Kind::decibel:
      return fixed(value, decimals);
    case Table::Kind::ratio:
      return fixed(value * 100, decimals) + " %";
    case Table::Kind::seconds:
      return format_seconds(value);
    case Table::Kind::bytes:
      return format_bytes(value);
    case Table::Kind::count:
      return fixed(value, 0);
  }
  return {};
}

}  // namespace

std::string format_value(const Table::Column& column, double value) {
  return format_kind(column.kind, column.decimals, value);
}

std::string format_value(const Table::Column& column, const Table::Cell& cell, double value) {
  return format_kind(column.kind, cell.decimals.value_or(column.decimals), value);
}

std::string format_interval(const Table::Column& column, const Table::Cell& cell) {
  return fmt::format("[{}, {}]", format_value(column, cell, cell.interval->low),
                     format_value(column, cell, cell.interval->high));
}

std::string format_cell(const Table::Column& column, const Table::Cell& cell) {
  if (column.kind == Table::Kind::text) return clean_text(cell.text);
  std::string text = cell.value ? format_value(column, cell, *cell.value) : "–";
  if (cell.value && cell.spread) text += " ± " + format_value(column, cell, *cell.spread);
  if (cell.value && cell.interval) text += " " + format_interval(column, cell);
  if (!cell.text.empty()) text += fmt::format(" ({})", clean_text(cell.text));
  return text;
}

std::string clean_text(std::string_view text) {
  return clean(text, kLongestText, "");
}

std::string clean_sentence(std::string_view text) {
  return clean(text, kLongestSentence, "");
}

std::string clean_block(std::string_view text) {
  return clean(text, kLongestBlock, "\n\t");
}

bool is_number(const Table::Column& column) {
  return column.kind != Table::Kind::text;
}

}  // namespace upbench
