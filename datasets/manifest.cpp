#include "datasets/manifest.h"

#include <fmt/format.h>

#include "datasets/safe_text.h"

namespace upbench {
namespace {

// A double-quoted scalar: the only style that holds every text.
std::string yaml_text(std::string_view text) {
  std::string made = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      made += fmt::format("\\\\x{:02x}", first);
    } else if (first < 0x20 || first == 0x7F) {
      made += fmt::format("\\x{:02X}", first);
    } else {
      if (first == '"' || first == '\\') made += '\\';
      made += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return made + '"';
}

std::string flow_list(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + yaml_text(text);
  return "[" + list + "]";
}

// Lines of one map, all indented alike; empty values are left out.
class Lines {
 public:
  explicit Lines(std::string& text, std::string indent) : text_(text), indent_(std::move(indent)) {}
  void raw(std::string_view key, std::string_view value) {
    text_ += fmt::format("{}{}: {}\n", indent_, key, value);
    if (indent_.ends_with("- ")) indent_.replace(indent_.size() - 2, 2, "  ");
  }
  void text(std::string_view key, std::string_view value) {
    if (!value.empty()) raw(key, yaml_text(value));
  }
  void digest(std::string_view key, const Digest& value) {
    if (!value.is_zero()) raw(key, value.hex());
  }
  void list(std::string_view key, const std::vector<std::string>& values) {
    if (!values.empty()) raw(key, flow_list(values));
  }

 private:
  std::string& text_;
  std::string indent_;
};

void write_made(const SetManifest::Made& made, std::string& text) {
  text += "made:\n";
  Lines lines(text, "  ");
  lines.text("by", made.by);
  lines.raw("scale", std::to_string(made.scale));
  lines.text("kernel", made.kernel);
  lines.raw("kernel_version", std::to_string(made.kernel_version));
  lines.list("degrade", made.degrade);
  if (!made.degrade.empty()) lines.raw("degradation_version", std::to_string(made.degradation_version));
  lines.raw("seed", std::to_string(made.seed));
  lines.raw("cropped", made.cropped ? "true" : "false");
}

}  // namespace

std::string to_yaml(const SetManifest& manifest) {
  std::string text;
  Lines head(text, "");
  head.text("name", manifest.name);
  head.text("licence", manifest.licence);
  head.text("source", manifest.source);
  if (manifest.made) write_made(*manifest.made, text);
  text += "items:\n";
  for (const SetManifest::Item& item : manifest.items) {
    Lines lines(text, "  - ");
    lines.text("name", item.name);
    lines.text("file", item.file.generic_string());
    lines.digest("sha256", item.sha256);
    lines.text("hr", item.hr.generic_string());
    lines.digest("hr_sha256", item.hr_sha256);
    lines.list("tags", item.tags);
    lines.text("from", item.from);
    lines.digest("from_sha256", item.from_sha256);
    lines.text("degradation", item.degradation);
    lines.list("notes", item.notes);
  }
  return text;
}

}  // namespace upbench
