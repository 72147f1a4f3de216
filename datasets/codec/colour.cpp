#include "datasets/codec/colour.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <lcms2.h>

#include "datasets/codec/matrix_shaper.h"

namespace upbench {
namespace {

constexpr std::size_t kMostProfileBytes = std::size_t{16} << 20;  // CMYK profiles of printers have up to ten
constexpr std::size_t kLongestName = 60;

using Handle = std::shared_ptr<void>;

std::size_t channels_of(SampleSpace space) {
  return space == SampleSpace::grey ? 1 : space == SampleSpace::rgb ? 3 : 4;
}

// A context of its own for each picture: errors come here, and threads do not meet.
struct Context {
  cmsContext handle;
  std::string error;

  Context() : handle(cmsCreateContext(nullptr, this)) {
    if (!handle) throw std::bad_alloc();
    cmsSetLogErrorHandlerTHR(handle, [](cmsContext where, cmsUInt32Number, const char* text) {
      auto& self = *static_cast<Context*>(cmsGetContextUserData(where));
      if (self.error.empty()) self.error = text;
    });
  }
  ~Context() { cmsDeleteContext(handle); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
};

Handle owned_profile(cmsHPROFILE profile) {
  return {profile, [](void* handle) {
            if (handle) cmsCloseProfile(handle);
          }};
}

// Names come from the file: printable ASCII of bounded length, for notes that are shown to people.
std::string name_of(cmsHPROFILE profile) {
  std::array<char, 256> text{};
  cmsGetProfileInfoASCII(profile, cmsInfoDescription, "en", "US", text.data(), text.size() - 1);
  std::string name = std::string(text.data()).substr(0, kLongestName);
  for (char& c : name) {
    if (c < ' ' || c > '~') c = '?';
  }
  return name.empty() ? "unnamed" : name;
}

// Why the profile says nothing about such samples.
std::optional<std::string> misfit(cmsHPROFILE profile, SampleSpace space) {
  const auto device = cmsGetDeviceClass(profile);
  if (device != cmsSigInputClass && device != cmsSigDisplayClass && device != cmsSigOutputClass &&
      device != cmsSigColorSpaceClass) {
    return "is no device's profile";
  }
  const auto wanted = space == SampleSpace::grey  ? cmsSigGrayData
                      : space == SampleSpace::rgb ? cmsSigRgbData
                                                  : cmsSigCmykData;
  if (cmsGetColorSpace(profile) == wanted) return std::nullopt;
  return fmt::format("is not for {} samples", space == SampleSpace::grey  ? "grey"
                                              : space == SampleSpace::rgb ? "RGB"
                                                                          : "CMYK");
}

// sRGB, and what adds up to its light.
Handle srgb_profile(cmsContext context) {
  return owned_profile(cmsCreate_sRGBProfileTHR(context));
}

Handle linear_profile(cmsContext context) {
  // As in the library's sRGB, so that both lead to the same light (ITU-R BT.709-6).
  const cmsCIExyY white{0.3127, 0.3290, 1};
  const cmsCIExyYTRIPLE primaries{{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}};
  cmsToneCurve* const straight = cmsBuildGamma(context, 1);
  cmsToneCurve* const curves[] = {straight, straight, straight};
  Handle profile = owned_profile(cmsCreateRGBProfileTHR(context, &white, &primaries, curves));
  cmsFreeToneCurve(straight);
  return profile;
}

// Grey goes to grey with sRGB's curve (IEC 61966-2-1).
Handle grey_profile(cmsContext context) {
  const cmsFloat64Number curve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  cmsToneCurve* const tone = cmsBuildParametricToneCurve(context, 4, curve);
  Handle profile = owned_profile(cmsCreateGrayProfileTHR(context, cmsD50_xyY(), tone));
  cmsFreeToneCurve(tone);
  return profile;
}

// Floating point in and out: the library's integer paths are off by up to a code value, and its tables by
// more.
Handle make_transform(const std::shared_ptr<Context>& context, cmsHPROFILE profile, SampleSpace space,
                      const Handle& target) {
  const cmsUInt32Number from = space == SampleSpace::grey  ? TYPE_GRAY_FLT
                               : space == SampleSpace::rgb ? TYPE_RGB_FLT
                                                           : TYPE_CMYK_FLT;
  if (!target) return nullptr;
  const cmsHTRANSFORM transform = cmsCreateTransformTHR(
      context->handle, profile, from, target.get(), space == SampleSpace::grey ? TYPE_GRAY_FLT : TYPE_RGB_FLT,
      INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_BLACKPOINTCOMPENSATION);
  if (!transform) return nullptr;
  return {transform, [context](void* handle) { cmsDeleteTransform(handle); }};  // outlived by its context
}

// Every channel at these levels, with every other.
std::vector<float> probe(SampleSpace space) {
  constexpr float kLevels[] = {0, 0.03125F, 0.0625F, 0.125F, 0.25F, 0.375F, 0.5F, 0.625F, 0.75F, 0.875F, 1};
  if (space == SampleSpace::grey) return {std::begin(kLevels), std::end(kLevels)};
  std::vector<float> colours;
  for (const float red : kLevels) {
    for (const float green : kLevels) {
      for (const float blue : kLevels) colours.insert(colours.end(), {red, green, blue});
    }
  }
  return colours;
}

// Profiles of sRGB differ by how they were rounded, the most common one by half an 8-bit step where colours
// meet the edge of the gamut: within one step they mean the same. (Gamma 2.2 for sRGB's curve is six steps
// off.)
bool changes_nothing(void* transform, SampleSpace space) {
  constexpr float kSame = 1.0F / 255;
  if (space == SampleSpace::cmyk) return false;
  const std::vector<float> colours = probe(space);
  std::vector<float> converted(colours.size());
  cmsDoTransform(transform, colours.data(), converted.data(),
                 static_cast<cmsUInt32Number>(colours.size() / channels_of(space)));
  return std::equal(colours.begin(), colours.end(), converted.begin(),
                    [](float a, float b) { return std::abs(a - b) <= kSame; });
}

// NaN, which only a broken profile gives, becomes 0.
template <typename Sample>
Sample rounded(float value) {
  constexpr float kLargest = std::numeric_limits<Sample>::max();
  const float scaled = value * kLargest;
  if (!(scaled > 0)) return 0;
  return scaled < kLargest ? static_cast<Sample>(std::lround(scaled)) : std::numeric_limits<Sample>::max();
}

// Samples of one pixel: what is converted, what becomes of it, what is left alone behind it (alpha).
struct PixelLayout {
  std::size_t before, after, left_alone;

  PixelLayout(SampleSpace space, std::size_t channels)
      : before(channels_of(space)),
        after(std::min<std::size_t>(before, 3)),
        left_alone(space == SampleSpace::cmyk ? 0 : channels - before) {}
};

// To what the library takes, which counts ink in percent.
template <typename Sample>
float unit_of(SampleSpace space) {
  return (space == SampleSpace::cmyk ? 100.0F : 1.0F) / std::numeric_limits<Sample>::max();
}

// Colours of 8 bit, each converted when it is met, and remembered until another takes its place: pictures
// hold the same ones again and again, and floating point takes many times as long as looking one up.
class RememberedColours {
 public:
  RememberedColours(void* transform, SampleSpace space, const PixelLayout& layout, std::size_t pixels)
      : transform_(transform), layout_(layout), unit_(unit_of<std::uint8_t>(space)) {
    const int bits = std::clamp(static_cast<int>(std::bit_width(pixels)), kLeastBits, kMostBits);
    shift_ = 32 - bits;
    slots_.resize(std::size_t{1} << bits);
  }

  // `out` may be `in`.
  void convert(const std::uint8_t* in, std::uint8_t* out) {
    std::uint32_t colour = 0;
    for (std::size_t c = 0; c < layout_.before; ++c) colour = colour << 8 | in[c];
    Slot& slot = slots_[colour * kGolden >> shift_];
    if (!slot.used || slot.colour != colour) fill(slot, colour, in);
    for (std::size_t c = 0; c < layout_.after; ++c) out[c] = slot.converted[c];
  }

 private:
  static constexpr int kLeastBits = 8, kMostBits = 18;  // 2 MB: what a processor keeps near it
  static constexpr std::uint32_t kGolden = 0x9E3779B1;  // 2^32 / golden ratio: neighbours lie far apart
  struct Slot {
    std::uint32_t colour = 0;
    std::uint8_t converted[3] = {};
    bool used = false;
  };

  void fill(Slot& slot, std::uint32_t colour, const std::uint8_t* in) {
    float before[4], after[3];
    for (std::size_t c = 0; c < layout_.before; ++c) before[c] = static_cast<float>(in[c]) * unit_;
    cmsDoTransform(transform_, before, after, 1);
    for (std::size_t c = 0; c < layout_.after; ++c) slot.converted[c] = rounded<std::uint8_t>(after[c]);
    slot.colour = colour;
    slot.used = true;
  }

  void* transform_;
  PixelLayout layout_;
  float unit_;
  int shift_ = 0;
  std::vector<Slot> slots_;
};

void convert_bytes(Raster& raster, void* transform, void* linear, SampleSpace space,
                   const PixelLayout& layout) {
  constexpr std::size_t kWorthTables = 2048;  // pixels; about as many conversions make them
  const auto pixels = static_cast<std::size_t>(raster.width) * static_cast<std::size_t>(raster.height);
  std::optional<MatrixShaper> shaper;
  if (linear && pixels > kWorthTables) shaper = MatrixShaper::of(linear);
  RememberedColours colours(transform, space, layout, pixels);
  const std::uint8_t* in = raster.samples.data();
  std::uint8_t* out = raster.samples.data();  // never overtakes `in`: a pixel is no longer than it was
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    if (!shaper || !shaper->convert(in, out)) colours.convert(in, out);
    in += layout.before + layout.left_alone;
    out += layout.after + layout.left_alone;
  }
}

// Few colours of 16 bit come twice: row by row.
void convert_words(Raster& raster, void* transform, SampleSpace space, const PixelLayout& layout) {
  const auto width = static_cast<std::size_t>(raster.width), height = static_cast<std::size_t>(raster.height);
  const float unit = unit_of<std::uint16_t>(space);
  const std::size_t in_step = layout.before + layout.left_alone, out_step = layout.after + layout.left_alone;
  std::vector<float> before(width * layout.before), after(width * layout.after);
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* in = raster.samples.data() + y * width * in_step * sizeof(std::uint16_t);
    std::uint8_t* out = raster.samples.data() + y * width * out_step * sizeof(std::uint16_t);
    for (std::size_t i = 0; i < before.size(); ++i) {
      std::uint16_t sample;
      const std::size_t at = i / layout.before * in_step + i % layout.before;
      std::memcpy(&sample, in + at * sizeof sample, sizeof sample);
      before[i] = static_cast<float>(sample) * unit;
    }
    cmsDoTransform(transform, before.data(), after.data(), static_cast<cmsUInt32Number>(width));
    for (std::size_t i = 0; i < after.size(); ++i) {
      const auto sample = rounded<std::uint16_t>(after[i]);
      const std::size_t at = i / layout.after * out_step + i % layout.after;
      std::memcpy(out + at * sizeof sample, &sample, sizeof sample);
    }
  }
}

// Ink without a profile: light that passes each ink and black in turn.
template <typename Sample>
void ink_to_light(Raster& raster) {
  constexpr std::uint64_t kLargest = std::numeric_limits<Sample>::max();
  const std::uint8_t* in = raster.samples.data();
  std::uint8_t* out = raster.samples.data();
  for (const std::uint8_t* end = in + raster.samples.size(); in < end;
       in += 4 * sizeof(Sample), out += 3 * sizeof(Sample)) {
    Sample ink[4], light[3];
    std::memcpy(ink, in, sizeof ink);
    for (int c = 0; c < 3; ++c)
      light[c] = static_cast<Sample>(((kLargest - ink[c]) * (kLargest - ink[3]) + kLargest / 2) / kLargest);
    std::memcpy(out, light, sizeof light);
  }
}

}  // namespace

ToSrgb::ToSrgb(Bytes profile, SampleSpace space, std::vector<std::string>& notes) : space_(space) {
  const auto ignore = [&](std::string_view why) { notes.push_back(fmt::format("icc_ignored: {}", why)); };
  const auto use = [&] {
    if (profile.size() > kMostProfileBytes) return ignore(fmt::format("{} bytes of profile", profile.size()));
    const auto context = std::make_shared<Context>();
    const Handle source = owned_profile(cmsOpenProfileFromMemTHR(
        context->handle, profile.data(), static_cast<cmsUInt32Number>(profile.size())));
    if (!source) return ignore(fmt::format("the profile is broken ({})", context->error));
    const std::string name = name_of(source.get());
    if (const auto why = misfit(source.get(), space)) return ignore(fmt::format("'{}' {}", name, *why));
    const cmsContext handle = context->handle;
    Handle transform =
        make_transform(context, source.get(), space,
                       space == SampleSpace::grey ? grey_profile(handle) : srgb_profile(handle));
    if (!transform) return ignore(fmt::format("'{}' is broken ({})", name, context->error));
    if (changes_nothing(transform.get(), space))
      return notes.push_back(fmt::format("ICC profile '{}' is sRGB: samples kept", name));
    notes.push_back(fmt::format(
        "{}converted to sRGB by ICC profile '{}' (relative colorimetric, black point compensation)",
        space == SampleSpace::cmyk ? "CMYK " : "", name));
    transform_ = std::move(transform);
    if (space == SampleSpace::rgb)
      linear_ = make_transform(context, source.get(), space, linear_profile(handle));
  };
  if (!profile.empty()) use();
  if (space == SampleSpace::cmyk && !transform_)
    notes.push_back("CMYK converted as (1 - C)(1 - K), without a profile");
}

void ToSrgb::apply(Raster& raster) const {
  if (!transform_ && space_ != SampleSpace::cmyk) return;
  const bool bytes = raster.bit_depth == 8;
  if (transform_) {
    const PixelLayout layout(space_, static_cast<std::size_t>(raster.channels));
    bytes ? convert_bytes(raster, transform_.get(), linear_.get(), space_, layout)
          : convert_words(raster, transform_.get(), space_, layout);
  } else {
    (bytes ? ink_to_light<std::uint8_t> : ink_to_light<std::uint16_t>)(raster);
  }
  if (space_ == SampleSpace::cmyk) raster.channels = 3;
  raster.samples.resize(raster.row_bytes() * static_cast<std::size_t>(raster.height));
}

void ToSrgb::apply(RasterHeader& header) const {
  if (space_ == SampleSpace::cmyk) header.channels = 3;
}

}  // namespace upbench
