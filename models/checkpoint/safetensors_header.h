#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <c10/core/ScalarType.h>

namespace upbench {

struct SafetensorsEntry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes in the buffer after the header
};

struct SafetensorsHeader {
  std::vector<SafetensorsEntry>
      entries;  // by rising offset; together they cover the buffer without overlap or hole
  std::map<std::string, std::string> metadata;
};

// json: the header's text. buffer: bytes after it. Every rule of the format is checked
// (github.com/huggingface/safetensors, README "Format"), and duplicate keys, unknown fields and more than
// 100,000 tensors are refused.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t buffer);

}  // namespace upbench
