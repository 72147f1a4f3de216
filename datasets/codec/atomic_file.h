#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "datasets/codec/encode.h"

namespace upbench {

// A file that grows beside the one whose place it takes at last: readers see the old file or the whole new
// one. What is not committed is removed. Every member throws std::system_error with the path and the errno
// text.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::uint8_t> bytes);
  void write(std::string_view text);
  // Makes it durable, reads it back and hands it to the check; nothing can be written after this. Throws
  // std::runtime_error where what was read differs from `bytes`, and what the check throws.
  void verify(std::span<const std::uint8_t> bytes, const ReadBackCheck& check);
  // Makes it durable and puts it in its place.
  void commit();

 private:
  void close();

  std::filesystem::path target_, path_;
  int descriptor_ = -1;
};

}  // namespace upbench
