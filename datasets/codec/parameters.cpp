#include "datasets/codec/parameters.h"

#include <nlohmann/json.hpp>

namespace upbench {
namespace {

std::string quoted_if_needed(const std::string& value) {
  const bool plain = value.find_first_of(",:\n") == value.npos;
  return plain ? value : nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string parameters_text(const PictureParameters& parameters) {
  std::string text = parameters.prompt;
  if (!parameters.negative_prompt.empty()) text += "\nNegative prompt: " + parameters.negative_prompt;
  std::string line;
  for (const auto& [name, value] : parameters.fields)
    line += (line.empty() ? "" : ", ") + name + ": " + quoted_if_needed(value);
  if (!line.empty()) text += (text.empty() ? "" : "\n") + line;
  return text;
}

std::vector<std::pair<std::string, std::string>> parameter_chunks(const PictureParameters& parameters) {
  std::vector<std::pair<std::string, std::string>> chunks;
  if (std::string text = parameters_text(parameters); !text.empty())
    chunks.emplace_back("parameters", std::move(text));
  if (!parameters.json.empty()) chunks.emplace_back("upbench", parameters.json);
  return chunks;
}

}  // namespace upbench
