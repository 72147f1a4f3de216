#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/record.h"

// How values that are no plain number, text or hash lie in a column of the store.
namespace upbench {

// One item a line, each ended by a newline; newlines and backslashes inside an item are escaped. Any bytes
// survive, which JSON does not promise: a file name need not be UTF-8.
std::string encode_list(const std::vector<std::string>& items);
std::vector<std::string> decode_list(std::string_view text);

// A path and its value on alternating lines.
using Label = std::vector<std::pair<std::string, std::string>>;
std::string encode_label(const Label& label);
Label decode_label(std::string_view text);

// Under which `meta` holds RunPlan::notes as a list.
std::string run_notes_name(const Digest& run);

// Inverse of to_string. Throws StoreError 2: only a damaged store holds another text.
Status parse_status(std::string_view text);
ValueFlag parse_flag(std::string_view text);
Clock parse_clock(std::string_view text);

}  // namespace upbench
