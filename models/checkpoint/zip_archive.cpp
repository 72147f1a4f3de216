#include "models/checkpoint/zip_archive.h"

#include <sys/stat.h>
#include <zlib.h>
#include <algorithm>

#include "datasets/safe_text.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

// Field offsets are those of PKWARE's APPNOTE 6.3, sections 4.3.7, 4.3.9, 4.3.12, 4.3.14 to 4.3.16.
constexpr std::uint32_t kLocal = 0x04034b50, kDescriptor = 0x08074b50, kCentral = 0x02014b50,
                        kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;
constexpr std::uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                        kLocator64Bytes = 20;
constexpr std::uint32_t kIn64 = 0xffffffff;  // "the value is in the zip64 field"
constexpr std::uint64_t kMaxEntries = 1'000'000, kMaxDirectoryBytes = 256u << 20;
constexpr std::uint16_t kHasDescriptor = 1 << 3, kEncrypted = 1 << 0 | 1 << 6 | 1 << 13, kPatched = 1 << 5;

struct Directory {
  std::uint64_t offset = 0, size = 0, entries = 0;
};

// One line of the central directory.
struct Listed {
  std::string name;
  std::uint16_t flags = 0;
  std::uint32_t crc = 0;
  std::uint64_t size = 0, header = 0;  // header: where the local header is
};

Directory find_directory(const ByteSource& source) {
  if (source.size() < kEndBytes) refuse("truncated: a zip archive has at least {} bytes", kEndBytes);
  const std::uint64_t end_at = source.size() - kEndBytes;
  const auto end = source.read(end_at, kEndBytes);
  if (little_endian_32(end.data()) != kEnd || little_endian_16(&end[20]) != 0) {
    refuse(
        "no end-of-directory record in its last {} bytes: the archive is truncated, or bytes or a comment "
        "follow it",
        kEndBytes);
  }
  if (little_endian_16(&end[4]) != 0 || little_endian_16(&end[6]) != 0)
    refuse("is one disk of a split archive");
  Directory directory{.offset = little_endian_32(&end[16]),
                      .size = little_endian_32(&end[12]),
                      .entries = little_endian_16(&end[10])};
  std::uint64_t directory_end = end_at;
  if (end_at >= kLocator64Bytes + kEnd64Bytes) {
    const auto locator = source.read(end_at - kLocator64Bytes, kLocator64Bytes);
    if (little_endian_32(locator.data()) == kLocator64) {
      directory_end = little_endian_64(&locator[8]);
      const auto end64 = source.read(directory_end, kEnd64Bytes);
      if (little_endian_32(end64.data()) != kEnd64) refuse("the zip64 locator points to no zip64 record");
      const Directory wide{.offset = little_endian_64(&end64[48]),
                           .size = little_endian_64(&end64[40]),
                           .entries = little_endian_64(&end64[32])};
      const auto differs = [](std::uint64_t narrow, std::uint64_t narrow_full, std::uint64_t full) {
        return narrow != narrow_full && narrow != full;
      };
      if (differs(directory.offset, kIn64, wide.offset) || differs(directory.size, kIn64, wide.size) ||
          differs(directory.entries, 0xffff, wide.entries)) {
        refuse("the zip and the zip64 end record differ");
      }
      directory = wide;
    }
  }
  if (directory.entries > kMaxEntries)
    refuse("{} entries, expected at most {}", directory.entries, kMaxEntries);
  if (directory.size > kMaxDirectoryBytes || directory.size / kCentralBytes < directory.entries) {
    refuse("a central directory of {} bytes for {} entries", directory.size, directory.entries);
  }
  if (directory.offset > directory_end || directory_end - directory.offset != directory.size) {
    refuse(
        "the central directory is not where the end record says: several archives in one file, or bytes "
        "before it");
  }
  return directory;
}

void check_name(std::string_view name) {
  const std::string shown = printable(name);
  if (name.empty() || name.size() > 512 || !is_utf8(name) || name.find('\0') != name.npos)
    refuse("entry '{}': not a usable name", shown);
  if (name.front() == '/' || name.find('\\') != name.npos || (name.size() > 1 && name[1] == ':'))
    refuse("entry '{}': an absolute name", shown);
  for (std::size_t at = 0; at <= name.size();) {
    const std::size_t slash = std::min(name.find('/', at), name.size());
    if (name.substr(at, slash - at) == "..") refuse("entry '{}': its name climbs out of the archive", shown);
    at = slash + 1;
  }
}

// The zip64 extra field holds those of (size, compressed size, header offset) that are 0xffffffff in the
// record, in this order.
void apply_zip64(const std::uint8_t* extra, std::uint64_t bytes, std::uint64_t& size,
                 std::uint64_t& compressed, std::uint64_t& header, const std::string& shown) {
  while (bytes >= 4) {
    const std::uint16_t id = little_endian_16(extra), length = little_endian_16(extra + 2);
    if (length > bytes - 4) refuse("entry '{}': its extra field is cut", shown);
    if (id == 1) {
      std::uint64_t used = 0;
      for (std::uint64_t* value : {&size, &compressed, &header}) {
        if (*value != kIn64) continue;
        if (used + 8 > length) refuse("entry '{}': its zip64 field is cut", shown);
        *value = little_endian_64(extra + 4 + used);
        used += 8;
      }
      return;
    }
    extra += 4 + length;
    bytes -= 4u + length;
  }
}

// Parses the record at the start of `rest` and moves past it.
Listed read_listed(const std::uint8_t*& rest, const std::uint8_t* end) {
  const auto left = static_cast<std::uint64_t>(end - rest);
  if (left < kCentralBytes || little_endian_32(rest) != kCentral) refuse("the central directory is broken");
  const std::uint16_t name_bytes = little_endian_16(rest + 28), extra_bytes = little_endian_16(rest + 30),
                      comment_bytes = little_endian_16(rest + 32);
  const std::uint64_t record = kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  if (record > left) refuse("the central directory is broken");

  Listed entry{.name = std::string(reinterpret_cast<const char*>(rest + kCentralBytes), name_bytes),
               .flags = little_endian_16(rest + 8),
               .crc = little_endian_32(rest + 16)};
  check_name(entry.name);
  const std::string shown = printable(entry.name);
  if (entry.flags & kEncrypted) refuse("entry '{}' is encrypted", shown);
  if (entry.flags & kPatched) refuse("entry '{}' is patched data", shown);
  const bool compressed_entry = little_endian_16(rest + 10) != 0;
  if (compressed_entry && is_torch_script(entry.name.substr(entry.name.find('/') + 1)))
    refuse_torch_script(entry.name);
  if (compressed_entry)
    refuse("entry '{}' is compressed, expected stored entries as torch.save writes", shown);
  if (little_endian_16(rest + 34) != 0) refuse("entry '{}' is on another disk", shown);
  if (S_ISLNK(little_endian_32(rest + 38) >> 16)) refuse("entry '{}' is a symbolic link", shown);
  std::uint64_t compressed = little_endian_32(rest + 20);
  entry.size = little_endian_32(rest + 24);
  entry.header = little_endian_32(rest + 42);
  apply_zip64(rest + kCentralBytes + name_bytes, extra_bytes, entry.size, compressed, entry.header, shown);
  if (compressed != entry.size) refuse("entry '{}' is stored, but its two sizes differ", shown);
  rest += record;
  return entry;
}

// The descriptor behind an entry's bytes: an optional signature, the CRC, two sizes of 4 or 8 bytes each.
void check_descriptor(const ByteSource& source, const Listed& entry, std::uint64_t at, std::uint64_t bytes) {
  const std::string shown = printable(entry.name);
  const bool is_signed = bytes == 16 || bytes == 24, is_wide = bytes == 20 || bytes == 24;
  if (bytes != 12 && bytes != 16 && bytes != 20 && bytes != 24)
    refuse("{} bytes after entry '{}' belong to no entry", bytes, shown);
  const auto raw = source.read(at, bytes);
  const std::uint8_t* field = raw.data();
  bool fine = !is_signed || little_endian_32(field) == kDescriptor;
  if (is_signed) field += 4;
  fine &= little_endian_32(field) == entry.crc;
  for (const int which : {0, 1}) {
    fine &= (is_wide ? little_endian_64(field + 4 + 8 * which) : little_endian_32(field + 4 + 4 * which)) ==
            entry.size;
  }
  if (!fine) refuse("entry '{}': its descriptor and the central directory differ", shown);
}

// Do the sizes in the local header agree? With a descriptor the header was written before they were known,
// and holds 0; those beyond 32 bits are in its zip64 field.
bool agrees_on_sizes(const ByteSource& source, const std::vector<std::uint8_t>& local, const Listed& entry,
                     std::uint64_t extra_at) {
  std::uint64_t compressed = little_endian_32(&local[18]), size = little_endian_32(&local[22]), header = 0;
  if (compressed == kIn64 || size == kIn64) {
    const auto extra = source.read(extra_at, little_endian_16(&local[28]));
    apply_zip64(extra.data(), extra.size(), size, compressed, header, printable(entry.name));
  }
  const bool has_descriptor = entry.flags & kHasDescriptor;
  const auto agrees = [&](std::uint64_t value) {
    return value == entry.size || (has_descriptor && value == 0);
  };
  const std::uint32_t crc = little_endian_32(&local[14]);
  return agrees(compressed) && agrees(size) && (crc == entry.crc || (has_descriptor && crc == 0));
}

// Where the entry's bytes begin. next: the next local header, or the central directory.
std::uint64_t check_local(const ByteSource& source, const Listed& entry, std::uint64_t next) {
  const std::string shown = printable(entry.name);
  const auto local = source.read(entry.header, kLocalBytes);
  const auto name = source.read(entry.header + kLocalBytes, little_endian_16(&local[26]));
  const bool has_descriptor = entry.flags & kHasDescriptor;
  if (little_endian_32(local.data()) != kLocal || little_endian_16(&local[6]) != entry.flags ||
      little_endian_16(&local[8]) != 0 ||
      !std::equal(name.begin(), name.end(), entry.name.begin(), entry.name.end(),
                  [](std::uint8_t a, char b) { return static_cast<char>(a) == b; }) ||
      !agrees_on_sizes(source, local, entry, entry.header + kLocalBytes + name.size())) {
    refuse("entry '{}': its local header and the central directory differ", shown);
  }
  const std::uint64_t data = entry.header + kLocalBytes + name.size() + little_endian_16(&local[28]);
  if (data > next || entry.size > next - data)
    refuse("entry '{}' overlaps its neighbour or leaves the file", shown);
  const std::uint64_t gap = next - data - entry.size;
  if (has_descriptor) check_descriptor(source, entry, data + entry.size, gap);
  if (!has_descriptor && gap != 0) refuse("{} bytes after entry '{}' belong to no entry", gap, shown);
  return data;
}

}  // namespace

void refuse_torch_script(std::string_view entry) {
  refuse("a TorchScript archive (entry '{}') is a program; save the model's state_dict() instead",
         printable(entry));
}

ZipArchive::ZipArchive(const ByteSource& source) : source_(source) {
  const Directory directory = find_directory(source);
  const auto raw = source.read(directory.offset, directory.size);
  const std::uint8_t *rest = raw.data(), *end = raw.data() + raw.size();
  std::vector<Listed> listed;
  for (std::uint64_t i = 0; i < directory.entries; ++i) listed.push_back(read_listed(rest, end));
  if (rest != end) refuse("the central directory holds more than its {} entries", directory.entries);

  std::ranges::sort(listed, {}, &Listed::header);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    if (i == 0 && listed[i].header != 0) refuse("{} bytes before the first entry", listed[i].header);
    const std::uint64_t next = i + 1 < listed.size() ? listed[i + 1].header : directory.offset;
    const std::uint64_t data = check_local(source, listed[i], next);
    const ZipEntry entry{.offset = data, .size = listed[i].size, .crc = listed[i].crc};
    if (!entries_.emplace(listed[i].name, entry).second)
      refuse("entry '{}' is there twice", printable(listed[i].name));
  }
}

const ZipEntry* ZipArchive::find(std::string_view name) const {
  const auto entry = entries_.find(name);
  return entry == entries_.end() ? nullptr : &entry->second;
}

void ZipArchive::read(std::string_view name, const ZipEntry& entry, void* to) const {
  source_.read(entry.offset, to, entry.size);
  const auto crc = crc32_z(0, static_cast<const Bytef*>(to), entry.size);
  if (crc != entry.crc)
    refuse("entry '{}': CRC-32 {:08x}, expected {:08x}: the file is damaged", printable(name), crc,
           entry.crc);
}

}  // namespace upbench
