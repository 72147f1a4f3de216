#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <tiff.h>
#include <zlib.h>

#include "datasets/codec/colour.h"
#include "datasets/codec/decode.h"
#include "tests/datasets/codec/format_files.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using Colour = std::array<double, 3>;
using Matrix = std::array<Colour, 3>;

Colour times(const Matrix& matrix, const Colour& colour) {
  Colour product{};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) product[i] += matrix[i][j] * colour[j];
  return product;
}

Matrix inverse(const Matrix& m) {
  Matrix result{};
  double determinant = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const auto &a = m[(j + 1) % 3], &b = m[(j + 2) % 3];
      result[i][j] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
    }
  }
  for (std::size_t j = 0; j < 3; ++j) determinant += m[0][j] * result[j][0];
  for (auto& row : result)
    for (double& value : row) value /= determinant;
  return result;
}

// Linear RGB of these primaries and D65 white to XYZ (SMPTE RP 177).
Matrix to_xyz(const Primaries& primaries) {
  const auto xyz = [](double x, double y) { return Colour{x / y, 1, (1 - x - y) / y}; };
  const Colour red = xyz(primaries.red[0], primaries.red[1]),
               green = xyz(primaries.green[0], primaries.green[1]),
               blue = xyz(primaries.blue[0], primaries.blue[1]);
  Matrix columns{};
  for (std::size_t i = 0; i < 3; ++i) columns[i] = {red[i], green[i], blue[i]};
  const Colour amounts = times(inverse(columns), xyz(0.3127, 0.3290));
  for (auto& row : columns)
    for (std::size_t j = 0; j < 3; ++j) row[j] *= amounts[j];
  return columns;
}

double srgb_encoded(double linear) {
  const double clipped = std::clamp(linear, 0.0, 1.0);
  return clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * std::pow(clipped, 1 / 2.4) - 0.055;
}

double srgb_decoded(double encoded) {
  return encoded <= 0.04045 ? encoded / 12.92 : std::pow((encoded + 0.055) / 1.055, 2.4);
}

// By matrices alone, 0..1 to 0..1: both have the same white, so nothing is adapted. gamma 0: sRGB's curve.
Colour expected_srgb(const Primaries& primaries, double gamma, Colour colour) {
  for (double& value : colour) value = gamma > 0 ? std::pow(value, gamma) : srgb_decoded(value);
  colour = times(inverse(to_xyz(kSrgbPrimaries)), times(to_xyz(primaries), colour));
  for (double& value : colour) value = srgb_encoded(value);
  return colour;
}

PngChunk profile_chunk(const FileBytes& profile, const std::string& name = "x") {
  FileBytes data(name.begin(), name.end());
  data.insert(data.end(), {0, 0});
  FileBytes packed(compressBound(profile.size()));
  uLongf size = packed.size();
  compress(packed.data(), &size, profile.data(), profile.size());
  data.insert(data.end(), packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
  return {"iCCP", data};
}

// 8 or 16 bit; rows of the raster as PNG's scanlines.
FileBytes png_with(const Raster& raster, const PngChunk& chunk) {
  PngParts parts{.width = static_cast<std::uint32_t>(raster.width),
                 .height = static_cast<std::uint32_t>(raster.height),
                 .bit_depth = static_cast<std::uint8_t>(raster.bit_depth),
                 .colour_type = static_cast<std::uint8_t>(
                     std::array{0, 4, 2, 6}[static_cast<std::size_t>(raster.channels - 1)]),
                 .before_data = {chunk}};
  const std::size_t sample = static_cast<std::size_t>(raster.bit_depth / 8);
  for (std::size_t at = 0; at < raster.samples.size(); at += sample) {
    if (at % raster.row_bytes() == 0) parts.scanlines.push_back(0);
    if (sample == 2)
      parts.scanlines.push_back(raster.samples[at + 1]);  // big-endian there, little-endian here
    parts.scanlines.push_back(raster.samples[at]);
  }
  return png_file(parts);
}

double sample_of(const Raster& raster, std::size_t index) {
  if (raster.bit_depth == 8) return raster.samples[index] / 255.0;
  std::uint16_t sample = 0;
  std::memcpy(&sample, raster.samples.data() + 2 * index, 2);
  return sample / 65535.0;
}

TEST(Colour, DisplayP3RedIsClippedToTheRedOfSrgb) {
  const Raster red{.width = 1, .height = 1, .samples = {255, 0, 0}};
  const Raster read = decode(png_with(red, profile_chunk(rgb_profile(kDisplayP3Primaries))), "a.png");
  EXPECT_THAT(read.samples, ElementsAre(255, 0, 0));
  EXPECT_THAT(read.notes, ElementsAre(AllOf(StartsWith("converted to sRGB by ICC profile '"),
                                            HasSubstr("relative colorimetric, black point compensation"))));
}

TEST(Colour, WideGamutsAgreeWithMatrices) {
  const Raster colours = random_raster(40, 10), deep = random_raster(40, 10, 3, 16);
  for (const auto& [primaries, gamma] :
       {std::pair{kDisplayP3Primaries, 0.0}, {kAdobePrimaries, 563.0 / 256}, {kSrgbPrimaries, 1.8}}) {
    const PngChunk chunk = profile_chunk(rgb_profile(primaries, gamma));
    for (const Raster& stored : {colours, deep}) {
      const Raster read = decode(png_with(stored, chunk), "a.png");
      ASSERT_EQ(read.bit_depth, stored.bit_depth);
      // A profile's numbers have 16 bits behind the point, and sRGB's curve is steep at its foot: up to 30 of
      // 65535. 8 bit: rounding, which may fall to the other side.
      const double tolerance = stored.bit_depth == 8 ? 0.501 / 255 + 30.0 / 65535 : 30.0 / 65535;
      for (std::size_t i = 0; i < 3 * 400; i += 3) {
        const Colour expected = expected_srgb(
            primaries, gamma, {sample_of(stored, i), sample_of(stored, i + 1), sample_of(stored, i + 2)});
        for (std::size_t c = 0; c < 3; ++c)
          ASSERT_NEAR(sample_of(read, i + c), expected[c], tolerance) << i + c;
      }
    }
  }
}

TEST(Colour, ProfileOfSrgbLeavesEveryByteAlone) {
  for (const int depth : {8, 16}) {
    const Raster raster = random_raster(31, 17, 3, depth);
    const Raster read = decode(png_with(raster, profile_chunk(rgb_profile(kSrgbPrimaries))), "a.png");
    EXPECT_EQ(read.samples, raster.samples);
    EXPECT_THAT(read.notes, ElementsAre(HasSubstr("is sRGB: samples kept")));
  }
}

TEST(Colour, AlphaIsLeftAlone) {
  const Raster raster = random_raster(16, 16, 4);
  const Raster read = decode(png_with(raster, profile_chunk(rgb_profile(kAdobePrimaries, 2.2))), "a.png");
  const Raster opaque =
      decode(webp_file(
                 [&] {
                   Raster rgb = random_raster(16, 16);
                   for (std::size_t i = 0; i < 256; ++i)
                     std::memcpy(rgb.samples.data() + 3 * i, raster.samples.data() + 4 * i, 3);
                   return rgb;
                 }(),
                 {.profile = rgb_profile(kAdobePrimaries, 2.2)}),
             "a.webp");
  for (std::size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(read.samples[4 * i + 3], raster.samples[4 * i + 3]);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(read.samples[4 * i + c], opaque.samples[3 * i + c]);
  }
}

// Colours are remembered from pixel to pixel; a picture of one pixel has nothing to remember. More colours
// than are remembered, and fewer.
TEST(Colour, EveryPixelConvertsAsItWouldAlone) {
  Raster gradient{.width = 96, .height = 40, .samples = {}};
  for (int i = 0; i < 96 * 40; ++i)
    for (const int value : {i % 96 * 2, i / 96 * 5, (i % 96 + i / 96) / 2})
      gradient.samples.push_back(static_cast<std::uint8_t>(value + i * 7 % 3));
  const FileBytes rgb = rgb_profile(kAdobePrimaries, 563.0 / 256), cmyk = cmyk_profile(),
                  grey = grey_profile(1.8);
  struct Case {
    Raster raster;
    SampleSpace space;
    const FileBytes& profile;
  };
  for (const Case& c :
       {Case{gradient, SampleSpace::rgb, rgb}, Case{random_raster(64, 64), SampleSpace::rgb, rgb},
        Case{random_raster(64, 64, 4), SampleSpace::rgb, rgb},
        Case{random_raster(64, 64, 4), SampleSpace::cmyk, cmyk},
        Case{random_raster(64, 64, 2), SampleSpace::grey, grey}}) {
    std::vector<std::string> notes;
    const ToSrgb to_srgb(c.profile, c.space, notes);
    Raster whole = c.raster;
    to_srgb.apply(whole);
    ASSERT_NE(whole.samples, c.raster.samples);
    const auto before = static_cast<std::size_t>(c.raster.channels),
               after = static_cast<std::size_t>(whole.channels);
    for (std::size_t i = 0; i * before < c.raster.samples.size(); ++i) {
      const auto first = c.raster.samples.begin() + static_cast<std::ptrdiff_t>(i * before);
      Raster alone{.width = 1,
                   .height = 1,
                   .channels = c.raster.channels,
                   .samples = FileBytes(first, first + c.raster.channels)};
      to_srgb.apply(alone);
      for (std::size_t s = 0; s < after; ++s) ASSERT_EQ(whole.samples[i * after + s], alone.samples[s]) << i;
    }
  }
}

TEST(Colour, GreyStaysGreyByItsCurve) {
  Raster ramp{.width = 256, .height = 1, .channels = 1};
  for (int i = 0; i < 256; ++i) ramp.samples.push_back(static_cast<std::uint8_t>(i));
  const Raster read = decode(png_with(ramp, profile_chunk(grey_profile(1.8))), "a.png");
  EXPECT_EQ(read.channels, 1);
  for (int i = 0; i < 256; ++i) {
    // A curve of one number has 8 bits behind the point in the profile: 1.8 becomes 461/256. Tolerance:
    // rounding, and the library's 16-bit steps on the way, up to 5 of 65535.
    EXPECT_NEAR(read.samples[static_cast<std::size_t>(i)],
                255 * srgb_encoded(std::pow(i / 255.0, 461.0 / 256)), 0.52);
  }
}

TEST(Colour, EveryFormatThatCarriesProfilesConvertsTheSame) {
  const FileBytes profile = rgb_profile(kAdobePrimaries, 563.0 / 256);
  const Raster flat{.width = 16, .height = 16, .samples = [] {
                      FileBytes samples;
                      for (int i = 0; i < 256; ++i) samples.insert(samples.end(), {60, 180, 90});
                      return samples;
                    }()};
  const Raster png = decode(png_with(flat, profile_chunk(profile)), "a.png");
  EXPECT_NE(png.samples, flat.samples);
  EXPECT_EQ(decode(webp_file(flat, {.profile = profile}), "a.webp").samples, png.samples);
  EXPECT_EQ(decode(tiff_file(flat, {.profile = profile}), "a.tif").samples, png.samples);
  const Raster jpeg =
      decode(custom_jpeg(
                 flat, [](jpeg_compress_struct& info) { jpeg_set_quality(&info, 100, TRUE); }, profile),
             "a.jpg");
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(jpeg.samples[i], png.samples[i], 2);  // YCbCr of 8 bit and back
}

TEST(Colour, UnusableProfilesAreFlaggedAndIgnored) {
  const Raster raster = random_raster(5, 5), grey = random_raster(5, 5, 1);
  const FileBytes sound = rgb_profile(kAdobePrimaries, 2.2);
  const FileBytes rubbish(200, 'x'), cut(sound.begin(), sound.begin() + 150);
  PngChunk not_packed = profile_chunk(sound);
  not_packed.data.resize(10);
  const std::vector<std::pair<FileBytes, const Raster*>> files{
      {png_with(raster, profile_chunk(rubbish)), &raster},
      {png_with(raster, profile_chunk(cut)), &raster},
      {png_with(raster, not_packed), &raster},
      {png_with(raster, profile_chunk(grey_profile(1.8))), &raster},
      {png_with(grey, profile_chunk(sound)), &grey},
      {webp_file(raster, {.profile = rubbish}), &raster},
      {tiff_file(raster, {.profile = rubbish}), &raster},
  };
  for (const auto& [file, stored] : files) {
    const Raster read = decode(file, "a");
    EXPECT_EQ(read.samples, stored->samples);
    EXPECT_THAT(read.notes, Contains(StartsWith("icc_ignored: ")));
    EXPECT_EQ(read_header(file, "a").notes, read.notes);
  }
}

// 65519 bytes fit into a segment: a profile of 200000 takes four.
TEST(Colour, ProfileOfSeveralJpegSegmentsIsJoinedAndAMissingSegmentIsFlagged) {
  FileBytes profile = rgb_profile(kAdobePrimaries, 2.2);
  const std::size_t true_size = profile.size();
  profile.resize(200000);
  for (std::size_t i = 0; i < 4; ++i) profile[i] = static_cast<std::uint8_t>(profile.size() >> (24 - 8 * i));
  const Raster raster = random_raster(16, 16);
  FileBytes file = custom_jpeg(raster, [](jpeg_compress_struct&) {}, profile);
  ASSERT_LT(true_size, 65519U);
  EXPECT_THAT(decode(file, "a.jpg").notes, Contains(StartsWith("converted to sRGB by ICC profile")));
  const std::string text(file.begin(), file.end());
  const std::size_t second = text.find("ICC_PROFILE", text.find("ICC_PROFILE") + 1);
  file[second] = 'X';
  EXPECT_THAT(decode(file, "a.jpg").notes, ElementsAre("icc_ignored: segment 2 of 4 is missing"));
  file[second] = 'I';
  file[second + 12] = 1;
  EXPECT_THAT(decode(file, "a.jpg").notes, ElementsAre("icc_ignored: segment 1 comes twice"));
  file[second + 13] = 5;
  EXPECT_THAT(decode(file, "a.jpg").notes, ElementsAre("icc_ignored: its segments say they are 4 and 5"));
}

TEST(Colour, ProfileThatInflatesBeyondTheLimitIsRefused) {
  const PngChunk bomb = profile_chunk(FileBytes(80 << 20));
  EXPECT_THAT(refusal([&] { read_header(png_with(random_raster(1, 1), bomb), "a.png"); }),
              HasSubstr("inflates beyond the limit of 67108864 bytes"));
}

Raster flat_ink(std::uint8_t c, std::uint8_t m, std::uint8_t y, std::uint8_t k) {
  Raster raster{.width = 16, .height = 16, .channels = 4};
  for (int i = 0; i < 256; ++i) raster.samples.insert(raster.samples.end(), {c, m, y, k});
  return raster;
}

FileBytes cmyk_jpeg(const Raster& raster, J_COLOR_SPACE space, bool adobe, const FileBytes& profile = {}) {
  return custom_jpeg(
      raster,
      [&](jpeg_compress_struct& info) {
        jpeg_set_colorspace(&info, space);
        jpeg_set_quality(&info, 100, TRUE);
        info.write_Adobe_marker = adobe;
      },
      profile);
}

TEST(Cmyk, JpegWithoutAProfileIsInkThatTakesLightAway) {
  // What is stored: Adobe's programs store 255 - ink.
  const Raster ink = flat_ink(200, 100, 0, 50), inverted = flat_ink(55, 155, 255, 205);
  // (1 - C)(1 - K) by hand: 55 * 205 / 255 = 44.2, 155 * 205 / 255 = 124.6, 205.
  for (const FileBytes& file : {cmyk_jpeg(ink, JCS_CMYK, false), cmyk_jpeg(inverted, JCS_CMYK, true),
                                cmyk_jpeg(inverted, JCS_YCCK, true)}) {
    const Raster read = decode(file, "a.jpg");
    ASSERT_EQ(read.channels, 3);
    ASSERT_EQ(read.samples.size(), 768U);
    EXPECT_NEAR(read.samples[765], 44, 2);  // YCCK: one step of colour conversion, one of quantisation
    EXPECT_NEAR(read.samples[766], 125, 2);
    EXPECT_NEAR(read.samples[767], 205, 2);
    EXPECT_THAT(read.notes, ElementsAre("CMYK converted as (1 - C)(1 - K), without a profile"));
    EXPECT_EQ(read_header(file, "a.jpg").channels, 3);
    EXPECT_EQ(read_header(file, "a.jpg").notes, read.notes);
  }
}

// L* of the profile is 100 (1 - K): grey by CIE's formula and sRGB's curve.
double grey_of_black_ink(double k) {
  const double f = (100 * (1 - k) + 16) / 116;
  const double y = f > 6.0 / 29 ? f * f * f : 3 * (6.0 / 29) * (6.0 / 29) * (f - 4.0 / 29);
  return srgb_encoded(y);
}

TEST(Cmyk, ProfileDecidesWhereThereIsOne) {
  const FileBytes profile = cmyk_profile();
  for (const int k : {0, 64, 128, 200, 255}) {
    const double expected = grey_of_black_ink(k / 255.0);
    const Raster ink = flat_ink(0, 0, 0, static_cast<std::uint8_t>(k));
    const Raster jpeg = decode(cmyk_jpeg(ink, JCS_CMYK, false, profile), "a.jpg");
    const Raster tiff =
        decode(tiff_file(ink, {.photometric = PHOTOMETRIC_SEPARATED, .profile = profile}), "a.tif");
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(tiff.samples[c], 255 * expected, 0.6) << k;  // rounding; the profile's 16 bits
      EXPECT_NEAR(jpeg.samples[c], 255 * expected, 2.6) << k;  // two steps of quantisation
    }
    EXPECT_THAT(jpeg.notes, ElementsAre(StartsWith("CMYK converted to sRGB by ICC profile")));
    EXPECT_EQ(tiff.channels, 3);
  }
}

TEST(Cmyk, SixteenBitTiffStaysSixteenBit) {
  const Raster raster = random_raster(3, 2, 4, 16);
  const Raster read = decode(tiff_file(raster, {.photometric = PHOTOMETRIC_SEPARATED}), "a.tif");
  ASSERT_EQ(read.bit_depth, 16);
  for (std::size_t pixel = 0; pixel < 6; ++pixel) {
    const double black = sample_of(raster, 4 * pixel + 3);
    for (std::size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(sample_of(read, 3 * pixel + c), (1 - sample_of(raster, 4 * pixel + c)) * (1 - black),
                  0.51 / 65535);  // rounding
    }
  }
}

TEST(Cmyk, ProfileForOtherSamplesIsFlaggedAndTheFormulaUsed) {
  const Raster read =
      decode(cmyk_jpeg(flat_ink(0, 0, 0, 0), JCS_CMYK, false, rgb_profile(kAdobePrimaries, 2.2)), "a.jpg");
  EXPECT_THAT(read.notes, ElementsAre(HasSubstr("is not for CMYK samples"),
                                      "CMYK converted as (1 - C)(1 - K), without a profile"));
}

TEST(Colour, CommonProfilesOfRealFilesAreRecognised) {
  UPBENCH_NEEDS_ASSETS();
  const auto notes = [](const char* file) { return decode_file(assets() / "images" / file).notes; };
  EXPECT_THAT(notes("skimage/chelsea.png"),
              Contains("ICC profile 'sRGB IEC61966-2.1' is sRGB: samples kept"));
  EXPECT_THAT(notes("skimage/astronaut.png"),
              Contains("ICC profile 'sRGB IEC61966-2.1' is sRGB: samples kept"));
  EXPECT_THAT(notes("realesrgan-inputs/tree_alpha_16bit.png"), Contains(HasSubstr("'Adobe RGB (1998)'")));
  EXPECT_THAT(notes("realesrgan-inputs/wolf_gray.jpg"), Contains(HasSubstr("'Dot Gain 15%'")));
}

}  // namespace
}  // namespace upbench::test
