#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <stdexcept>
#include <string_view>

#include "datasets/codec/decode.h"
#include "datasets/picture_prompt.h"

namespace {

// A PNG's prompt is told or refused, too.
void read_prompt(std::span<const std::uint8_t> file) {
  try {
    upbench::prompt_of_png(file);
  } catch (const std::runtime_error&) {
  }
}

void require_agreement(const upbench::RasterHeader& header, std::span<const std::uint8_t> file,
                       const upbench::DecodeLimits& limits) {
  try {
    const upbench::Raster raster = upbench::decode(file, "input", limits);
    const bool agrees = raster.width == header.width && raster.height == header.height &&
                        raster.channels == header.channels && raster.bit_depth == header.bit_depth &&
                        raster.samples.size() == raster.row_bytes() * static_cast<std::size_t>(raster.height);
    if (!agrees) std::abort();
  } catch (const std::runtime_error&) {
  }
}

}  // namespace

// Whatever the bytes are, a picture is decoded or refused by an exception that says why, and the header told
// the size that it has.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace upbench;
  const std::span<const std::uint8_t> file(data, size);
  DecodeLimits limits{.max_pixels = 1 << 18, .max_expansion = 1000};
  if (UPBENCH_FORMAT == std::string_view("png")) read_prompt(file);
  try {
    const RasterHeader header = read_header(file, "input", limits);
    if (header.format != std::string_view(UPBENCH_FORMAT)) return -1;  // no input for this target
    require_agreement(header, file, limits);
    if (header.format == "jpeg") {
      limits.lenient = true;
      require_agreement(header, file, limits);
    }
  } catch (const std::runtime_error&) {
  }
  return 0;
}
