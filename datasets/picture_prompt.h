#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "datasets/codec/byte_order.h"
#include "datasets/digest.h"
#include "datasets/image_set.h"

// Prompts that belong to pictures. Torch-free.
namespace upbench {

// sidecar: NAME.txt beside the picture NAME.png; of an item that is made from a prompt, this prompt.
// png_metadata: what the picture's PNG says it was made from (prompt_of_png).
enum class PromptSource { sidecar, png_metadata };
using PromptSources = std::set<PromptSource>;
std::string_view to_string(PromptSource);
// "sidecar", "png-metadata"; nothing for every other text.
std::optional<PromptSource> prompt_source(std::string_view setting);

struct PicturePrompt {
  std::string text;     // UTF-8, without blanks and line ends around it
  std::string problem;  // not empty: there is none that can be used, and why
  bool operator==(const PicturePrompt&) const = default;
};
using PicturePrompts = std::map<PromptSource, PicturePrompt>;
PromptSources sources_of(const PicturePrompts& prompts);

// Looks beside, or into, the item's input, then its reference (one may be made from the other). Never throws
// for what is wrong with the files: that is the picture's problem.
PicturePrompt find_prompt(const ImageItem& item, PromptSource source);

// The prompt in a PNG: of A1111's `parameters` what stands before the line that begins with "Negative
// prompt:" or "Steps:"; of ComfyUI's `prompt` the text of the CLIPTextEncode node that is the positive input
// of its KSampler (or of all of them, where they agree). Nothing where neither is there; throws
// std::runtime_error where one is, but no prompt can be told from it, and as png_text() does.
std::optional<std::string> prompt_of_png(Bytes file);

// At most 1 MB of UTF-8, without the blanks around it. Throws std::runtime_error naming the file.
std::string read_prompt_file(const std::filesystem::path& file);
// Without spaces, tabs and line ends at both ends.
std::string without_blanks(std::string_view text);

// What identifies an input together with those of its prompts that are used; the input's own digest where
// none is.
Digest prompted_input(const Digest& input, const PromptSources& used, const PicturePrompts& prompts);

}  // namespace upbench
