#include "harness/store/values.h"

#include <initializer_list>

#include <fmt/format.h>

#include "harness/store.h"

namespace upbench {
namespace {

void add_line(std::string& text, std::string_view item) {
  for (const char c : item) {
    if (c == '\n') {
      text += "\\n";
    } else {
      if (c == '\\') text += '\\';
      text += c;
    }
  }
  text += '\n';
}

template <class Enum>
Enum parse(std::string_view text, std::initializer_list<Enum> all) {
  for (const Enum value : all)
    if (to_string(value) == text) return value;
  throw StoreError(fmt::format("the store is damaged: it holds '{}' where a known word was expected", text),
                   2);
}

}  // namespace

std::string encode_list(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) add_line(text, item);
  return text;
}

std::vector<std::string> decode_list(std::string_view text) {
  std::vector<std::string> items;
  std::string item;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') {
      items.push_back(std::exchange(item, {}));
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      ++i;
      item += text[i] == 'n' ? '\n' : text[i];
    } else {
      item += text[i];
    }
  }
  return items;
}

std::string encode_label(const Label& label) {
  std::string text;
  for (const auto& [path, value] : label) {
    add_line(text, path);
    add_line(text, value);
  }
  return text;
}

Label decode_label(std::string_view text) {
  auto lines = decode_list(text);
  Label label;
  for (std::size_t i = 0; i + 1 < lines.size(); i += 2)
    label.emplace_back(std::move(lines[i]), std::move(lines[i + 1]));
  return label;
}

std::string run_notes_name(const Digest& run) {
  return "run-notes " + run.hex();
}

Status parse_status(std::string_view text) {
  return parse(text, {Status::ok, Status::failed, Status::skipped});
}

ValueFlag parse_flag(std::string_view text) {
  return parse(text,
               {ValueFlag::ok, ValueFlag::inf, ValueFlag::undefined, ValueFlag::skipped, ValueFlag::failed});
}

Clock parse_clock(std::string_view text) {
  return parse(text, {Clock::model, Clock::sweep});
}

}  // namespace upbench
