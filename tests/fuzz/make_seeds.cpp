#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>
// jpeglib.h needs size_t and FILE before it
#include <jpeglib.h>
#include <tiff.h>

#include "datasets/codec/encode.h"
#include "tests/datasets/codec/format_files.h"
#include "tests/datasets/picture_files.h"
#include "tests/faults/weight_bytes.h"
#include "tests/models/checkpoint/torch_bytes.h"

// Writes the seeds of the fuzz targets: small sound files of each kind, and those of tests/faults that are
// nearly sound.
namespace upbench::test {
namespace {

class Seeds {
 public:
  explicit Seeds(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& target, const std::string& name, const FileBytes& bytes) const {
    std::filesystem::create_directories(folder_ / target);
    write_bytes(folder_ / target / name, bytes);
  }
  void add(const std::string& target, const std::string& name, const std::string& bytes) const {
    add(target, name, FileBytes(bytes.begin(), bytes.end()));
  }

 private:
  std::filesystem::path folder_;
};

void add_checkpoints(const Seeds& seeds) {
  seeds.add("safetensors", "one", one_tensor("F32", "[2,2]", "[0,16]", 16));
  seeds.add("safetensors", "two", two_tensors("[0,8]", "[8,16]", 16));
  seeds.add("safetensors", "metadata",
            safetensors_bytes(
                R"({"__metadata__":{"by":"x"},"e":{"dtype":"F16","shape":[0,7],"data_offsets":[0,0]},)"
                R"("module.s":{"dtype":"BOOL","shape":[],"data_offsets":[0,1]}}  )",
                1));
  seeds.add("torch_zip", "plain", zip_bytes(sound_parts()));
  seeds.add(
      "torch_zip", "descriptors",
      zip_bytes({{.name = "archive/data.pkl", .bytes = pickle(small_state_dict()), .has_descriptor = true},
                 {.name = "archive/data/0", .bytes = six_floats(), .has_descriptor = true},
                 {.name = "archive/byteorder", .bytes = "little"}}));
  std::vector<ZipPart> wide = sound_parts();
  wide.back().claimed_size = wide.back().bytes.size();
  seeds.add("torch_zip", "zip64", zip64_bytes(wide, wide.size()));
  seeds.add("torch_legacy", "plain", torch_legacy_bytes(small_state_dict(), six_floats(), 6));
  seeds.add("torch_legacy", "big_endian", big_endian_legacy());
  seeds.add("pickle", "plain", pickle(small_state_dict()));
  seeds.add("pickle", "nested", pickle(nested_state_dict()));
  seeds.add("pickle", "module",
            pickle(module("net.Net", {"w", six_floats_tensor()},
                          {"m", module("net.M", {"w", six_floats_tensor()}, {})})));
  seeds.add("pickle", "module_in_itself", pickle(module("net.Net", {}, {"m", "h\1"}, "q\1")));
  seeds.add("pickle", "call", pickle(global("os", "system") + tuple({text("id")}) + "R"));
}

// A colour profile without the moment at which it was made.
FileBytes profile() {
  FileBytes bytes = rgb_profile(kDisplayP3Primaries);
  constexpr std::size_t kDate = 24, kDateBytes = 12;  // ICC.1:2010, table 17
  std::fill_n(bytes.begin() + kDate, kDateBytes, std::uint8_t{0});
  return bytes;
}

void add_tiff(const Seeds& seeds) {
  const auto add = [&](const char* name, const Raster& raster, const TiffFileOptions& options) {
    seeds.add("tiff", name, tiff_file(raster, options));
  };
  add("strips", random_raster(7, 5), {.packed = {}, .palette = {}, .profile = {}});
  add("grey16_big_endian", random_raster(5, 4, 1, 16),
      {.mode = "wb", .packed = {}, .palette = {}, .profile = {}});
  add("tiles", random_raster(20, 18),
      {.compression = 5, .tile = 16, .predictor = 2, .packed = {}, .palette = {}, .profile = {}});
  add("planar", random_raster(7, 5, 4),
      {.compression = 8, .planar = true, .packed = {}, .palette = {}, .profile = {}});
  add("turned", random_raster(7, 5),
      {.compression = 32773, .orientation = 6, .packed = {}, .palette = {}, .profile = profile()});
  add("wide_offsets", random_raster(5, 4), {.mode = "wb8", .packed = {}, .palette = {}, .profile = {}});
  add("planar_tiles", random_raster(17, 16, 4, 16),
      {.compression = 5, .tile = 16, .planar = true, .alpha = 1, .packed = {}, .palette = {}, .profile = {}});
  add("reduced_copy", random_raster(5, 4),
      {.packed = {}, .palette = {}, .profile = {}, .subfile_type = FILETYPE_REDUCEDIMAGE, .pages = 2});
  for (const int photometric : {PHOTOMETRIC_RGB, PHOTOMETRIC_YCBCR}) {
    const bool ycbcr = photometric == PHOTOMETRIC_YCBCR;
    for (const int tile : {0, 16})
      seeds.add("tiff", fmt::format("{}{}", ycbcr ? "ycbcr" : "jpeg", tile > 0 ? "_tiles" : ""),
                tiff_file(random_raster(20, 17), {.compression = COMPRESSION_JPEG,
                                                  .photometric = photometric,
                                                  .tile = tile,
                                                  .rows_per_strip = 16,
                                                  .packed = {},
                                                  .palette = {},
                                                  .profile = {}}));
  }
  add("cmyk", random_raster(5, 4, 4),
      {.photometric = PHOTOMETRIC_SEPARATED, .packed = {}, .palette = {}, .profile = {}});
}

// TIFF with samples that are not as wide as those of a raster.
void add_packed_tiff(const Seeds& seeds) {
  const auto add = [&](const std::string& name, int width, int height, int channels,
                       const TiffFileOptions& options) {
    const Raster raster{.width = width, .height = height, .channels = channels, .samples = {}, .notes = {}};
    seeds.add("tiff", name, tiff_file(raster, options));
  };
  const FileBytes rows = random_raster(3, 6, 1).samples;
  for (const int compression : {COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3, COMPRESSION_CCITTFAX4})
    add(fmt::format("fax{}", compression), 24, 6, 1,
        {.compression = compression,
         .photometric = PHOTOMETRIC_MINISWHITE,
         .rows_per_strip = 6,
         .bits = 1,
         .packed = rows,
         .palette = {},
         .profile = {}});
  add("grey2", 12, 6, 1, {.bits = 2, .packed = rows, .palette = {}, .profile = {}});
  std::vector<std::uint16_t> palette(3 * 16);
  for (std::size_t i = 0; i < palette.size(); ++i) palette[i] = static_cast<std::uint16_t>(1000 * i);
  add("palette", 6, 6, 1,
      {.photometric = PHOTOMETRIC_PALETTE, .bits = 4, .packed = rows, .palette = palette, .profile = {}});
  FileBytes halves;  // 0.5, as many as the larger picture has
  for (int i = 0; i < 17 * 16 * 3; ++i) halves.insert(halves.end(), {0, 0, 0, 0x3f});
  add("float", 5, 4, 3,
      {.compression = COMPRESSION_LZW,
       .predictor = 3,
       .bits = 32,
       .sample_format = SAMPLEFORMAT_IEEEFP,
       .packed = {halves.begin(), halves.begin() + 5 * 4 * 3 * 4},
       .palette = {},
       .profile = {}});
  add("float_planar_tiles", 17, 16, 3,
      {.compression = COMPRESSION_ADOBE_DEFLATE,
       .tile = 16,
       .planar = true,
       .predictor = 3,
       .bits = 32,
       .sample_format = SAMPLEFORMAT_IEEEFP,
       .packed = halves,
       .palette = {},
       .profile = {}});
  // Tags out of order, no counts of bytes, a text without its end, an orientation that there is not.
  seeds.add("tiff", "metadata",
            tiff_of({1, 2}, {{TIFFTAG_SOFTWARE, TIFF_ASCII, 4, 0x64636261},
                             {TIFFTAG_IMAGEWIDTH, TIFF_SHORT, 1, 2},
                             {TIFFTAG_IMAGELENGTH, TIFF_SHORT, 1, 1},
                             {TIFFTAG_BITSPERSAMPLE, TIFF_SHORT, 1, 8},
                             {TIFFTAG_COMPRESSION, TIFF_SHORT, 1, COMPRESSION_NONE},
                             {TIFFTAG_PHOTOMETRIC, TIFF_SHORT, 1, PHOTOMETRIC_MINISBLACK},
                             {TIFFTAG_STRIPOFFSETS, TIFF_LONG, 1, 8},
                             {TIFFTAG_ORIENTATION, TIFF_SHORT, 1, 9}}));
}

void add_jpeg(const Seeds& seeds) {
  seeds.add("jpeg", "colour", jpeg_file(random_raster(17, 9, 3)));
  seeds.add("jpeg", "grey", jpeg_file(random_raster(8, 8, 1)));
  seeds.add("jpeg", "progressive", jpeg_file(random_raster(17, 9, 3), {.progressive = true, .exif = {}}));
  seeds.add("jpeg", "arithmetic", jpeg_file(random_raster(9, 9, 3), {.arithmetic = true, .exif = {}}));
  seeds.add("jpeg", "cmyk", jpeg_file(random_raster(9, 9, 4)));
  seeds.add("jpeg", "turned", jpeg_file(random_raster(9, 5, 3), {.exif = exif_block(6, true)}));
  const auto add = [&](const char* name, const std::function<void(jpeg_compress_struct&)>& set,
                       const FileBytes& icc = {}) {
    seeds.add("jpeg", name, custom_jpeg(random_raster(33, 9), set, icc));
  };
  add("restarts", [](jpeg_compress_struct& info) { info.restart_interval = 1; });
  add("progressive_restarts", [](jpeg_compress_struct& info) {
    info.restart_interval = 1;
    jpeg_simple_progression(&info);
  });
  add("chroma_4x1", [](jpeg_compress_struct& info) {
    info.comp_info[0].h_samp_factor = 4;
    info.comp_info[0].v_samp_factor = 1;
  });
  add("adobe_rgb", [](jpeg_compress_struct& info) { jpeg_set_colorspace(&info, JCS_RGB); });
  add("profile", [](jpeg_compress_struct&) {}, profile());
  add("progressive_profile", [](jpeg_compress_struct& info) { jpeg_simple_progression(&info); }, profile());
}

void add_bmp(const Seeds& seeds) {
  for (const int channels : {1, 3, 4})
    seeds.add("bmp", std::to_string(channels) + "x8", bmp_file(random_raster(5, 4, channels), channels == 3));
  const FileBytes masks{0, 0xf8, 0, 0, 0xe0, 0x07, 0, 0, 0x1f, 0, 0, 0};
  seeds.add("bmp", "masks", bmp_of({.bits = 16, .compression = 3, .masks = masks, .rows = {1, 2, 0, 0}}));
  seeds.add("bmp", "bits",
            bmp_of({.width = 9, .bits = 1, .palette = FileBytes(8), .rows = {0x55, 0x80, 0, 0}}));
  seeds.add("bmp", "os2", os2_bmp_of({.height = 2, .rows = {1, 2, 3, 0, 4, 5, 6, 0}}));
  seeds.add("bmp", "os2_palette",
            os2_bmp_of({.width = 3, .bits = 4, .palette = {1, 2, 3, 4, 5, 6}, .rows = {0x10, 0x10, 0, 0}}));
}

void add_webp_and_pnm(const Seeds& seeds) {
  seeds.add("webp", "lossless", webp_file(random_raster(9, 7, 4), {.profile = {}, .exif = {}}));
  seeds.add("webp", "lossy",
            webp_file(random_raster(9, 7), {.lossless = false, .profile = profile(), .exif = exif_block(6)}));
  seeds.add("webp", "lossy_alpha",
            webp_file(random_raster(9, 7, 4), {.lossless = false, .profile = {}, .exif = {}}));
  seeds.add("webp", "lossy_alpha_profile",
            webp_file(random_raster(9, 7, 4), {.lossless = false, .profile = profile(), .exif = {}}));
  seeds.add("pnm", "p6", pnm_file("P6\n2 1\n255\n", {1, 2, 3, 4, 5, 6}));
  seeds.add("pnm", "p5x16", pnm_file("P5 # grey\n2 1 65535\n", {1, 2, 3, 4}));
  seeds.add("pnm", "p3", pnm_file("P3 1 1 255 1 2 3\n"));
  seeds.add("pnm", "p4", pnm_file("P4\n9 1\n", {0x55, 0x80}));
}

void add_png(const Seeds& seeds) {
  for (const int channels : {1, 3, 4})
    seeds.add("png", std::to_string(channels) + "x8",
              encode_png(random_raster(9, 7, channels), {.text = {{"a", "b"}}}));
  seeds.add("png", "3x16", encode_png(random_raster(5, 6, 3, 16)));
  seeds.add(
      "png", "a1111",
      encode_png(random_raster(3, 2), {.text = {{"parameters", "cat\nNegative prompt: dog\nSteps: 20"}}}));
  seeds.add(
      "png", "comfy",
      encode_png(random_raster(3, 2),
                 {.text = {{"prompt", R"({"3":{"class_type":"KSampler","inputs":{"positive":["6",0]}},)"
                                      R"("6":{"class_type":"CLIPTextEncode","inputs":{"text":"cat"}}})"}}}));
  seeds.add("png", "interlaced",
            png_file({.width = 1,
                      .height = 1,
                      .interlace = 1,
                      .scanlines = {0, 1, 2, 3},
                      .before_data = {},
                      .after_data = {}}));
  seeds.add("png", "palette",
            png_file({.width = 2,
                      .height = 1,
                      .bit_depth = 1,
                      .colour_type = 3,
                      .scanlines = {0, 0x40},
                      .before_data = {{"PLTE", {0, 0, 0, 255, 255, 255}}, {"tRNS", {7}}},
                      .after_data = {{"eXIf", exif_block(6)}}}));
  seeds.add("png", "interlaced_palette",
            png_file({.width = 1,
                      .height = 3,
                      .bit_depth = 4,
                      .colour_type = 3,
                      .interlace = 1,
                      .scanlines = {0, 0x10, 0, 0x00, 0, 0x10},
                      .before_data = {{"PLTE", {0, 0, 0, 255, 255, 255}}},
                      .after_data = {}}));
  seeds.add("png", "clear16",
            png_file({.width = 2,
                      .height = 1,
                      .bit_depth = 16,
                      .colour_type = 0,
                      .scanlines = {0, 1, 2, 3, 4},
                      .before_data = {{"tRNS", {1, 2}}},
                      .after_data = {}}));
  seeds.add("png", "clear2",
            png_file({.width = 4,
                      .height = 1,
                      .bit_depth = 2,
                      .colour_type = 0,
                      .scanlines = {0, 0x1b},
                      .before_data = {{"tRNS", {0, 2}}},
                      .after_data = {}}));
}

}  // namespace
}  // namespace upbench::test

int main(int count, char** arguments) {
  using namespace upbench::test;
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  const Seeds seeds(arguments[1]);
  add_checkpoints(seeds);
  add_webp_and_pnm(seeds);
  add_png(seeds);
  add_tiff(seeds);
  add_packed_tiff(seeds);
  add_jpeg(seeds);
  add_bmp(seeds);
  return 0;
}
