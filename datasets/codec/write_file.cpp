#include <algorithm>
#include <atomic>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/codec/atomic_file.h"
#include "datasets/codec/decode.h"

namespace upbench {
namespace {

std::system_error failure(const std::filesystem::path& file, const char* what) {
  return {errno, std::generic_category(), fmt::format("{}: {}", file.string(), what)};
}

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

// The new name itself is durable only when the folder is.
void sync_folder(const std::filesystem::path& file) {
  const int descriptor = ::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw failure(file, "its folder cannot be opened");
  const int result = ::fsync(descriptor), code = errno;
  ::close(descriptor);
  errno = code;
  // Some filesystems have no fsync for folders and say EINVAL.
  if (result != 0 && errno != EINVAL) throw failure(file, "its folder cannot be made durable");
}

}  // namespace

// Its name does not hold the target's, which may already be as long as a name can be.
AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  static std::atomic<unsigned> counter{0};
  do {
    path_ = folder_of(target_) / fmt::format(".upbench-{}-{}.tmp", ::getpid(), counter++);
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) throw failure(target_, "cannot be written");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!path_.empty()) ::unlink(path_.c_str());
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw failure(target_, "cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) {
  write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

void AtomicFile::close() {
  if (descriptor_ < 0) return;
  if (::fsync(descriptor_) != 0) throw failure(target_, "cannot be made durable");
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) throw failure(target_, "cannot be written");
}

// From the disk where the system follows the advice, else from its cache.
void AtomicFile::verify(std::span<const std::uint8_t> bytes, const ReadBackCheck& check) {
  close();
  if (const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC); descriptor >= 0) {
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
    ::close(descriptor);
  }
  const std::vector<std::uint8_t> read = read_bytes(path_);
  if (!std::equal(bytes.begin(), bytes.end(), read.begin(), read.end()))
    throw std::runtime_error(
        fmt::format("{}: what was read back differs from what was written", target_.string()));
  try {
    check(read);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", target_.string(), error.what()));
  }
}

void AtomicFile::commit() {
  close();
  if (::rename(path_.c_str(), target_.c_str()) != 0) throw failure(target_, "cannot be replaced");
  path_.clear();
  sync_folder(target_);
}

void write_file_atomically(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                           const ReadBackCheck& verify) {
  AtomicFile out(file);
  out.write(bytes);
  if (verify) out.verify(bytes, verify);
  out.commit();
}

}  // namespace upbench
