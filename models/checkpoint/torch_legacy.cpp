#include <algorithm>
#include <string_view>

#include "models/checkpoint/byte_source.h"
#include "models/checkpoint/dialect.h"
#include "models/checkpoint/dtype.h"
#include "models/checkpoint/opened_checkpoint.h"
#include "models/checkpoint/refuse.h"
#include "models/checkpoint/torch_tensors.h"
#include "models/checkpoint/unpickler.h"

// What torch.save wrote before version 1.6: five pickles (magic number, protocol, facts of the machine, the
// object, the keys of its storages), then each storage in the order of the keys: its number of elements in 8
// bytes, its elements.
namespace upbench {
namespace {

constexpr std::uint64_t kMaxPickleBytes = 64 << 20;
constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr std::int64_t kProtocol = 1001;

class PickleSequence {
 public:
  explicit PickleSequence(const ByteSource& source)
      : head_(source.read(0, std::min(source.size(), kMaxPickleBytes))) {}

  Pickle next() {
    Pickle pickle = unpickle(std::span(head_).subspan(at_));
    at_ += pickle.bytes;
    return pickle;
  }
  std::uint64_t end() const { return at_; }

 private:
  std::vector<std::uint8_t> head_;
  std::size_t at_ = 0;
};

void check_machine(const PickleValue& facts) {
  const auto* dictionary = facts.as<PickleDict>();
  if (!dictionary) refuse("its third pickle is no dictionary of machine facts");
  for (const auto& [key, value] : dictionary->items) {
    const auto* name = key->as<std::string>();
    const auto* flag = value->as<bool>();
    if (name && *name == "little_endian" && (!flag || !*flag))
      refuse("its numbers are big-endian, expected little-endian");
  }
}

struct Place {
  std::uint64_t offset = 0, bytes = 0;
};

// Where each storage's elements lie. Together they must end where the file does.
std::map<std::string, Place> find_storages(const ByteSource& source, const Pickle& object, const Pickle& keys,
                                           std::uint64_t at) {
  const auto* list = keys.root->as<PickleList>();
  if (!list) refuse("its fifth pickle is no list of storage keys");
  std::map<std::string, Place> places;
  for (const PickleValue* item : list->items) {
    const auto* key = item->as<std::string>();
    const auto storage = key ? object.storages.find(*key) : object.storages.end();
    if (storage == object.storages.end())
      refuse("storage '{}' belongs to no tensor", key ? printable(*key) : "?");
    const auto count = source.read(at, 8);
    const std::int64_t shape[] = {storage->second.elements};
    if (little_endian_64(count.data()) != static_cast<std::uint64_t>(shape[0])) {
      refuse("storage '{}' has {} elements, expected {}", printable(*key), little_endian_64(count.data()),
             shape[0]);
    }
    const Place place{.offset = at + 8, .bytes = bytes_of(shape, storage->second.dtype)};
    if (place.bytes > source.size() - place.offset) {
      refuse("truncated: storage '{}' has {} bytes, but {} are left", printable(*key), place.bytes,
             source.size() - place.offset);
    }
    if (!places.emplace(*key, place).second) refuse("storage '{}' is there twice", printable(*key));
    at = place.offset + place.bytes;
  }
  if (at != source.size()) refuse("{} bytes after the last storage", source.size() - at);
  if (places.size() != object.storages.size()) {
    refuse("{} storages for the {} that its tensors name", places.size(), object.storages.size());
  }
  return places;
}

}  // namespace

OpenedCheckpoint open_torch_legacy(const ByteSource& source, std::string_view param_key) {
  PickleSequence sequence(source);
  const Pickle magic = sequence.next();
  const auto* number = magic.root->as<PickleBigInteger>();
  if (!number || number->little_endian != kMagic)
    refuse("a pickle, but not one of torch.save: its magic number is missing");
  const Pickle protocol = sequence.next();
  const auto* version = protocol.root->as<std::int64_t>();
  if (!version || *version != kProtocol) refuse("its torch.save protocol is not {}", kProtocol);
  check_machine(*sequence.next().root);
  const Pickle object = sequence.next(), keys = sequence.next();
  auto places = find_storages(source, object, keys, sequence.end());

  StateDict chosen = select_state_dict(*object.root, param_key);
  OpenedCheckpoint opened;
  opened.header = {.format = "torch-legacy",
                   .dialect = std::move(chosen.dialect),
                   .tensors = entries_of(chosen.tensors),
                   .metadata = {}};
  opened.load = [&source, places = std::move(places), views = std::move(chosen.tensors)] {
    const auto read = [&](const StorageRef& storage, void* to) {
      const Place& place = places.at(storage.key);
      source.read(place.offset, to, place.bytes);
    };
    return make_tensors(views, read, source.size());
  };
  return opened;
}

}  // namespace upbench
