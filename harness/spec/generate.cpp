#include "harness/spec/generate.h"

#include <algorithm>

#include <fmt/format.h>

#include "datasets/picture_prompt.h"
#include "harness/spec/read.h"

namespace upbench {
namespace {

constexpr const char* kWhat = "generate.prompts";
constexpr const char* kExpected = "a list of texts, or a file named .txt with one prompt a line";

std::vector<std::string> prompts_of_file(const YamlNode& node) {
  const std::filesystem::path file = read_path(node, kWhat);
  if (file.extension() != ".txt")
    refuse(node.place, fmt::format("{} is {}, expected {}", kWhat, describe(node), kExpected));
  std::string text;
  try {
    text = read_prompt_file(file);
  } catch (const std::runtime_error& error) {
    refuse(node.place, fmt::format("{}: {}", kWhat, error.what()));
  }
  std::vector<std::string> prompts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (std::string line = without_blanks(text.substr(at, end - at)); !line.empty())
      prompts.push_back(std::move(line));
    at = end + 1;
  }
  if (prompts.empty())
    refuse(node.place, fmt::format("{}: {} has no prompt, expected one a line", kWhat, file.string()));
  return prompts;
}

}  // namespace

std::vector<std::string> read_prompts(const YamlNode& node) {
  if (node.is(YamlNode::Kind::scalar)) return prompts_of_file(node);
  require_kind(node, YamlNode::Kind::list, kWhat, kExpected);
  if (node.items.empty())
    refuse(node.place, fmt::format("{} is an empty list, expected {}", kWhat, kExpected));
  std::vector<std::string> prompts;
  for (const YamlNode& item : node.items) {
    const bool empty = item.is(YamlNode::Kind::scalar) && item.quoted && item.text.empty();
    prompts.push_back(empty ? "" : without_blanks(read_text(item, kWhat)));
  }
  return prompts;
}

YamlNode generate_parameters(const YamlNode& generate, const std::vector<std::string>& prompts) {
  const bool any = std::ranges::any_of(prompts, [](const std::string& text) { return !text.empty(); });
  YamlNode parameters = generate;
  YamlNode& written = *parameters.find("prompts");
  written = {.kind = YamlNode::Kind::scalar, .place = written.place};
  written.text = any ? to_string(PromptSource::sidecar) : "none";
  return parameters;
}

}  // namespace upbench
