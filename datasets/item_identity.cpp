#include "datasets/item_identity.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/resampling/kernels.h"

namespace upbench {
namespace {

struct Size {
  int width = 0, height = 0;
};

Digest pixels_digest(const Digest& file) {
  return Hasher()
      .add_field("decoded picture")
      .add_field(file)
      .add_field(std::uint64_t{kDecoderVersion})
      .finish();
}

Digest made_digest(const Digest& pixels, const ImageSetSpec::LowResolution& made) {
  return Hasher()
      .add_field("made low resolution")
      .add_field(pixels)
      .add_field(std::uint64_t{kResamplingVersion})
      .add_field(static_cast<std::uint64_t>(made.scale))
      .add_field(made.kernel)
      .finish();
}

// What a strict run refuses must not be in the store under the name that it would have there.
Digest set_apart(const Digest& pixels) {
  if (pixels.is_zero()) return pixels;
  return Hasher().add_field("picture read although corrupt").add_field(pixels).finish();
}

Digest cut_digest(const Digest& pixels, Size size) {
  return Hasher()
      .add_field("picture cut at the top left")
      .add_field(pixels)
      .add_field(static_cast<std::uint64_t>(size.width))
      .add_field(static_cast<std::uint64_t>(size.height))
      .finish();
}

// Sets everything of the identity that follows from a reference of size `whole` and its use at `scale`.
void set_reference(ItemIdentity& identity, const Digest& pixels, Size whole, Size used, int scale) {
  identity.reference = cut_digest(pixels, used);
  identity.reference_width = used.width;
  identity.reference_height = used.height;
  identity.scale = scale;
  if (used.width == whole.width && used.height == whole.height) return;
  identity.notes.push_back(
      fmt::format("reference cut from {}x{} to {}x{}", whole.width, whole.height, used.width, used.height));
}

void set_made(ItemIdentity& identity, const ImageSetSpec& spec, const std::string& name, const Digest& pixels,
              Size whole) {
  const auto made = low_resolution(spec);
  const Size input{whole.width / made.scale, whole.height / made.scale};
  if (input.width == 0 || input.height == 0) {
    throw std::runtime_error(fmt::format("{}: {}x{} pixels are too few to be made {} times smaller", name,
                                         whole.width, whole.height, made.scale));
  }
  identity.input = made_digest(pixels, made);
  identity.input_width = input.width;
  identity.input_height = input.height;
  set_reference(identity, pixels, whole, {input.width * made.scale, input.height * made.scale}, made.scale);
}

// "babyx4" beside "baby": 4. Otherwise the ratio of the sizes, rounded.
int pair_scale(const ImageItem& item, Size lr, Size hr) {
  const std::string low = item.lr.stem().string(), high = item.hr.stem().string();
  if (const auto suffix = scale_suffix(low); suffix && suffix->base == high) return suffix->scale;
  const int across = static_cast<int>(std::lround(static_cast<double>(hr.width) / lr.width));
  const int down = static_cast<int>(std::lround(static_cast<double>(hr.height) / lr.height));
  if (across != down || across < 1) {
    throw std::runtime_error(
        fmt::format("{}: reference {}x{} is not a whole multiple of the input {}x{} ({}): crop it to one, or "
                    "pair it with its own input",
                    item.hr.string(), hr.width, hr.height, lr.width, lr.height, item.lr.string()));
  }
  return across;
}

constexpr std::int64_t kAnySlack = std::int64_t{1} << 32;
constexpr std::string_view kCropReference =
    "crop it with images.modcrop: true in a spec, or with --modcrop of upbench score";
constexpr std::string_view kCropInput = "it is too small, so crop the other picture or make that from it";

void set_pair(ItemIdentity& identity, const ImageSetSpec& spec, const ImageItem& item, const Digest& pixels,
              Size hr) {
  const Size lr{identity.input_width, identity.input_height};
  const int scale = spec.same_size ? 1 : pair_scale(item, lr, hr);
  // In 64 bit: a suffix may name any scale.
  const std::int64_t width = std::int64_t{lr.width} * scale, height = std::int64_t{lr.height} * scale;
  const std::int64_t slack = spec.cut_reference ? kAnySlack : scale;
  const bool fits =
      hr.width >= width && hr.width - width < slack && hr.height >= height && hr.height - height < slack;
  if (!fits) {
    const bool larger = hr.width >= width && hr.height >= height;
    throw std::runtime_error(fmt::format(
        "{}: reference {}x{}, expected {}x{} ({} is {}x{}, scale {}) or less than {} pixels more a side: {}",
        item.hr.string(), hr.width, hr.height, width, height, item.lr.string(), lr.width, lr.height, scale,
        scale, larger ? kCropReference : kCropInput));
  }
  set_reference(identity, pixels, hr, {static_cast<int>(width), static_cast<int>(height)}, scale);
}

RasterHeader header_of(const ImageSetSpec& spec, const std::filesystem::path& file, Bytes bytes,
                       std::string_view role, ItemIdentity& identity) {
  const DecodeLimits limits = decode_limits(spec);
  RasterHeader header = read_header(bytes, file.string(), limits);
  // Only decoding finds the damage.
  if (limits.lenient && header.format == "jpeg") header.notes = decode(bytes, file.string(), limits).notes;
  if (header.bit_depth == 16) header.notes.emplace_back(kDeepNote);
  for (const std::string& note : header.notes) {
    identity.corrupt = identity.corrupt || note.starts_with(kCorruptNote);
    std::string text = fmt::format("{}: {}", role, note);
    if (std::ranges::find(identity.notes, text) == identity.notes.end())  // a manifest may say it too
      identity.notes.push_back(std::move(text));
  }
  return header;
}

// expected: what a manifest says; zero: nothing.
Digest file_pixels(const std::filesystem::path& file, Bytes bytes, const Digest& expected) {
  const Digest digest = Hasher().add(bytes.data(), bytes.size()).finish();
  if (!expected.is_zero() && digest != expected)
    throw std::runtime_error(
        fmt::format("{}: its sha256 is {}, expected {} as the manifest says: not the file that was meant",
                    file.string(), digest.hex(), expected.hex()));
  return pixels_digest(digest);
}

ItemIdentity identity_of(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes) {
  ItemIdentity identity{.notes = item.notes};
  if (item.prompt) {
    identity.input = Hasher().add_field("prompt").add_field(*item.prompt).finish();
    return identity;
  }
  if (spec.procedural) {
    const ProceduralPicture picture = procedural_picture(spec, item.procedural_index);
    set_made(identity, spec, item.name, procedural_identity(picture), {picture.size, picture.size});
    return identity;
  }
  if (item.lr.empty()) {
    const RasterHeader hr = header_of(spec, item.hr, bytes.hr, "reference", identity);
    if (hr.bit_depth == 16) identity.notes.emplace_back("input: made from 16 bit a sample, rounded to 8 bit");
    set_made(identity, spec, item.hr.string(), file_pixels(item.hr, bytes.hr, item.hr_sha256),
             {hr.width, hr.height});
    return identity;
  }
  const RasterHeader lr = header_of(spec, item.lr, bytes.lr, "input", identity);
  identity.input = file_pixels(item.lr, bytes.lr, item.lr_sha256);
  identity.input_width = lr.width;
  identity.input_height = lr.height;
  if (item.hr.empty()) return identity;
  const RasterHeader hr = header_of(spec, item.hr, bytes.hr, "reference", identity);
  set_pair(identity, spec, item, file_pixels(item.hr, bytes.hr, item.hr_sha256), {hr.width, hr.height});
  return identity;
}

}  // namespace

std::optional<ScaleSuffix> scale_suffix(std::string_view stem) {
  const std::size_t x = stem.find_last_not_of("0123456789");
  const std::size_t digits = x == stem.npos ? 0 : stem.size() - x - 1;
  if (digits < 1 || digits > 2 || x == 0 || stem[x] != 'x' || stem[x + 1] == '0') return std::nullopt;
  const int scale = std::stoi(std::string(stem.substr(x + 1)));
  return ScaleSuffix{std::string(stem.substr(0, x)), scale};
}

DecodeLimits decode_limits(const ImageSetSpec& spec) {
  DecodeLimits limits = limited_to(spec.max_megapixels);
  limits.lenient = spec.lenient;
  return limits;
}

ImageSetSpec::LowResolution low_resolution(const ImageSetSpec& spec) {
  return spec.make_lr.value_or(ImageSetSpec::LowResolution{});
}

ProceduralPicture procedural_picture(const ImageSetSpec& spec, std::uint64_t index) {
  const auto& asked = spec.procedural.value();
  const auto& classes = asked.classes.empty() ? procedural_classes() : asked.classes;
  return {.cls = classes[index % classes.size()],
          .size = asked.size,
          .seed = asked.seed,
          .index = index / classes.size()};
}

ItemBytes read_item(const ImageItem& item) {
  ItemBytes bytes;
  if (!item.lr.empty()) bytes.lr = read_bytes(item.lr);
  if (!item.hr.empty()) bytes.hr = read_bytes(item.hr);
  return bytes;
}

ItemIdentity identify_bytes(const ImageSetSpec& spec, const ImageItem& item, const ItemBytes& bytes) {
  if (!item.problem.empty()) throw std::runtime_error(item.problem);
  ItemIdentity identity = identity_of(spec, item, bytes);
  if (!identity.corrupt) return identity;
  identity.input = set_apart(identity.input);
  identity.reference = set_apart(identity.reference);
  return identity;
}

ItemIdentity identify(const ImageSetSpec& spec, const ImageItem& item) {
  if (!item.problem.empty()) throw std::runtime_error(item.problem);
  return identify_bytes(spec, item, read_item(item));
}

}  // namespace upbench
