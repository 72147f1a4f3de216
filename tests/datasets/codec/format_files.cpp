#include "tests/datasets/codec/format_files.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <stdexcept>

#include <jpeglib.h>
#include <lcms2.h>
#include <tiffio.h>
#include <webp/encode.h>

namespace upbench::test {
namespace {

void add(FileBytes& bytes, const FileBytes& more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void add_little_endian(FileBytes& bytes, std::size_t number, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<std::uint8_t>(number >> 8 * i));
}

// A file in memory that libtiff writes to and reads from.
struct Memory {
  FileBytes bytes;
  std::size_t at = 0;
};

tmsize_t memory_read(thandle_t handle, void* out, tmsize_t count) {
  auto& memory = *static_cast<Memory*>(handle);
  const auto wanted = static_cast<std::size_t>(count);
  if (memory.at + wanted > memory.bytes.size()) return 0;
  std::memcpy(out, memory.bytes.data() + memory.at, wanted);
  memory.at += wanted;
  return count;
}

tmsize_t memory_write(thandle_t handle, void* data, tmsize_t count) {
  auto& memory = *static_cast<Memory*>(handle);
  const auto wanted = static_cast<std::size_t>(count);
  if (memory.bytes.size() < memory.at + wanted) memory.bytes.resize(memory.at + wanted);
  std::memcpy(memory.bytes.data() + memory.at, data, wanted);
  memory.at += wanted;
  return count;
}

toff_t memory_seek(thandle_t handle, toff_t offset, int whence) {
  auto& memory = *static_cast<Memory*>(handle);
  memory.at = offset + (whence == SEEK_CUR ? memory.at : whence == SEEK_END ? memory.bytes.size() : 0);
  return memory.at;
}

void set_tiff_tags(TIFF* tiff, const Raster& raster, const TiffFileOptions& options, int page) {
  TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, raster.width);
  TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, raster.height);
  TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, raster.channels);
  TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, options.bits ? options.bits : raster.bit_depth);
  TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, options.sample_format);
  TIFFSetField(tiff, TIFFTAG_COMPRESSION, options.compression);
  TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
               options.photometric >= 0 ? options.photometric
               : raster.channels <= 2   ? PHOTOMETRIC_MINISBLACK
                                        : PHOTOMETRIC_RGB);
  TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, options.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, options.orientation);
  const bool ycbcr = options.photometric == PHOTOMETRIC_YCBCR;
  if (ycbcr) TIFFSetField(tiff, TIFFTAG_YCBCRSUBSAMPLING, options.chroma_x, options.chroma_y);
  if (options.compression == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGQUALITY, options.quality);
    if (ycbcr) TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  if (options.predictor != 1) TIFFSetField(tiff, TIFFTAG_PREDICTOR, options.predictor);
  if (page > 0) TIFFSetField(tiff, TIFFTAG_SUBFILETYPE, options.subfile_type);
  std::uint16_t photometric = 0;
  TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
  const int colours = photometric == PHOTOMETRIC_SEPARATED      ? 4
                      : photometric == PHOTOMETRIC_RGB || ycbcr ? 3
                                                                : 1;
  const std::vector<std::uint16_t> kinds(static_cast<std::size_t>(std::max(0, raster.channels - colours)),
                                         static_cast<std::uint16_t>(options.alpha));
  if (!kinds.empty())
    TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, static_cast<std::uint16_t>(kinds.size()), kinds.data());
  if (!options.profile.empty())
    TIFFSetField(tiff, TIFFTAG_ICCPROFILE, static_cast<std::uint32_t>(options.profile.size()),
                 options.profile.data());
  if (!options.palette.empty()) {
    const std::size_t plane = options.palette.size() / 3;
    const std::uint16_t* entries = options.palette.data();
    TIFFSetField(tiff, TIFFTAG_COLORMAP, entries, entries + plane, entries + 2 * plane);
  }
  if (options.tile > 0) {
    TIFFSetField(tiff, TIFFTAG_TILEWIDTH, options.tile);
    TIFFSetField(tiff, TIFFTAG_TILELENGTH, options.tile);
  } else {
    TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, options.rows_per_strip);
  }
}

// The samples of one row, of all channels or of one.
FileBytes tiff_row(const Raster& raster, const TiffFileOptions& options, int y, int plane) {
  const std::size_t bytes = options.packed.empty()
                                ? raster.row_bytes()
                                : options.packed.size() / static_cast<std::size_t>(raster.height);
  const FileBytes& all = options.packed.empty() ? raster.samples : options.packed;
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * bytes);
  FileBytes row(first, first + static_cast<std::ptrdiff_t>(bytes));
  if (!options.planar) return row;
  const std::size_t channels = static_cast<std::size_t>(raster.channels);
  const std::size_t sample = bytes / (static_cast<std::size_t>(raster.width) * channels);
  FileBytes one;
  for (std::size_t at = static_cast<std::size_t>(plane) * sample; at < bytes; at += channels * sample)
    one.insert(one.end(), row.begin() + static_cast<std::ptrdiff_t>(at),
               row.begin() + static_cast<std::ptrdiff_t>(at + sample));
  return one;
}

void write_tiff_tiles(TIFF* tiff, const Raster& raster, const TiffFileOptions& options, int plane) {
  const auto side = static_cast<std::size_t>(options.tile);
  for (int y = 0; y < raster.height; y += options.tile) {
    for (int x = 0; x < raster.width; x += options.tile) {
      FileBytes tile(static_cast<std::size_t>(TIFFTileSize(tiff)), 0xa5);  // what overhangs is rubbish
      const std::size_t tile_row = tile.size() / side;
      for (int row = y; row < std::min(y + options.tile, raster.height); ++row) {
        const FileBytes samples = tiff_row(raster, options, row, plane);
        const std::size_t pixel = samples.size() / static_cast<std::size_t>(raster.width);
        const std::size_t from = static_cast<std::size_t>(x) * pixel;
        std::memcpy(tile.data() + static_cast<std::size_t>(row - y) * tile_row, samples.data() + from,
                    std::min(tile_row, samples.size() - from));
      }
      TIFFWriteTile(tiff, tile.data(), static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(y), 0,
                    static_cast<std::uint16_t>(plane));
    }
  }
}

FileBytes saved(cmsHPROFILE profile) {
  cmsUInt32Number size = 0;
  cmsSaveProfileToMem(profile, nullptr, &size);
  FileBytes bytes(size);
  cmsSaveProfileToMem(profile, bytes.data(), &size);
  cmsCloseProfile(profile);
  return bytes;
}

// The file's header, this one, palette and rows.
FileBytes bmp_with(const FileBytes& info, const BmpParts& parts) {
  FileBytes file{'B', 'M', 0, 0, 0, 0, 0, 0, 0, 0};
  add_little_endian(file, 14 + info.size() + parts.palette.size(), 4);
  for (const FileBytes* part : std::initializer_list<const FileBytes*>{&info, &parts.palette, &parts.rows})
    add(file, *part);
  return file;
}

cmsCIExyY point(const double (&xy)[2]) {
  return {xy[0], xy[1], 1};
}

}  // namespace

FileBytes webp_container(const WebpChunks& chunks) {
  FileBytes body{'W', 'E', 'B', 'P'};
  for (const auto& [name, data] : chunks) {
    body.insert(body.end(), name.begin(), name.end());
    add_little_endian(body, data.size(), 4);
    add(body, data);
    if (data.size() % 2) body.push_back(0);
  }
  FileBytes file{'R', 'I', 'F', 'F'};
  add_little_endian(file, body.size(), 4);
  add(file, body);
  return file;
}

FileBytes webp_extended_header(std::uint8_t flags, int width, int height) {
  FileBytes header{flags, 0, 0, 0};
  add_little_endian(header, static_cast<std::size_t>(width - 1), 3);
  add_little_endian(header, static_cast<std::size_t>(height - 1), 3);
  return header;
}

WebpChunks webp_picture_chunks(const FileBytes& file) {
  WebpChunks chunks;
  for (std::size_t at = 12; at < file.size();) {
    const std::size_t size = file[at + 4] | std::size_t{file[at + 5]} << 8 | std::size_t{file[at + 6]} << 16;
    const auto first = file.begin() + static_cast<std::ptrdiff_t>(at);
    const std::string name(first, first + 4);
    if (name != "VP8X")
      chunks.emplace_back(name, FileBytes(first + 8, first + 8 + static_cast<std::ptrdiff_t>(size)));
    at += 8 + size + size % 2;
  }
  return chunks;
}

FileBytes webp_file(const Raster& raster, const WebpFileOptions& options) {
  std::uint8_t* data = nullptr;
  const auto stride = static_cast<int>(raster.row_bytes());
  const auto* samples = raster.samples.data();
  const bool alpha = raster.channels == 4;
  const std::size_t size = options.lossless ? (alpha ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB)(
                                                  samples, raster.width, raster.height, stride, &data)
                                            : (alpha ? WebPEncodeRGBA : WebPEncodeRGB)(
                                                  samples, raster.width, raster.height, stride, 80, &data);
  FileBytes file(data, data + size);
  WebPFree(data);
  if (options.profile.empty() && options.exif.empty()) return file;
  const auto flags = static_cast<std::uint8_t>((options.profile.empty() ? 0 : 0x20) | (alpha ? 0x10 : 0) |
                                               (options.exif.empty() ? 0 : 0x08));
  WebpChunks chunks{{"VP8X", webp_extended_header(flags, raster.width, raster.height)}};
  if (!options.profile.empty()) chunks.emplace_back("ICCP", options.profile);
  for (auto& chunk : webp_picture_chunks(file)) chunks.push_back(std::move(chunk));
  if (!options.exif.empty()) chunks.emplace_back("EXIF", options.exif);
  return webp_container(chunks);
}

FileBytes tiff_file(const Raster& raster, const TiffFileOptions& options) {
  Memory memory;
  TIFF* const tiff = TIFFClientOpen(
      "memory", options.mode.c_str(), &memory, memory_read, memory_write, memory_seek,
      [](thandle_t) { return 0; },
      [](thandle_t handle) { return toff_t{static_cast<Memory*>(handle)->bytes.size()}; }, nullptr, nullptr);
  for (int page = 0; page < options.pages; ++page) {
    set_tiff_tags(tiff, raster, options, page);
    for (int plane = 0; plane < (options.planar ? raster.channels : 1); ++plane) {
      if (options.tile > 0) {
        write_tiff_tiles(tiff, raster, options, plane);
        continue;
      }
      for (int y = 0; y < raster.height; ++y) {
        FileBytes row = tiff_row(raster, options, y, plane);
        TIFFWriteScanline(tiff, row.data(), static_cast<std::uint32_t>(y), static_cast<std::uint16_t>(plane));
      }
    }
    TIFFWriteDirectory(tiff);
  }
  TIFFClose(tiff);
  return memory.bytes;
}

FileBytes tiff_of(const FileBytes& data, const std::vector<TiffEntry>& entries) {
  const std::size_t padding = data.size() % 2;
  FileBytes file{'I', 'I', 42, 0};
  add_little_endian(file, 8 + data.size() + padding, 4);
  add(file, data);
  file.resize(file.size() + padding);
  add_little_endian(file, entries.size(), 2);
  for (const TiffEntry& entry : entries) {
    add_little_endian(file, static_cast<std::size_t>(entry.tag), 2);
    add_little_endian(file, static_cast<std::size_t>(entry.type), 2);
    add_little_endian(file, entry.count, 4);
    add_little_endian(file, entry.value, 4);
  }
  add_little_endian(file, 0, 4);  // no other directory
  return file;
}

FileBytes custom_jpeg(const Raster& raster, const std::function<void(jpeg_compress_struct&)>& set,
                      const FileBytes& profile) {
  return custom_jpeg(raster, set, [&](jpeg_compress_struct& info) {
    if (!profile.empty())
      jpeg_write_icc_profile(&info, profile.data(), static_cast<unsigned>(profile.size()));
  });
}

std::vector<std::size_t> scans_of(const FileBytes& jpeg) {
  std::vector<std::size_t> scans;
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i) {
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xda) scans.push_back(i);
  }
  return scans;
}

Raster colour_slopes(int width, int height) {
  Raster raster{.width = width, .height = height, .channels = 3};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x)
      add(raster.samples, {static_cast<std::uint8_t>(60 + 2 * x), static_cast<std::uint8_t>(40 + 3 * y),
                           static_cast<std::uint8_t>(220 - 2 * x)});
  }
  return raster;
}

FileBytes os2_bmp_of(const BmpParts& parts) {
  FileBytes info;
  add_little_endian(info, 12, 4);
  add_little_endian(info, static_cast<std::size_t>(parts.width), 2);
  add_little_endian(info, static_cast<std::size_t>(parts.height), 2);
  add_little_endian(info, 1, 2);
  add_little_endian(info, static_cast<std::size_t>(parts.bits), 2);
  return bmp_with(info, parts);
}

FileBytes bmp_of(const BmpParts& parts) {
  FileBytes info;
  add_little_endian(info, static_cast<std::uint32_t>(parts.header), 4);
  add_little_endian(info, static_cast<std::uint32_t>(parts.width), 4);
  add_little_endian(info, static_cast<std::uint32_t>(parts.height), 4);
  add_little_endian(info, 1, 2);
  add_little_endian(info, static_cast<std::uint32_t>(parts.bits), 2);
  add_little_endian(info, parts.compression, 4);
  info.resize(32);
  add_little_endian(info, parts.colours, 4);
  info.resize(40);
  info.insert(info.end(), parts.masks.begin(), parts.masks.end());
  info.resize(std::max(info.size(), static_cast<std::size_t>(parts.header)));
  return bmp_with(info, parts);
}

FileBytes pnm_file(const std::string& header, const FileBytes& data) {
  FileBytes file(header.begin(), header.end());
  add(file, data);
  return file;
}

FileBytes rgb_profile(const Primaries& primaries, double gamma) {
  const cmsCIExyY white{0.3127, 0.3290, 1};
  const cmsCIExyYTRIPLE corners{point(primaries.red), point(primaries.green), point(primaries.blue)};
  const double srgb[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
  cmsToneCurve* const curve =
      gamma > 0 ? cmsBuildGamma(nullptr, gamma) : cmsBuildParametricToneCurve(nullptr, 4, srgb);
  cmsToneCurve* curves[] = {curve, curve, curve};
  const cmsHPROFILE profile = cmsCreateRGBProfile(&white, &corners, curves);
  cmsFreeToneCurve(curve);
  return saved(profile);
}

FileBytes grey_profile(double gamma) {
  cmsToneCurve* const curve = cmsBuildGamma(nullptr, gamma);
  const cmsHPROFILE profile = cmsCreateGrayProfile(cmsD50_xyY(), curve);
  cmsFreeToneCurve(curve);
  return saved(profile);
}

FileBytes cmyk_profile() {
  const cmsHPROFILE profile = cmsCreateProfilePlaceholder(nullptr);
  cmsSetProfileVersion(profile, 4.3);
  cmsSetDeviceClass(profile, cmsSigOutputClass);
  cmsSetColorSpace(profile, cmsSigCmykData);
  cmsSetPCS(profile, cmsSigLabData);
  cmsWriteTag(profile, cmsSigMediaWhitePointTag, cmsD50_XYZ());
  cmsPipeline* const pipeline = cmsPipelineAlloc(nullptr, 4, 3);
  cmsStage* const table = cmsStageAllocCLut16bit(nullptr, 2, 4, 3, nullptr);
  cmsStageSampleCLut16bit(
      table,
      [](const cmsUInt16Number ink[], cmsUInt16Number lab[], void*) {
        const cmsCIELab colour{100.0 * (65535 - ink[3]) / 65535, 0, 0};
        cmsFloat2LabEncoded(lab, &colour);
        return cmsBool{1};
      },
      nullptr, 0);
  // The file's format wants curves around the table.
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(nullptr, 4, nullptr));
  cmsPipelineInsertStage(pipeline, cmsAT_END, table);
  cmsPipelineInsertStage(pipeline, cmsAT_END, cmsStageAllocToneCurves(nullptr, 3, nullptr));
  cmsWriteTag(profile, cmsSigAToB0Tag, pipeline);
  cmsPipelineFree(pipeline);
  return saved(profile);
}

int largest_difference(const Raster& a, const Raster& b) {
  int largest = 0;
  for (std::size_t i = 0; i < a.samples.size(); ++i)
    largest = std::max(largest, std::abs(a.samples[i] - b.samples[i]));
  return largest;
}

}  // namespace upbench::test
