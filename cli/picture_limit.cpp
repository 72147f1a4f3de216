#include "cli/picture_limit.h"

#include <fmt/format.h>

#include "datasets/codec/decode.h"

namespace upbench {

void add_max_megapixels(CLI::App& command, int& value) {
  command
      .add_option("--max-megapixels", value,
                  fmt::format("Refuse larger pictures, in millions of pixels; otherwise {}",
                              DecodeLimits().max_pixels / 1'000'000))
      ->check(CLI::Range(1, 1'000'000))
      ->type_name("N");
}

}  // namespace upbench
