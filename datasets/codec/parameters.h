#pragma once

#include <string>
#include <utility>
#include <vector>

namespace upbench {

// How a picture was made, to be embedded in it.
struct PictureParameters {
  std::string prompt, negative_prompt;  // empty: none
  // "Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", ...: in the order in which they shall stand.
  std::vector<std::pair<std::string, std::string>> fields;
  std::string json;  // everything, for programs; empty: none
};

// The `parameters` text that the web UI of A1111 and its relatives write and read: the prompt, a line
// "Negative prompt: ...", and a last line "Steps: 20, Sampler: Euler a, ...". Values with comma, colon or
// line break are quoted as JSON strings.
std::string parameters_text(const PictureParameters& parameters);

// For PngOptions::text: "parameters" as above, and "upbench" with the JSON. Empty ones are left out.
std::vector<std::pair<std::string, std::string>> parameter_chunks(const PictureParameters& parameters);

}  // namespace upbench
