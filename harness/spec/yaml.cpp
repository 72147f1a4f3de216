#include "harness/spec/yaml.h"

#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "datasets/safe_text.h"

namespace upbench {
namespace {

constexpr std::size_t kMostLevels = 64;

bool looks_like_utf16_or_32(std::string_view text) {
  return text.starts_with("\xFE\xFF") || text.starts_with("\xFF\xFE") ||
         text.substr(0, 4).find('\0') != std::string_view::npos;
}

// What yaml-cpp would take in silence or report unclearly.
void check_text(std::string_view text, YamlPlace place, std::size_t most_bytes) {
  if (text.size() > most_bytes)
    refuse(place, fmt::format("{:.1f} MB of text, expected at most {} MB",
                              static_cast<double>(text.size()) / 1e6, most_bytes / 1'000'000));
  if (looks_like_utf16_or_32(text)) refuse(place, "UTF-16 or UTF-32 text, expected UTF-8");
  bool indentation = true;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const auto first = static_cast<unsigned char>(text[0]);
    if (length == 0) refuse(place, fmt::format("byte 0x{:02X} is not UTF-8, expected UTF-8 text", first));
    if (first == '\t' && indentation) refuse(place, "a tab in the indentation, expected spaces");
    if ((first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F)
      refuse(place, fmt::format("control character 0x{:02X}, expected text", first));
    indentation = first == '\n' || (indentation && first == ' ');
    place.column = first == '\n' ? 1 : place.column + 1;
    place.line += first == '\n';
    text.remove_prefix(length);
  }
}

// Builds the tree from the parser's events and refuses, at once and so before they can cost anything, what a
// spec may not contain.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::shared_ptr<const YamlSource> source) : source_(std::move(source)) {}

  YamlPlace place(const YAML::Mark& mark) const { return {source_, mark.line + 1, mark.column + 1}; }
  int documents() const { return documents_; }
  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) refuse(place(mark), "a second document, expected one");
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    refuse(
        place(mark),
        fmt::format("anchor '&{}', expected the value written out (anchors and aliases are refused)", name));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(place(mark), "an alias, expected the value written out (anchors and aliases are refused)");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(node(YamlNode::Kind::null, mark)); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    YamlNode scalar = node(YamlNode::Kind::scalar, mark);
    scalar.text = value;
    scalar.quoted = tag == "!";
    add(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::list, mark, tag);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::map, mark, tag);
  }
  void OnMapEnd() override { close(); }

 private:
  // A list or map that is not yet closed.
  struct Open {
    YamlNode node;
    bool key_waits = false;                      // map: the last key has no value yet
    std::unordered_map<std::string, int> lines;  // of its keys
  };

  YamlNode node(YamlNode::Kind kind, const YAML::Mark& mark) const {
    YamlNode made;
    made.kind = kind;
    made.place = place(mark);
    return made;
  }

  // The parser says "?" for plain and "!" for quoted scalars.
  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(place(mark), fmt::format("tag '{}', expected no tags", tag));
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag) {
    check_tag(mark, tag);
    if (open_.size() >= kMostLevels)
      refuse(place(mark), fmt::format("nested deeper than {} levels, expected fewer", kMostLevels));
    if (!open_.empty() && open_.back().node.is(YamlNode::Kind::map) && !open_.back().key_waits)
      refuse_key(place(mark));
    open_.push_back({.node = node(kind, mark), .lines = {}});
  }

  void close() {
    YamlNode done = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(done));
  }

  [[noreturn]] static void refuse_key(const YamlPlace& where) {
    refuse(where, "a key that is no text, expected a name (or a bracket is left open)");
  }

  void add(YamlNode value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& parent = open_.back(); parent.node.is(YamlNode::Kind::list)) {
      parent.node.items.push_back(std::move(value));
    } else if (parent.key_waits) {
      parent.node.entries.back().value = std::move(value);
      parent.key_waits = false;
    } else {
      add_key(parent, std::move(value));
    }
  }

  static void add_key(Open& parent, YamlNode key) {
    if (!key.is(YamlNode::Kind::scalar)) refuse_key(key.place);
    if (key.text == "<<" && !key.quoted)
      refuse(key.place, "a merge key '<<', expected the keys written out (or extends: FILE)");
    const auto [earlier, fresh] = parent.lines.try_emplace(key.text, key.place.line);
    if (!fresh)
      refuse(key.place, fmt::format("key '{}' a second time (first in line {}), expected it once", key.text,
                                    earlier->second));
    parent.node.entries.push_back({std::move(key.text), key.place, {}});
    parent.key_waits = true;
  }

  std::shared_ptr<const YamlSource> source_;
  YamlNode root_;
  std::vector<Open> open_;  // outermost first
  int documents_ = 0;
};

bool plain_in_flow(const YamlNode& scalar) {
  return !scalar.quoted && scalar.text.find_first_of(",[]{}:#\n") == std::string::npos;
}

}  // namespace

std::string YamlPlace::text() const {
  return fmt::format("{}:{}:{}", source->name, line, column);
}

YamlNode* YamlNode::find(std::string_view key) {
  for (Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

YamlNode parse_yaml(std::string_view text, std::shared_ptr<const YamlSource> source, std::size_t most_bytes) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  check_text(text, {source, 1, 1}, most_bytes);
  TreeBuilder builder(source);
  std::istringstream in{std::string(text)};
  try {
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    refuse(builder.place(error.mark.is_null() ? YAML::Mark() : error.mark),
           fmt::format("{}, expected YAML", error.msg));
  }
  YamlNode root = builder.take();
  if (!root.place.source) root.place = {std::move(source), 1, 1};
  return root;
}

std::string to_flow(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "~";
    case YamlNode::Kind::scalar:
      return plain_in_flow(node) ? node.text : fmt::format("'{}'", node.text);
    case YamlNode::Kind::list: {
      std::string text;
      for (const YamlNode& item : node.items) text += (text.empty() ? "" : ", ") + to_flow(item);
      return "[" + text + "]";
    }
    case YamlNode::Kind::map:
      break;
  }
  std::string text;
  for (const auto& entry : node.entries)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", entry.key, to_flow(entry.value));
  return "{" + text + "}";
}

void refuse(const YamlPlace& place, std::string_view text) {
  throw SpecError(fmt::format("{}: {}", place.text(), text));
}

}  // namespace upbench
