#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "models/checkpoint/byte_source.h"

namespace upbench {

struct ZipEntry {
  std::uint64_t offset = 0;  // of its bytes in the file
  std::uint64_t size = 0;
  std::uint32_t crc = 0;
};

// Does torch.jit.save write an entry of this name? `inner`: without the archive's folder.
inline bool is_torch_script(std::string_view inner) {
  return inner.starts_with("code/") || inner == "constants.pkl";
}
[[noreturn]] void refuse_torch_script(std::string_view entry);

// A zip archive of stored (not compressed) entries, as torch.save writes: a compressed one is refused, so
// nothing can unfold to more than the file's size. Opening it checks that the central directory and the local
// headers say the same, that the entries fill the file from its first byte to the directory without overlap
// or hole, and that no name is absolute, climbs, repeats or is a link. Nothing is ever extracted to disk.
// Throws std::invalid_argument naming the entry and the rule.
class ZipArchive {
 public:
  explicit ZipArchive(const ByteSource& source);  // the source must outlive the archive

  const std::map<std::string, ZipEntry, std::less<>>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;  // null where there is none
  // `to` has entry.size bytes. Refuses bytes whose CRC-32 is not the recorded one.
  void read(std::string_view name, const ZipEntry& entry, void* to) const;

 private:
  const ByteSource& source_;
  std::map<std::string, ZipEntry, std::less<>> entries_;
};

}  // namespace upbench
