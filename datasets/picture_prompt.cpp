#include "datasets/picture_prompt.h"

#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "datasets/codec/decode.h"
#include "datasets/codec/png_text.h"
#include "datasets/safe_text.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// --- sidecar files

std::optional<std::string> sidecar_of(const fs::path& picture, std::vector<std::string>& looked_for) {
  const fs::path file = fs::path(picture).replace_extension(".txt");
  looked_for.push_back(file.string());
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return read_prompt_file(file);
}

// --- what a PNG says

std::string a1111_prompt(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with("Negative prompt:") || line.starts_with("Steps:"))
      return without_blanks(text.substr(0, at));
    at += line.size() + 1;
  }
  throw std::runtime_error(
      "its 'parameters' have no line that begins with \"Negative prompt:\" or \"Steps:\", so where the "
      "prompt "
      "ends cannot be told");
}

// A map's entry of this name; null where there is none or it is no map.
const nlohmann::json& entry(const nlohmann::json& map, const std::string& name) {
  static const nlohmann::json nothing;
  if (!map.is_object()) return nothing;
  const auto found = map.find(name);
  return found == map.end() ? nothing : *found;
}

// Of the node that a KSampler's link ["6", 0] names.
std::string linked_text(const nlohmann::json& nodes, const nlohmann::json& link) {
  if (link.is_array() && !link.empty() && link[0].is_string()) {
    const nlohmann::json& node = entry(nodes, link[0]);
    const nlohmann::json& text = entry(entry(node, "inputs"), "text");
    if (entry(node, "class_type") == "CLIPTextEncode" && text.is_string())
      return without_blanks(text.get<std::string>());
  }
  throw std::runtime_error(
      "the positive input of the KSampler in its 'prompt' is no CLIPTextEncode node with a text of its own");
}

std::string comfy_prompt(const std::string& text) {
  const nlohmann::json nodes = nlohmann::json::parse(text, nullptr, false);
  if (!nodes.is_object()) throw std::runtime_error("its 'prompt' is no workflow of ComfyUI: not a JSON map");
  std::set<std::string> prompts;
  for (const nlohmann::json& node : nodes)
    if (const nlohmann::json& type = entry(node, "class_type");
        type == "KSampler" || type == "KSamplerAdvanced")
      prompts.insert(linked_text(nodes, entry(entry(node, "inputs"), "positive")));
  if (prompts.size() != 1)
    throw std::runtime_error(
        fmt::format("its 'prompt' has {}, expected one KSampler, or several with one prompt",
                    prompts.empty() ? "no KSampler" : "KSamplers with different prompts"));
  return *prompts.begin();
}

std::optional<std::string> prompt_in(const fs::path& picture, std::vector<std::string>& looked_for) {
  looked_for.push_back(picture.string());
  try {
    const std::vector<std::uint8_t> bytes = read_bytes(picture);
    if (read_header(bytes, picture.string(), kNoDecodeLimits).format != "png") return std::nullopt;
    return prompt_of_png(bytes);
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    if (text.starts_with(picture.string())) throw;
    throw std::runtime_error(fmt::format("{}: {}", picture.string(), text));
  }
}

std::string none_found(PromptSource source, const std::vector<std::string>& looked_for) {
  if (looked_for.empty()) return fmt::format("prompt: {}, but the picture is no file", to_string(source));
  const char* what =
      source == PromptSource::sidecar ? "no such file" : "no PNG with a prompt of A1111 or ComfyUI";
  return fmt::format("prompt: {}, but {}: {}", to_string(source), what, fmt::join(looked_for, ", "));
}

}  // namespace

std::string without_blanks(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kBlank) - first + 1));
}

std::string read_prompt_file(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  if (!error && size > kMostTextBytes)
    throw std::runtime_error(
        fmt::format("{}: {} bytes of prompt, expected at most {}", file.string(), size, kMostTextBytes));
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!is_utf8(text) || text.find('\0') != text.npos)
    throw std::runtime_error(fmt::format("{}: no UTF-8 text, expected a prompt", file.string()));
  return without_blanks(text);
}

std::string_view to_string(PromptSource source) {
  return source == PromptSource::sidecar ? "sidecar" : "png-metadata";
}

std::optional<PromptSource> prompt_source(std::string_view setting) {
  for (const PromptSource source : {PromptSource::sidecar, PromptSource::png_metadata})
    if (setting == to_string(source)) return source;
  return std::nullopt;
}

PromptSources sources_of(const PicturePrompts& prompts) {
  PromptSources sources;
  for (const auto& [source, prompt] : prompts) sources.insert(source);
  return sources;
}

std::optional<std::string> prompt_of_png(Bytes file) {
  if (const auto parameters = png_text(file, "parameters")) return a1111_prompt(*parameters);
  if (const auto workflow = png_text(file, "prompt")) return comfy_prompt(*workflow);
  return std::nullopt;
}

PicturePrompt find_prompt(const ImageItem& item, PromptSource source) {
  if (item.prompt && source == PromptSource::sidecar) return {.text = *item.prompt, .problem = {}};
  std::vector<std::string> looked_for;
  try {
    for (const fs::path& picture : {item.lr, item.hr}) {
      if (picture.empty()) continue;
      auto text =
          source == PromptSource::sidecar ? sidecar_of(picture, looked_for) : prompt_in(picture, looked_for);
      if (text) return {.text = std::move(*text), .problem = {}};
    }
  } catch (const std::exception& error) {
    return {.text = {}, .problem = fmt::format("prompt: {}: {}", to_string(source), error.what())};
  }
  return {.text = {}, .problem = none_found(source, looked_for)};
}

Digest prompted_input(const Digest& input, const PromptSources& used, const PicturePrompts& prompts) {
  if (used.empty()) return input;
  Hasher hasher;
  hasher.add_field("picture and prompts").add_field(input);
  for (const PromptSource source : used) {
    const auto found = prompts.find(source);
    const PicturePrompt prompt = found == prompts.end() ? PicturePrompt{} : found->second;
    hasher.add_field(to_string(source)).add_field(prompt.text).add_field(prompt.problem);
  }
  return hasher.finish();
}

}  // namespace upbench
