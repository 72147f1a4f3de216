#include "datasets/codec/png_writer.h"

#include <limits>
#include <new>
#include <stdexcept>

#include <fmt/format.h>
#include <spng.h>

namespace upbench {
namespace {

void require_side(const std::filesystem::path& file, std::int64_t side) {
  if (side < 1 || side > std::numeric_limits<std::int32_t>::max())
    throw std::invalid_argument(
        fmt::format("{}: a side of {} pixels, expected 1 to 2147483647", file.string(), side));
}

}  // namespace

PngWriter::PngWriter(const std::filesystem::path& file, std::int64_t width, std::int64_t height, int level)
    : file_(file), width_(width), left_(height), encoder_(spng_ctx_new(SPNG_CTX_ENCODER), spng_ctx_free) {
  if (!encoder_) throw std::bad_alloc();
  for (const std::int64_t side : {width, height}) require_side(file, side);
  check(spng_set_png_stream(
      encoder_.get(),
      [](spng_ctx*, void* self, void* bytes, std::size_t size) {
        auto& writer = *static_cast<PngWriter*>(self);
        try {
          writer.file_.write({static_cast<const std::uint8_t*>(bytes), size});
          return 0;
        } catch (const std::exception&) {
          writer.failure_ = std::current_exception();
          return static_cast<int>(SPNG_IO_ERROR);
        }
      },
      this));
  check(spng_set_option(encoder_.get(), SPNG_IMG_COMPRESSION_LEVEL, level));
  check(spng_set_option(encoder_.get(), SPNG_FILTER_CHOICE, SPNG_FILTER_CHOICE_SUB | SPNG_FILTER_CHOICE_UP));
  spng_ihdr header{};
  header.width = static_cast<std::uint32_t>(width);
  header.height = static_cast<std::uint32_t>(height);
  header.bit_depth = 8;
  header.color_type = SPNG_COLOR_TYPE_TRUECOLOR;
  check(spng_set_ihdr(encoder_.get(), &header));
  check(spng_encode_image(encoder_.get(), nullptr, 0, SPNG_FMT_PNG,
                          SPNG_ENCODE_PROGRESSIVE | SPNG_ENCODE_FINALIZE));
}

PngWriter::~PngWriter() = default;

void PngWriter::check(int error) const {
  if (failure_) std::rethrow_exception(failure_);
  if (error != SPNG_OK && error != SPNG_EOI)  // the latter: that was the last row
    throw std::runtime_error(fmt::format("PNG encoding failed: {}", spng_strerror(error)));
}

void PngWriter::write_row(std::span<const std::uint8_t> rgb) {
  if (rgb.size() != 3 * static_cast<std::size_t>(width_) || left_ == 0)
    throw std::invalid_argument(fmt::format("PNG row of {} bytes with {} rows to go, expected {} bytes",
                                            rgb.size(), left_, 3 * width_));
  check(spng_encode_row(encoder_.get(), rgb.data(), rgb.size()));
  if (--left_ == 0) file_.commit();
}

}  // namespace upbench
