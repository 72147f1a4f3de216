#include "tests/fuzz/checksums.h"

#include <zlib.h>
#include <cstddef>

#include "datasets/codec/byte_order.h"

namespace upbench::test {
namespace {

// Where the bytes are: false if they leave the file.
bool fits(std::span<const std::uint8_t> file, std::size_t at, std::size_t bytes) {
  return at <= file.size() && bytes <= file.size() - at;
}

std::uint32_t crc_of(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

void write_little_endian_32(std::span<std::uint8_t> file, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
}

// Where the end records say that the central directory is; zip64's, if the other leaves it to that one.
std::size_t directory_of(std::span<const std::uint8_t> file) {
  constexpr std::size_t kEnd = 22, kEnd64 = 56, kLocator64 = 20, kIn64 = 0xffffffff;
  if (file.size() < kEnd) return file.size();
  const std::size_t end = file.size() - kEnd, directory = little_endian_32(file, end + 16);
  if (directory != kIn64 || end < kEnd64 + kLocator64) return directory;
  return little_endian_32(file, end - kLocator64 - kEnd64 + 48);
}

// APPNOTE 6.3, sections 4.3.7, 4.3.9 and 4.3.12. record: a line of the central directory.
void repair_entry(std::span<std::uint8_t> file, std::size_t record) {
  constexpr std::size_t kLocal = 30;
  const std::size_t size = little_endian_32(file, record + 24), local = little_endian_32(file, record + 42);
  if (!fits(file, local, kLocal)) return;
  const std::size_t data =
      local + kLocal + little_endian_16(file, local + 26) + little_endian_16(file, local + 28);
  if (!fits(file, data, size)) return;
  const std::uint32_t crc = crc_of(file.subspan(data, size));
  write_little_endian_32(file, record + 16, crc);
  const bool has_descriptor = (little_endian_16(file, local + 6) & 1 << 3) != 0;
  if (!has_descriptor || little_endian_32(file, local + 14) != 0)
    write_little_endian_32(file, local + 14, crc);
  if (has_descriptor && fits(file, data + size, 8) && little_endian_32(file, data + size) == 0x08074b50)
    write_little_endian_32(file, data + size + 4, crc);
}

}  // namespace

void repair_png(std::span<std::uint8_t> file) {
  constexpr std::size_t kSignature = 8, kAround = 12;  // length and name before a chunk's bytes, CRC after
  for (std::size_t at = kSignature; fits(file, at, kAround);) {
    const std::size_t length = big_endian_32(file, at);
    if (!fits(file, at + kAround, length)) return;
    const std::uint32_t crc = crc_of(file.subspan(at + 4, 4 + length));
    for (std::size_t i = 0; i < 4; ++i)
      file[at + 8 + length + i] = static_cast<std::uint8_t>(crc >> 8 * (3 - i));
    at += kAround + length;
  }
}

void repair_zip(std::span<std::uint8_t> file) {
  constexpr std::size_t kRecord = 46;
  std::size_t record = directory_of(file);
  while (fits(file, record, kRecord) && little_endian_32(file, record) == 0x02014b50) {
    repair_entry(file, record);
    record += kRecord + little_endian_16(file, record + 28) + little_endian_16(file, record + 30) +
              little_endian_16(file, record + 32);
  }
}

}  // namespace upbench::test
