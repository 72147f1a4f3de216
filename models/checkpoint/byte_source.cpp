#include "models/checkpoint/byte_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

class FileSource : public ByteSource {
 public:
  FileSource(int descriptor, const struct stat& status)
      : ByteSource(static_cast<std::uint64_t>(status.st_size)), descriptor_(descriptor), status_(status) {}
  ~FileSource() override { close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  void check_unchanged() const override {
    struct stat now{};
    if (fstat(descriptor_, &now) != 0) throw std::system_error(errno, std::generic_category(), "fstat");
    if (now.st_size != status_.st_size || now.st_mtim.tv_sec != status_.st_mtim.tv_sec ||
        now.st_mtim.tv_nsec != status_.st_mtim.tv_nsec) {
      throw std::runtime_error("the file changed while it was read; try again when its writer is done");
    }
  }

 private:
  void copy(std::uint64_t offset, void* to, std::uint64_t count) const override {
    auto* target = static_cast<char*>(to);
    while (count > 0) {
      const std::size_t wanted = std::min<std::uint64_t>(count, std::uint64_t{1} << 30);
      const ssize_t got = pread(descriptor_, target, wanted, static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw std::system_error(errno, std::generic_category(), "reading");
      if (got == 0) throw std::runtime_error("the file became shorter while it was read");
      target += got;
      offset += static_cast<std::uint64_t>(got);
      count -= static_cast<std::uint64_t>(got);
    }
  }

  int descriptor_;
  struct stat status_;
};

class MemorySource : public ByteSource {
 public:
  MemorySource(const void* data, std::uint64_t size)
      : ByteSource(size), data_(static_cast<const char*>(data)) {}

 private:
  void copy(std::uint64_t offset, void* to, std::uint64_t count) const override {
    if (count > 0) std::memcpy(to, data_ + offset, count);
  }
  const char* data_;
};

}  // namespace

void ByteSource::read(std::uint64_t offset, void* to, std::uint64_t count) const {
  if (offset > size_ || count > size_ - offset) {
    refuse("truncated: {} bytes from byte {} on are wanted, but the file has {} bytes", count, offset, size_);
  }
  copy(offset, to, count);
}

std::vector<std::uint8_t> ByteSource::read(std::uint64_t offset, std::uint64_t count) const {
  if (count > size_) refuse("truncated: {} bytes are wanted, but the file has {} bytes", count, size_);
  std::vector<std::uint8_t> bytes(count);
  read(offset, bytes.data(), count);
  return bytes;
}

std::unique_ptr<ByteSource> open_file(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) refuse("cannot be opened: {}", std::generic_category().message(errno));
  struct stat status{};
  if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    close(descriptor);
    refuse("is no regular file, expected a checkpoint");
  }
  return std::make_unique<FileSource>(descriptor, status);
}

std::unique_ptr<ByteSource> open_memory(const void* data, std::uint64_t size) {
  return std::make_unique<MemorySource>(data, size);
}

std::uint16_t little_endian_16(const std::uint8_t* bytes) {
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

std::uint32_t little_endian_32(const std::uint8_t* bytes) {
  return little_endian_16(bytes) | std::uint32_t{little_endian_16(bytes + 2)} << 16;
}

std::uint64_t little_endian_64(const std::uint8_t* bytes) {
  return little_endian_32(bytes) | std::uint64_t{little_endian_32(bytes + 4)} << 32;
}

}  // namespace upbench
