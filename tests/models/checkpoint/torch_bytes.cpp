#include "tests/models/checkpoint/torch_bytes.h"

#include <cstring>

#include <zlib.h>

namespace upbench::test {
namespace {

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i);
  return text;
}

std::string joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

std::uint32_t crc_of(const ZipPart& part) {
  return static_cast<std::uint32_t>(
             crc32_z(0, reinterpret_cast<const Bytef*>(part.bytes.data()), part.bytes.size())) +
         part.crc_error;
}

std::uint16_t flags_of(const ZipPart& part) {
  return static_cast<std::uint16_t>(part.flags | (part.has_descriptor ? 8 : 0));
}

std::string local_header(const ZipPart& part) {
  const std::string& name = part.local_name.empty() ? part.name : part.local_name;
  const std::uint64_t size = part.has_descriptor ? 0
                             : part.local_size   ? part.local_size
                                                 : part.bytes.size(),
                      crc = part.has_descriptor ? 0 : crc_of(part);
  std::string bytes = "PK\3\4" + le16(20) + le16(flags_of(part)) + le16(part.method) + le32(0) + le32(crc) +
                      le32(size) + le32(size) + le16(name.size()) + le16(0) + name;
  bytes += part.bytes;
  if (part.has_descriptor)
    bytes += "PK\7\b" + le32(crc_of(part)) + le32(part.bytes.size()) + le32(part.bytes.size());
  return bytes;
}

std::string central_header(const ZipPart& part, std::uint64_t offset) {
  const bool wide = part.claimed_size != 0;
  const std::uint64_t size = wide ? 0xffffffff : part.bytes.size();
  const std::string extra =
      wide ? le16(1) + le16(16) + le64(part.claimed_size) + le64(part.claimed_size) : "";
  return "PK\1\2" + le16(20) + le16(20) + le16(flags_of(part)) + le16(part.method) + le32(0) +
         le32(crc_of(part)) + le32(size) + le32(size) + le16(part.name.size()) + le16(extra.size()) +
         le16(0) + le16(0) + le16(0) + le32(part.attributes) + le32(offset) + part.name + extra;
}

struct ZipRecords {
  std::string body, central;  // the entries, each behind its local header; the central directory
};

ZipRecords zip_records(const std::vector<ZipPart>& parts) {
  ZipRecords records;
  for (const ZipPart& part : parts) {
    records.central += central_header(part, records.body.size());
    records.body += local_header(part);
  }
  return records;
}

}  // namespace

std::string le16(std::uint64_t value) {
  return little_endian(value, 2);
}
std::string le32(std::uint64_t value) {
  return little_endian(value, 4);
}
std::string le64(std::uint64_t value) {
  return little_endian(value, 8);
}

std::string safetensors_bytes(std::string_view header, std::size_t buffer) {
  return le64(header.size()) + std::string(header) + std::string(buffer, '\0');
}

std::string pickle(std::string_view value) {
  return "\x80\x02" + std::string(value) + ".";
}
std::string text(std::string_view value) {
  return "X" + le32(value.size()) + std::string(value);
}
std::string integer(std::int32_t value) {
  return "J" + le32(static_cast<std::uint32_t>(value));
}
std::string long1(std::int64_t value) {
  return "\x8a\x08" + le64(static_cast<std::uint64_t>(value));
}
std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}
std::string tuple(const std::vector<std::string>& items) {
  return "(" + joined(items) + "t";
}
std::string list(const std::vector<std::string>& items) {
  return "](" + joined(items) + "e";
}
std::string dict(const std::vector<std::string>& keys_and_values) {
  return "}(" + joined(keys_and_values) + "u";
}

std::string storage(std::string_view type, std::string_view key, const std::string& elements) {
  return tuple({text("storage"), global("torch", type), text(key), text("cuda:7"), elements}) + "Q";
}

std::string tensor(const std::string& storage, const std::string& offset,
                   const std::vector<std::string>& sizes, const std::vector<std::string>& strides) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple({storage, offset, tuple(sizes), tuple(strides), "\x89",
                global("collections", "OrderedDict") + ")R"}) +
         "R";
}

std::string small_state_dict() {
  return dict({text("w"), tensor(storage("FloatStorage", "0", integer(6)), integer(0),
                                 {integer(2), integer(3)}, {integer(3), integer(1)})});
}

std::string zip_bytes(const std::vector<ZipPart>& parts) {
  const auto [body, central] = zip_records(parts);
  return body + central + "PK\5\6" + le16(0) + le16(0) + le16(parts.size()) + le16(parts.size()) +
         le32(central.size()) + le32(body.size()) + le16(0);
}

std::string zip64_bytes(const std::vector<ZipPart>& parts, std::uint64_t entries) {
  const auto [body, central] = zip_records(parts);
  constexpr std::uint32_t kIn64 = 0xffffffff;
  return body + central + "PK\6\6" + le64(44) + le16(45) + le16(45) + le32(0) + le32(0) + le64(entries) +
         le64(entries) + le64(central.size()) + le64(body.size()) + "PK\6\7" + le32(0) +
         le64(body.size() + central.size()) + le32(1) + "PK\5\6" + le16(0) + le16(0) + le16(0xffff) +
         le16(0xffff) + le32(kIn64) + le32(kIn64) + le16(0);
}

std::string torch_zip_bytes(std::string_view pickle, std::string_view storage) {
  std::vector<ZipPart> parts{{.name = "archive/data.pkl", .bytes = std::string(pickle)}};
  if (storage.data()) parts.push_back({.name = "archive/data/0", .bytes = std::string(storage)});
  parts.push_back({.name = "archive/version", .bytes = "3\n"});
  return zip_bytes(parts);
}

std::string six_floats() {
  const float values[] = {0, 1, 2, 3, 4, 5};
  std::string bytes(sizeof values, '\0');
  std::memcpy(bytes.data(), values, sizeof values);
  return bytes;
}

std::string torch_legacy_bytes(std::string_view object, std::string_view storage, std::uint64_t elements) {
  using namespace std::string_literals;
  const std::string machine = dict({text("protocol_version"), integer(1001), text("little_endian"), "\x88"});
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"s) + pickle("M" + le16(1001)) +
         pickle(machine) + pickle(object) + pickle(list({text("0")})) + le64(elements) + std::string(storage);
}

}  // namespace upbench::test
