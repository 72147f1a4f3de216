#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

namespace upbench {

// Random access to the bytes of a file or of a block of memory. What is read is copied, so a file that
// another process truncates meanwhile gives an error here, never a fault.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  std::uint64_t size() const { return size_; }
  // Throws std::invalid_argument when the range leaves the source, std::runtime_error when the disk fails.
  void read(std::uint64_t offset, void* to, std::uint64_t count) const;
  std::vector<std::uint8_t> read(std::uint64_t offset, std::uint64_t count) const;
  // Throws std::runtime_error when the file is no longer the one that was opened.
  virtual void check_unchanged() const {}

 protected:
  explicit ByteSource(std::uint64_t size) : size_(size) {}

 private:
  virtual void copy(std::uint64_t offset, void* to, std::uint64_t count) const = 0;
  std::uint64_t size_;
};

// Throws std::invalid_argument for what does not exist, may not be read or is no regular file. A fifo is
// refused without waiting.
std::unique_ptr<ByteSource> open_file(const std::filesystem::path& file);

// The memory must outlive the source.
std::unique_ptr<ByteSource> open_memory(const void* data, std::uint64_t size);

std::uint16_t little_endian_16(const std::uint8_t* bytes);
std::uint32_t little_endian_32(const std::uint8_t* bytes);
std::uint64_t little_endian_64(const std::uint8_t* bytes);

}  // namespace upbench
