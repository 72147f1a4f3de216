#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/codec/byte_order.h"

namespace upbench {

inline constexpr std::size_t kMostTextBytes = 1'000'000;

// The text that a PNG file has under this keyword, as UTF-8: of the first tEXt, zTXt or iTXt chunk of it;
// nothing where there is none. Throws std::runtime_error for what is no whole PNG, for a chunk whose checksum
// is wrong or whose text is longer than kMostTextBytes, does not inflate or is not UTF-8. PNG specification,
// third edition, section 11.3.3.
std::optional<std::string> png_text(Bytes file, std::string_view keyword);

}  // namespace upbench
