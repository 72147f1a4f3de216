#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/codec/decode.h"

namespace upbench {
namespace {

constexpr off_t kMostBytes = off_t{1} << 30;

std::runtime_error failure(const std::filesystem::path& file, std::string_view reason) {
  return std::runtime_error(fmt::format("{}: {}", file.string(), reason));
}

std::runtime_error errno_failure(const std::filesystem::path& file, std::string_view what) {
  const int code = errno;
  std::error_code ignored;
  if (code == ENOENT && std::filesystem::is_symlink(file, ignored)) {
    return failure(file, "the symbolic link leads nowhere");
  }
  return failure(file, fmt::format("{}: {}", what, std::generic_category().message(code)));
}

std::string_view kind(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

void require_regular(const std::filesystem::path& file, const struct stat& status) {
  if (!S_ISREG(status.st_mode))
    throw failure(file, fmt::format("is {}, expected a file", kind(status.st_mode)));
  if (status.st_size > kMostBytes) {
    throw failure(file, fmt::format("{} bytes are too many for a picture; expected at most {}",
                                    status.st_size, kMostBytes));
  }
}

class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

bool same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file) {
  struct stat before{};
  if (::stat(file.c_str(), &before) != 0) throw errno_failure(file, "cannot be opened");
  require_regular(file, before);  // before open(), which would wait on a pipe and may wake a device
  const Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (descriptor.get() < 0) throw errno_failure(file, "cannot be opened");
  if (::fstat(descriptor.get(), &before) != 0) throw errno_failure(file, "cannot be read");
  require_regular(file, before);

  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(before.st_size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(descriptor.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw errno_failure(file, "cannot be read");
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  struct stat after{};
  if (::fstat(descriptor.get(), &after) != 0) throw errno_failure(file, "cannot be read");
  if (filled < bytes.size() || !same_state(before, after)) throw failure(file, "changed while it was read");
  return bytes;
}

}  // namespace upbench
