#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace upbench {

using Bytes = std::span<const std::uint8_t>;

// Numbers in file headers. The caller has checked that the bytes are there.
inline std::uint32_t big_endian_16(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 8 | bytes[at + 1];
}
inline std::uint32_t big_endian_32(Bytes bytes, std::size_t at) {
  return big_endian_16(bytes, at) << 16 | big_endian_16(bytes, at + 2);
}
inline std::uint32_t little_endian_16(Bytes bytes, std::size_t at) {
  return std::uint32_t{bytes[at + 1]} << 8 | bytes[at];
}
inline std::uint32_t little_endian_32(Bytes bytes, std::size_t at) {
  return little_endian_16(bytes, at + 2) << 16 | little_endian_16(bytes, at);
}

}  // namespace upbench
