#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace upbench {

// The candidate that `word` was probably meant to be; empty when none is near (by edit distance, a swap of
// neighbours counts one).
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

// "unknown WHAT 'WORD' (did you mean 'NEAREST'?), expected one of A, B, C"
std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string>& candidates);

}  // namespace upbench
