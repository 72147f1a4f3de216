#pragma once

#include <cstdint>
#include <span>

namespace upbench::test {

// Both write the CRC-32s that the bytes of a file have, as far as there is something sound to go by. A sound
// file stays as it is.

void repair_png(std::span<std::uint8_t> file);  // of every whole chunk

// Of the stored entries: into the central directory, the local headers and signed descriptors. Entries of
// which the directory leaves size or place to a zip64 field are left.
void repair_zip(std::span<std::uint8_t> file);

}  // namespace upbench::test
