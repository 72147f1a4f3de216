#include "tests/faults/pictures.h"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "datasets/codec/encode.h"
#include "tests/faults/picture_bytes.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using Bytes = std::function<FileBytes()>;  // made when the test runs

Fault at_path(int exit_code, int row, const char* name, const char* suffix, const char* input,
              std::function<void(const fs::path&)> put, const char* message) {
  Fault fault{.row = row,
              .name = name,
              .input = input,
              .make = {},
              .command = {"run", "spec.yaml"},
              .exit_code = exit_code,
              .message = message};
  fault.make = [file = std::string(name) + suffix, put = std::move(put)](const fs::path& folder) {
    fs::create_directories(folder / kPictureFolder);
    put(folder / kPictureFolder / file);
  };
  return fault;
}

Fault refused(int row, const char* name, const char* suffix, const char* input, Bytes bytes,
              const char* message) {
  return at_path(
      3, row, name, suffix, input,
      [bytes = std::move(bytes)](const fs::path& file) { write_bytes(file, bytes()); }, message);
}
Fault noted(int row, const char* name, const char* suffix, const char* input, Bytes bytes,
            const char* message) {
  return at_path(
      0, row, name, suffix, input,
      [bytes = std::move(bytes)](const fs::path& file) { write_bytes(file, bytes()); }, message);
}

// A format that is told apart only to be refused by its name.
Fault foreign(int row, const char* name, const char* suffix, const char* format, const char* begin) {
  Fault fault = refused(row, name, suffix, format, [begin] { return text_bytes(begin); }, "");
  fault.message = fmt::format("{} is not supported", format);
  return fault;
}

FileBytes png_without_end() {
  return without_end(sound_png(), 12);
}
// 33: after the signature and IHDR; 8 more: the picture data.
FileBytes png_with_other_data() {
  return changed(sound_png(), 33 + 8 + 100);
}
// Between the picture data and IEND.
FileBytes png_with_another_checksum() {
  const FileBytes png = sound_png();
  return changed(png, png.size() - 12 - 1);
}
FileBytes png_signature() {
  FileBytes png = sound_png();
  png.resize(8);
  return png;
}
FileBytes jpeg_without_end() {
  return without_end(sound_jpeg(), 2);
}

std::vector<Fault> damaged() {
  return {
      refused(
          1, "Empty", ".png", "a file of 0 bytes", [] { return FileBytes(); },
          "empty file; expected PNG, JPEG"),
      refused(
          2, "Text", ".png", "a text named .png", [] { return text_bytes("hello, world"); },
          "not a supported image (it begins 68 65 6c 6c 6f 2c 20 77)"),
      refused(
          3, "HalfPng", ".png", "PNG cut at one half", [] { return cut(sound_png(), 0.5); },
          "PNG truncated at byte 7"),
      refused(3, "PngSignature", ".png", "the first 8 bytes of a PNG", png_signature,
              "PNG truncated at byte 8"),
      refused(4, "PngWithoutEnd", ".png", "PNG without IEND", png_without_end, "no IEND chunk"),
      refused(5, "PngData", ".png", "PNG, one byte of IDAT changed", png_with_other_data,
              "is corrupt: IDAT stream error"),
      refused(5, "PngChecksum", ".png", "PNG, the checksum of IDAT changed", png_with_another_checksum,
              "is corrupt: invalid chunk checksum"),
      refused(
          6, "PngHeader", ".png", "PNG, one byte of IHDR changed", [] { return changed(sound_png(), 19); },
          "is corrupt: invalid chunk checksum"),
      refused(
          7, "HalfJpeg", ".jpg", "JPEG cut at one half", [] { return cut(sound_jpeg(), 0.5); },
          "JPEG is corrupt or truncated: Premature end of JPEG file"),
      refused(8, "JpegWithoutEnd", ".jpg", "JPEG without EOI", jpeg_without_end,
              "JPEG is corrupt or truncated: Premature end of JPEG file"),
      refused(9, "JpegScan", ".jpg", "JPEG with garbage in its scan", jpeg_with_garbage_in_its_scan,
              "JPEG is corrupt or truncated: Corrupt JPEG data"),
      refused(
          10, "TwelveBitJpeg", ".jpg", "JPEG of 12 bits", [] { return jpeg_of_process(0xc1, 12); },
          "unsupported JPEG process: 12"),
      refused(
          10, "ArithmeticJpeg", ".jpg", "JPEG with arithmetic coding",
          [] { return jpeg_file(small_picture(), {.arithmetic = true, .exif = {}}); },
          "unsupported JPEG process: arithmetic coding (SOF9)"),
      refused(
          10, "LosslessJpeg", ".jpg", "lossless JPEG", [] { return jpeg_of_process(0xc3, 8); },
          "unsupported JPEG process: lossless"),
      refused(
          3, "HalfWebp", ".webp", "WebP cut at one half", [] { return cut(sound_webp(), 0.5); },
          "WebP truncated at byte"),
      refused(
          3, "HalfTiff", ".tif", "TIFF cut at one half", [] { return cut(sound_tiff(), 0.5); },
          "TIFF is corrupt or truncated"),
      refused(
          3, "HalfBmp", ".bmp", "BMP cut at one half", [] { return cut(sound_bmp(), 0.5); },
          "BMP truncated at byte 747: 1440 bytes of pixels expected from byte 54"),
      refused(
          3, "BmpPixelsInHeaders", ".bmp", "BMP whose pixels would begin inside its headers",
          [] {
            FileBytes file = sound_bmp();
            file[10] = 26;
            return file;
          },
          "BMP is corrupt: its pixels would begin at byte 26, its headers end at byte 54"),
      refused(
          3, "HalfPpm", ".ppm", "PPM cut at one half", [] { return cut(sound_ppm(), 0.5); },
          "PNM truncated at byte 726: 1440 bytes of samples expected from byte 13"),
  };
}

std::vector<Fault> too_large() {
  return {
      refused(
          11, "Square", ".png", "PNG header of 10^6 x 10^6 pixels",
          [] { return png_that_says(1'000'000, 1'000'000); },
          "1000000x1000000 is 1000000.0 megapixels, more than the limit of 100.0"),
      refused(12, "Bomb", ".png", "PNG of 9000 x 9000 black pixels", png_bomb,
              "would decode to 81 MB, more than 1000 times the file: refused as a decompression bomb"),
      refused(
          13, "Line", ".png", "PNG header of 2^31-1 x 1 pixels", [] { return png_that_says(0x7fffffff, 1); },
          "2147483647x1 is 2147.5 megapixels, more than the limit of 100.0"),
      refused(
          13, "Negative", ".png", "PNG header of 2^32-1 x 1 pixels",
          [] { return png_that_says(0xffffffff, 1); }, "expected 1 to 2^31-1 a side"),
      refused(
          14, "NoWidth", ".png", "PNG header of 0 x 10 pixels", [] { return png_that_says(0, 10); },
          "PNG header says 0x10 pixels"),
      refused(
          15, "OnePixel", ".png", "a reference of one pixel", [] { return encode_png(random_raster(1, 1)); },
          "1x1 pixels are too few to be made 2 times smaller"),
  };
}

std::vector<Fault> unsupported() {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(),
                  kInfinity = std::numeric_limits<float>::infinity();
  return {
      refused(24, "AnimatedWebp", ".webp", "animated WebP", animated_webp, "animated WebP is not supported"),
      foreign(24, "Gif", ".gif", "GIF", "GIF89a: any"),
      foreign(24, "Psd", ".psd", "Photoshop", "8BPS: any"),
      foreign(24, "Qoi", ".qoi", "QOI", "qoif: any"),
      foreign(24, "Svg", ".svg", "SVG", "<svg xmlns=''/>"),
      refused(
          24, "TiffPages", ".tif", "TIFF of two pages",
          [] {
            TiffFileOptions options;
            options.pages = 2;
            return tiff_file(small_picture(), options);
          },
          "TIFF with 2 pictures is not supported"),
      refused(
          26, "NanTiff", ".tif", "float TIFF with a NaN", [] { return float_tiff(kNan); },
          "TIFF holds 1 NaN, 0 infinite samples and 0 outside 0..1, of 1440"),
      refused(
          26, "InfiniteTiff", ".tif", "float TIFF with an infinite sample",
          [] { return float_tiff(kInfinity); }, "TIFF holds 0 NaN, 1 infinite samples and 0 outside 0..1"),
      refused(
          26, "NegativeTiff", ".tif", "float TIFF with a negative sample", [] { return float_tiff(-1); },
          "0 infinite samples and 1 outside 0..1"),
      refused(
          26, "BrightTiff", ".tif", "float TIFF with a sample above 1", [] { return float_tiff(1.5F); },
          "0 infinite samples and 1 outside 0..1"),
      refused(
          28, "ProfileBomb", ".png", "PNG whose iCCP inflates to 256 MB",
          [] { return png_with_inflating("iCCP"); },
          "has a chunk that inflates beyond the limit of 67108864 bytes"),
      refused(
          28, "TextBomb", ".png", "PNG whose zTXt inflates to 256 MB",
          [] { return png_with_inflating("zTXt"); },
          "has a chunk that inflates beyond the limit of 67108864 bytes"),
      foreign(26, "Exr", ".exr", "OpenEXR", "v/1\x01 any"),
      foreign(26, "Hdr", ".hdr", "Radiance HDR", "#?RADIANCE\n"),
  };
}

void put_socket(const fs::path& file) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (file.string().size() >= sizeof(address.sun_path))
    throw std::runtime_error("the path is too long for a socket");
  file.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const bool bound = ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no socket can be made in " + file.parent_path().string());
}

std::vector<Fault> no_files() {
  const auto put = [](int row, const char* name, const char* input, std::function<void(const fs::path&)> work,
                      const char* message) {
    return at_path(3, row, name, ".png", input, std::move(work), message);
  };
  return {
      put(
          35, "Folder", "a folder named .png", [](const fs::path& file) { fs::create_directory(file); },
          "is a directory, expected a file"),
      put(
          35, "Pipe", "a named pipe that nobody writes to",
          [](const fs::path& file) { ::mkfifo(file.c_str(), 0600); }, "is a named pipe, expected a file"),
      put(35, "Socket", "a socket", put_socket, "is a socket, expected a file"),
      put(
          35, "Device", "a link to /dev/zero",
          [](const fs::path& file) { fs::create_symlink("/dev/zero", file); },
          "is a device, expected a file"),
      put(
          35, "Loop", "a link to itself",
          [](const fs::path& file) { fs::create_symlink(file.filename(), file); },
          "cannot be opened: Too many levels of symbolic links"),
      put(
          37, "Nowhere", "a link that leads nowhere",
          [](const fs::path& file) { fs::create_symlink("gone", file); }, "the symbolic link leads nowhere"),
  };
}

// Numbers as PNG holds them.
FileBytes big_endian(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

FileBytes png_with(std::vector<PngChunk> chunks) {
  return png_of(small_picture(), 2, std::move(chunks));
}

FileBytes turned_tiff() {
  TiffFileOptions options;
  options.orientation = 6;
  return tiff_file(small_picture(), options);
}

std::vector<Fault> layouts() {
  return {
      noted(
          10, "ProgressiveJpeg", ".jpg", "progressive JPEG",
          [] { return jpeg_file(small_picture(), {.progressive = true, .exif = {}}); }, kNoRemark),
      noted(
          16, "SixteenBit", ".png", "PNG of 16 bits", [] { return encode_png(small_picture(3, 16)); },
          "reference: 16 bit a sample, kept; rounded to 8 bit for scoring, but not by metrics with @float"),
      noted(
          16, "SixteenBitGrey", ".png", "grey PNG of 16 bits, made smaller",
          [] { return encode_png(small_picture(1, 16)); },
          "input: made from 16 bit a sample, rounded to 8 bit"),
      noted(
          17, "Alpha", ".png", "PNG with alpha", [] { return encode_png(small_picture(4)); },
          "alpha ignored"),
      noted(
          17, "WebpAlpha", ".webp", "WebP with alpha", [] { return webp_file(small_picture(4)); },
          "alpha ignored"),
      noted(
          18, "GreyAlpha", ".png", "grey PNG with alpha", [] { return png_of(small_picture(2), 4); }, "grey"),
      noted(
          18, "Palette", ".png", "PNG with a palette", [] { return palette_png(false); }, "palette expanded"),
      noted(
          18, "ClearPalette", ".png", "PNG with a palette and tRNS", [] { return palette_png(true); },
          "tRNS transparency expanded to alpha"),
      noted(18, "OneBit", ".png", "PNG of 1 bit", one_bit_png, "1-bit grey scaled to 8 bit"),
      noted(
          20, "Cmyk", ".jpg", "CMYK JPEG without a profile", [] { return jpeg_file(small_picture(4)); },
          "CMYK converted as (1 - C)(1 - K), without a profile"),
      noted(
          20, "CmykProfile", ".jpg", "CMYK JPEG with a profile",
          [] { return custom_jpeg(small_picture(4), [](jpeg_compress_struct&) {}, cmyk_profile()); },
          "CMYK converted to sRGB by ICC profile"),
      noted(
          21, "TurnedJpeg", ".jpg", "JPEG, EXIF orientation 6",
          [] { return jpeg_file(small_picture(), {.exif = exif_block(6)}); }, "EXIF orientation 6 applied"),
      noted(
          21, "TurnedPng", ".png", "PNG, EXIF orientation 6",
          [] { return png_with({{"eXIf", exif_block(6)}}); }, "EXIF orientation 6 applied"),
      noted(
          21, "TurnedWebp", ".webp", "WebP, EXIF orientation 6",
          [] { return webp_file(small_picture(), {.profile = {}, .exif = exif_block(6)}); },
          "EXIF orientation 6 applied"),
      noted(21, "TurnedTiff", ".tif", "TIFF, orientation 6", turned_tiff, "orientation 6 applied"),
      noted(
          21, "NoTurn", ".jpg", "JPEG, EXIF orientation 9",
          [] { return jpeg_file(small_picture(), {.exif = exif_block(9)}); },
          "EXIF orientation 9 is not one of 1 to 8: taken as upright"),
      noted(
          18, "BmpMasks", ".bmp", "BMP of 16 bits a pixel with masks",
          [] {
            const FileBytes masks{0, 0xf8, 0, 0, 0xe0, 0x07, 0, 0, 0x1f, 0, 0, 0};
            return bmp_of({.width = 24,
                           .height = 20,
                           .bits = 16,
                           .compression = 3,
                           .masks = masks,
                           .rows = FileBytes(960, 0x5a)});
          },
          "16 bits a pixel scaled to 8 bits a sample"),
      noted(25, "Interlaced", ".png", "interlaced PNG", interlaced_png, kNoRemark),
      noted(
          26, "FloatTiff", ".tif", "float TIFF within 0..1", [] { return float_tiff(0.5F); },
          "32-bit float rounded to 16 bit"),
      noted(27, "JpegAsPng", ".png", "JPEG named .png", sound_jpeg, "named .png but holds jpeg"),
      noted(27, "PngAsTiff", ".tif", "PNG named .tif", sound_png, "named .tif but holds png"),
      noted(
          27, "Jfif", ".jfif", "JPEG named .jfif",
          [] { return jpeg_file(small_picture(), {.quality = 70, .exif = {}}); }, kNoRemark),
      noted(27, "PngAsJfif", ".jfif", "PNG named .jfif", sound_png, "named .jfif but holds png"),
  };
}

std::vector<Fault> colours_and_extras() {
  const auto profiled = [](FileBytes profile) { return png_with({profile_chunk(profile)}); };
  return {
      noted(
          22, "DisplayP3", ".png", "PNG with a Display P3 profile",
          [=] { return profiled(rgb_profile(kDisplayP3Primaries)); }, "converted to sRGB by ICC profile"),
      noted(
          22, "AdobeRgb", ".png", "PNG with an Adobe RGB profile",
          [=] { return profiled(rgb_profile(kAdobePrimaries, 2.2)); }, "converted to sRGB by ICC profile"),
      noted(
          22, "Srgb", ".png", "PNG with an sRGB profile",
          [=] { return profiled(rgb_profile(kSrgbPrimaries)); }, "is sRGB: samples kept"),
      noted(
          22, "GreyGamma", ".png", "grey PNG with a profile of gamma 1.8",
          [] { return png_of(small_picture(1), 0, {profile_chunk(grey_profile(1.8))}); },
          "converted to sRGB by ICC profile"),
      noted(
          22, "BrokenProfile", ".png", "PNG with a profile of rubbish",
          [=] { return profiled(text_bytes("rubbish")); }, "icc_ignored: the profile is broken"),
      noted(
          22, "WrongProfile", ".png", "PNG with a profile for CMYK", [=] { return profiled(cmyk_profile()); },
          "is not for RGB samples"),
      noted(
          23, "Gamma", ".png", "PNG with gAMA 1.0", [] { return png_with({{"gAMA", big_endian(100'000)}}); },
          "gAMA 1 ignored"),
      noted(
          23, "Chromaticities", ".png", "PNG with cHRM of other primaries",
          [] { return png_with({{"cHRM", FileBytes(32, 1)}}); }, "cHRM ignored"),
      noted(
          24, "Apng", ".png", "animated PNG", [] { return png_with({{"acTL", {0, 0, 0, 1, 0, 0, 0, 0}}}); },
          "animation: default picture only"),
  };
}

// All of them, in the order of their rows.
std::vector<Fault> in_order(std::initializer_list<std::vector<Fault>> parts) {
  std::vector<Fault> all;
  for (const std::vector<Fault>& part : parts) all.insert(all.end(), part.begin(), part.end());
  std::ranges::stable_sort(all, {}, &Fault::row);
  return all;
}

}  // namespace

FaultTable refused_pictures() {
  return {.title = "Pictures that fail",
          .introduction =
              "They lie in one folder with sound pictures, and one run with two models goes over all: the "
              "trials of each bad picture fail with its file and the message as their reason, the sound ones "
              "are scored, and nothing is left behind but the store.",
          .faults = in_order({damaged(), too_large(), unsupported(), no_files()})};
}

FaultTable noted_pictures() {
  return {.title = "Pictures that are read by a rule",
          .introduction =
              "One run over a folder of all of them: every one is scored, and the report's notes "
              "say of it what is listed here. Row 21 for all eight orientations: "
              "`tests/datasets/codec/orientation_test.cpp`.",
          .faults = in_order({layouts(), colours_and_extras()})};
}

void write_picture_spec(const fs::path& folder, const std::string& models) {
  write_text((folder / "spec.yaml").string(),
             fmt::format("name: pictures\nimages: {{path: {}, lr: {{scale: 2}}}}\n"
                         "pipeline: [{{upscale: {{model: {}}}}}]\nmetrics: [psnr-y]\ntiming: none\n",
                         kPictureFolder, models));
}

}  // namespace upbench::test
