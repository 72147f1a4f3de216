#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// Builds the bytes of checkpoints by hand, sound ones and broken ones.
namespace upbench::test {

std::string le16(std::uint64_t value);
std::string le32(std::uint64_t value);
std::string le64(std::uint64_t value);

// Eight bytes of length, the header, `buffer` bytes of zeros.
std::string safetensors_bytes(std::string_view header, std::size_t buffer);

// Pieces of a protocol 2 pickle; a complete one is pickle(piece).
std::string pickle(std::string_view value);
std::string text(std::string_view value);
std::string integer(std::int32_t value);
std::string long1(std::int64_t value);
std::string global(std::string_view module, std::string_view name);
std::string tuple(const std::vector<std::string>& items);
std::string list(const std::vector<std::string>& items);
std::string dict(const std::vector<std::string>& keys_and_values);
std::string storage(std::string_view type, std::string_view key, const std::string& elements);
// A tensor as torch.save pickles it.
std::string tensor(const std::string& storage, const std::string& offset,
                   const std::vector<std::string>& sizes, const std::vector<std::string>& strides);
// {"w": float tensor [2, 3] in storage "0"}
std::string small_state_dict();

struct ZipPart {
  std::string name;
  std::string bytes;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t attributes = 0;
  bool has_descriptor = false;     // as torch.save writes: sizes behind the bytes
  std::uint32_t crc_error = 0;     // added to the recorded CRC
  std::string local_name;          // another name in the local header
  std::uint64_t local_size = 0;    // another size in the local header
  std::uint64_t claimed_size = 0;  // another size in the central directory, through its zip64 field
};
std::string zip_bytes(const std::vector<ZipPart>& parts);
// The same with all that zip64's end record can hold left to it; it says that there are so many entries.
std::string zip64_bytes(const std::vector<ZipPart>& parts, std::uint64_t entries);

// An archive with this data.pkl and a storage "0" of these bytes.
std::string torch_zip_bytes(std::string_view pickle, std::string_view storage = std::string_view());
std::string six_floats();  // 0 1 2 3 4 5, little-endian

// The format before 1.6: the object's pickle, and storage "0".
std::string torch_legacy_bytes(std::string_view object, std::string_view storage, std::uint64_t elements);

}  // namespace upbench::test
