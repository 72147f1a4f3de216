#pragma once

#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <span>

#include "datasets/codec/atomic_file.h"

struct spng_ctx;

namespace upbench {

// A PNG of 8-bit RGB that is written row by row, so that its size costs no memory. The file takes its place
// with the last row. Throws std::invalid_argument for sides that PNG does not have (1 to 2^31 - 1) or rows of
// another length, std::system_error where it cannot be written.
class PngWriter {
 public:
  PngWriter(const std::filesystem::path& file, std::int64_t width, std::int64_t height, int level = 3);
  ~PngWriter();
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;

  void write_row(std::span<const std::uint8_t> rgb);  // 3 bytes a pixel

 private:
  void check(int error) const;

  AtomicFile file_;
  std::int64_t width_, left_;   // rows
  std::exception_ptr failure_;  // of the file, which spng only knows as an error
  std::unique_ptr<spng_ctx, void (*)(spng_ctx*)> encoder_;
};

}  // namespace upbench
