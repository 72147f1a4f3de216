#include "harness/store/file.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "harness/store.h"

namespace upbench {
namespace {

namespace fs = std::filesystem;

struct UnsafeFilesystem {
  std::uint32_t magic;
  std::string_view name;
};

// Magic numbers as in statfs(2) and linux/magic.h.
constexpr std::array kUnsafeFilesystems = std::to_array<UnsafeFilesystem>({
    {0x00006969, "NFS"},
    {0xFF534D42, "CIFS"},
    {0x0000517B, "SMB"},
    {0xFE534D42, "SMB2"},
    {0x65735546, "FUSE"},
    {0x0BD00BD0, "Lustre"},
    {0x47504653, "GPFS"},
    {0x01021997, "9p"},
    {0x00C36400, "Ceph"},
    {0x5346414F, "AFS"},
    {0x73757245, "Coda"},
    {0x19830326, "BeeGFS"},
    {0xAAD7AAEA, "PanFS"},
    {0x786F4256, "vboxsf"},
    {0x20030528, "OrangeFS"},
});

fs::path folder_of(const fs::path& file) {
  const fs::path folder = file.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

bool may_write(const fs::path& path) {
  return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

std::optional<std::string_view> unsafe_filesystem_of(const fs::path& folder) {
  const char* allowed = std::getenv("UPBENCH_ALLOW_ANY_FILESYSTEM");
  if (allowed && std::string_view(allowed) == "1") return std::nullopt;
  struct statfs facts{};
  return statfs(folder.c_str(), &facts) == 0 ? unsafe_filesystem(facts.f_type) : std::nullopt;
}

StoreError network_error(const fs::path& file, std::string_view filesystem) {
  return {
      fmt::format(
          "{}: lies on a {} file system, where a crash or a second machine can damage it: use a local disk "
          "(or set UPBENCH_ALLOW_ANY_FILESYSTEM=1 if only this machine ever opens it)",
          file.string(), filesystem),
      4};
}

std::uintmax_t size_or_zero(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return error ? 0 : size;
}

}  // namespace

fs::path real_file(const fs::path& file) {
  std::error_code error;
  if (!fs::is_symlink(file, error)) return file;
  const fs::path target = fs::canonical(file, error);
  return error ? file : target;
}

fs::path beside(const fs::path& file, std::string_view suffix) {
  return fs::path(file) += suffix;
}

std::optional<std::string_view> unsafe_filesystem(long magic) {
  for (const auto& entry : kUnsafeFilesystems)
    if (entry.magic == static_cast<std::uint32_t>(magic)) return entry.name;
  return std::nullopt;
}

void require_writable(const fs::path& file) {
  const fs::path folder = folder_of(file);
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw StoreError(
        fmt::format("{}: the folder {} does not exist: create it first", file.string(), folder.string()), 2);
  if (const auto filesystem = unsafe_filesystem_of(folder)) throw network_error(file, *filesystem);
  const bool exists = fs::exists(file, error);
  for (const auto& path : {folder, exists ? file : folder})
    if (!may_write(path))
      throw StoreError(
          fmt::format("{}: cannot be written, {} is read-only ({}): make it writable or name another store",
                      file.string(), path.string(), std::strerror(errno)),
          4);
}

void require_store(const fs::path& file) {
  const std::string name = file.string();
  std::error_code error;
  if (!fs::exists(file, error))
    throw StoreError(fmt::format("{}: no such store: name the .db file that `upbench run` wrote", name), 2);
  if (!fs::is_regular_file(file, error))
    throw StoreError(fmt::format("{}: is no file, expected an upbench store", name), 2);
  std::ifstream in(file, std::ios::binary);
  if (!in) throw StoreError(fmt::format("{}: cannot be read ({})", name, std::strerror(errno)), 4);
  std::array<char, 100> header{};
  in.read(header.data(), header.size());
  if (in.gcount() == 0)
    throw StoreError(
        fmt::format("{}: is empty (0 bytes), not an upbench store: delete it or name another file", name), 2);
  constexpr std::string_view kMagic("SQLite format 3\0", 16);
  if (in.gcount() < 100 || std::string_view(header.data(), 16) != kMagic)
    throw StoreError(fmt::format("{}: is not an upbench store (no SQLite file): name another file", name), 2);
  std::uint32_t id = 0;
  for (std::size_t i = 68; i < 72; ++i) id = id << 8 | static_cast<std::uint8_t>(header[i]);
  if (id != kApplicationId)
    throw StoreError(
        fmt::format("{}: is a SQLite file of another program, not an upbench store: name another file", name),
        2);
}

void require_no_orphaned_log(const fs::path& file) {
  const fs::path log = beside(file, "-wal");
  if (size_or_zero(log) == 0) return;
  throw StoreError(
      fmt::format("{0}: its store {1} is gone but this log is left and would spoil a new store: restore {1} "
                  "beside it, or delete it",
                  log.string(), file.string()),
      2);
}

std::string sqlite_uri(const fs::path& file, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= '0' && byte <= '9') ||
                       std::string_view("/._-~").find(c) != std::string_view::npos;
    plain ? uri.push_back(c) : static_cast<void>(uri += fmt::format("%{:02X}", byte));
  }
  return uri.append("?").append(parameters);
}

std::string reader_uri(const fs::path& file) {
  const auto filesystem = unsafe_filesystem_of(folder_of(file));
  const bool has_log = size_or_zero(beside(file, "-wal")) > 0;
  if (filesystem && has_log) throw network_error(file, *filesystem);
  const bool shared = !filesystem && (has_log || may_write(folder_of(file)));
  return sqlite_uri(file, shared ? "mode=ro" : "immutable=1");
}

WriterLock::WriterLock(const fs::path& file) {
  const fs::path lock = beside(file, ".lock");
  descriptor_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor_ < 0)
    throw StoreError(fmt::format("{}: cannot be created ({}): make its folder writable or name another store",
                                 lock.string(), std::strerror(errno)),
                     4);
  std::array<char, 32> text{};
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    const auto size = read(descriptor_, text.data(), text.size());
    close(descriptor_);
    if (reason != EWOULDBLOCK)
      throw StoreError(
          fmt::format("{}: cannot be locked ({}): use a local disk", lock.string(), std::strerror(reason)),
          4);
    throw StoreError(
        fmt::format("another run is using {} (pid {}): wait for it, or stop it", file.string(),
                    std::string_view(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0)),
        2);
  }
  // Only for the message above; a disk too full for it must not keep a reader of the store out.
  const std::string pid = std::to_string(getpid());
  if (ftruncate(descriptor_, 0) == 0) static_cast<void>(!pwrite(descriptor_, pid.data(), pid.size(), 0));
}

WriterLock::~WriterLock() {
  close(descriptor_);
}

}  // namespace upbench
