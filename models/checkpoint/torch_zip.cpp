#include <algorithm>
#include <memory>
#include <string>

#include "models/checkpoint/dialect.h"
#include "models/checkpoint/dtype.h"
#include "models/checkpoint/opened_checkpoint.h"
#include "models/checkpoint/refuse.h"
#include "models/checkpoint/torch_tensors.h"
#include "models/checkpoint/unpickler.h"
#include "models/checkpoint/zip_archive.h"

namespace upbench {
namespace {

constexpr std::uint64_t kMaxPickleBytes = 64 << 20;

// The archive's one folder, with its slash: the part of the name before "data.pkl".
std::string folder_of(const ZipArchive& archive) {
  std::string folder;
  int found = 0;
  for (const auto& [name, entry] : archive.entries()) {
    if (!name.ends_with("/data.pkl") || std::ranges::count(name, '/') != 1) continue;
    folder = name.substr(0, name.size() - std::string_view("data.pkl").size());
    ++found;
  }
  if (found != 1)
    refuse("a zip archive with {} entries */data.pkl, expected one as torch.save writes", found);
  return folder;
}

void check_entries(const ZipArchive& archive, const std::string& folder) {
  for (const auto& [name, entry] : archive.entries()) {
    if (!name.starts_with(folder)) refuse("entry '{}' lies outside '{}'", printable(name), printable(folder));
    const std::string_view inner = std::string_view(name).substr(folder.size());
    if (is_torch_script(inner)) refuse_torch_script(name);
  }
  if (const ZipEntry* order = archive.find(folder + "byteorder")) {
    std::string text(std::min<std::uint64_t>(order->size, 16), '\0');
    if (order->size <= text.size()) archive.read(folder + "byteorder", *order, text.data());
    if (text != "little") refuse("its byteorder is '{}', expected 'little'", printable(text));
  }
}

}  // namespace

OpenedCheckpoint open_torch_zip(const ByteSource& source, std::string_view param_key) {
  const auto archive = std::make_shared<ZipArchive>(source);
  const std::string folder = folder_of(*archive);
  check_entries(*archive, folder);
  const std::string pickle_name = folder + "data.pkl";
  const ZipEntry& pickle_entry = *archive->find(pickle_name);
  if (pickle_entry.size > kMaxPickleBytes)
    refuse("data.pkl has {} bytes, expected at most {}", pickle_entry.size, kMaxPickleBytes);
  std::vector<std::uint8_t> bytes(pickle_entry.size);
  archive->read(pickle_name, pickle_entry, bytes.data());
  const Pickle pickle = unpickle(bytes);
  if (pickle.bytes != bytes.size()) refuse("data.pkl: {} bytes after its end", bytes.size() - pickle.bytes);

  for (const auto& [key, storage] : pickle.storages) {  // also those that are not read below
    const ZipEntry* entry = archive->find(folder + "data/" + key);
    if (!entry) refuse("storage '{}' has no entry data/{}", printable(key), printable(key));
    const std::int64_t shape[] = {storage.elements};
    if (const std::uint64_t expected = bytes_of(shape, storage.dtype); entry->size != expected)
      refuse("storage '{}' has {} bytes, expected {}", printable(key), entry->size, expected);
  }

  StateDict chosen = select_state_dict(*pickle.root, param_key);
  OpenedCheckpoint opened;
  opened.header = {.format = "torch-zip",
                   .dialect = std::move(chosen.dialect),
                   .tensors = entries_of(chosen.tensors),
                   .metadata = {}};
  opened.load = [&source, archive, folder, views = std::move(chosen.tensors)] {
    const auto read = [&](const StorageRef& storage, void* to) {
      const std::string name = folder + "data/" + storage.key;
      archive->read(name, *archive->find(name), to);
    };
    return make_tensors(views, read, source.size());
  };
  return opened;
}

}  // namespace upbench
