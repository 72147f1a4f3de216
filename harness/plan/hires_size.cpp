#include "harness/plan/hires_size.h"

#include <cmath>
#include <cstdint>

namespace upbench {
namespace {

int whole_part(std::int64_t a, std::int64_t b, std::int64_t divisor) {
  return static_cast<int>(a * b / divisor);
}

HiresSize a1111_size(double scale, PictureSize wanted, PictureSize input, int factor) {
  HiresSize made;
  const auto [width, height] = input;
  if (wanted.width == 0 && wanted.height == 0) {
    made.enlarged = {static_cast<int>(width * scale), static_cast<int>(height * scale)};
  } else if (wanted.height == 0) {
    made.enlarged = {wanted.width, whole_part(wanted.width, height, width)};
  } else if (wanted.width == 0) {
    made.enlarged = {whole_part(wanted.height, width, height), wanted.height};
  } else {
    const bool follows_x =
        static_cast<double>(width) / height < static_cast<double>(wanted.width) / wanted.height;
    made.enlarged = follows_x ? PictureSize{wanted.width, whole_part(wanted.width, height, width)}
                              : PictureSize{whole_part(wanted.height, width, height), wanted.height};
    made.cut_x = (made.enlarged.width - wanted.width) / factor;
    made.cut_y = (made.enlarged.height - wanted.height) / factor;
  }
  return made;
}

PictureSize comfy_size(double scale, PictureSize wanted, PictureSize input, int factor) {
  const auto rounded = [](double value) { return static_cast<int>(std::nearbyint(value)); };
  const auto [width, height] = input;
  if (wanted.width == 0 && wanted.height == 0) {
    const auto side = [&](int pixels) {
      const int latents = pixels / factor;
      return rounded(latents * scale) * factor;
    };
    return {side(width), side(height)};
  }
  if (wanted.height == 0)
    wanted.height = rounded(static_cast<double>(height) * wanted.width / width);
  else if (wanted.width == 0)
    wanted.width = rounded(static_cast<double>(width) * wanted.height / height);
  return wanted;
}

}  // namespace

HiresSize hires_size(const nlohmann::json& settings, PictureSize input, int factor) {
  const double scale = settings.at("scale");
  const PictureSize wanted{settings.at("resize-x"), settings.at("resize-y")};
  const bool comfy = settings.at("order") == "comfy";
  HiresSize made;
  if (comfy)
    made.enlarged = comfy_size(scale, wanted, input, factor);
  else
    made = a1111_size(scale, wanted, input, factor);
  made.coded = {made.enlarged.width / factor * factor, made.enlarged.height / factor * factor};
  if (comfy) {
    made.left = (made.enlarged.width - made.coded.width) / 2;
    made.top = (made.enlarged.height - made.coded.height) / 2;
  }
  made.output = {made.coded.width - made.cut_x * factor, made.coded.height - made.cut_y * factor};
  return made;
}

}  // namespace upbench
