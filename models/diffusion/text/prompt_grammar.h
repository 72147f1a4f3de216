#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/diffusion/text/prompt.h"

namespace upbench {

struct WeightedText {
  std::string text;
  double weight = 1;
  bool is_break = false;  // A1111's BREAK: a chunk ends here
  bool operator==(const WeightedText&) const = default;
};

// What brackets of a prompt mean.
//   a1111: (x) times 1.1, [x] divided by 1.1, (x:1.3) times 1.3, nested ones multiply; \( \) \[ \] \\ are the
//          characters; an opening bracket that is never closed counts to the end, a closing one alone is
//          text; BREAK, except inside of brackets, where A1111 takes it for a word. Refused, since they are
//          no one prompt: AND, [from:to:when], [a|b], <lora:...>.
//   comfy: (x) times 1.1, (x:1.3) sets 1.3 whatever is around it; \( \) are the characters; unbalanced ones
//   are text.
//          Refused: embedding:NAME.
//   plain: text.
// Weights multiply in double precision, as there. Throws std::invalid_argument for what is refused, and for a
// weight that is no finite number.
std::vector<WeightedText> parse_prompt(std::string_view text, PromptDialect dialect);

}  // namespace upbench
