#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
// jpeglib.h needs size_t and FILE before it
#include <jpeglib.h>

#include "datasets/codec/formats.h"
#include "datasets/codec/orientation.h"

namespace upbench {
namespace {

constexpr int kApp1 = JPEG_APP0 + 1, kApp2 = JPEG_APP0 + 2;
constexpr unsigned kWholeMarker = 0xffff;
// A progressive file may repeat its scans without end, at full cost each. Encoders write about ten.
constexpr int kMostScans = 500;

// libjpeg reports errors by a callback that must not return; it is C, so the way out is longjmp, not an
// exception.
struct Reader {
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf way_out{};
  char message[JMSG_LENGTH_MAX]{};

  Reader();
  ~Reader() { jpeg_destroy_decompress(&info); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
};

[[noreturn]] void leave(j_common_ptr info) {
  auto& reader = *static_cast<Reader*>(info->client_data);
  info->err->format_message(info, reader.message);
  std::longjmp(reader.way_out, 1);
}

// Level -1 is a warning: the library would go on with invented pixels.
void refuse_warnings(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

void limit_scans(j_common_ptr info) {
  auto& reader = *static_cast<Reader*>(info->client_data);
  if (reader.info.input_scan_number <= kMostScans) return;
  std::snprintf(reader.message, sizeof reader.message, "more than %d scans", kMostScans);
  std::longjmp(reader.way_out, 1);
}

// Runs calls into libjpeg. Nothing with a destructor may live inside `step`: a longjmp would skip it.
template <typename Step>
void guarded(Reader& reader, Step step) {
  if (setjmp(reader.way_out) == 0) {
    step();
    return;
  }
  const std::string_view reason = reader.message;
  const bool unsupported = reason.find("Unsupported") != reason.npos;
  throw std::runtime_error(fmt::format(
      "{}: {}", unsupported ? "unsupported JPEG process" : "JPEG is corrupt or truncated", reason));
}

Reader::Reader() {
  info.err = jpeg_std_error(&errors);
  info.client_data = this;
  errors.error_exit = leave;
  errors.emit_message = refuse_warnings;
  progress.progress_monitor = limit_scans;
}

// Up to the first scan.
void open(Reader& reader, Bytes file) {
  jpeg_decompress_struct& info = reader.info;
  guarded(reader, [&] {
    jpeg_create_decompress(&info);  // keeps err and client_data
    info.progress = &reader.progress;
    jpeg_mem_src(&info, file.data(), file.size());
    jpeg_save_markers(&info, kApp1, kWholeMarker);
    jpeg_save_markers(&info, kApp2, kWholeMarker);
    jpeg_read_header(&info, TRUE);
  });
  if (info.num_components != 1 && info.num_components != 3) {
    throw std::runtime_error(
        fmt::format("JPEG with {} colour components (CMYK or YCCK) is not supported; expected grey or "
                    "three colours",
                    info.num_components));
  }
  // Whether libjpeg can decode it depends on how it was built: the same file must be read, or refused,
  // everywhere.
  if (info.arith_code) throw std::runtime_error("unsupported JPEG process: arithmetic coding");
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
}

bool begins_with(const jpeg_saved_marker_ptr marker, std::string_view text) {
  return marker->data_length >= text.size() && std::memcmp(marker->data, text.data(), text.size()) == 0;
}

int exif_orientation(const Reader& reader, std::vector<std::string>& notes) {
  constexpr std::string_view kExif{"Exif\0\0", 6};
  for (auto marker = reader.info.marker_list; marker; marker = marker->next) {
    if (marker->marker != kApp1 || !begins_with(marker, kExif)) continue;
    return read_orientation(Bytes(marker->data, marker->data_length).subspan(kExif.size()), notes);
  }
  return 1;
}

bool has_icc_profile(const Reader& reader) {
  for (auto marker = reader.info.marker_list; marker; marker = marker->next) {
    if (marker->marker == kApp2 && begins_with(marker, "ICC_PROFILE")) return true;
  }
  return false;
}

// Before orientation.
RasterHeader described(const Reader& reader) {
  RasterHeader header{.format = "jpeg",
                      .width = static_cast<int>(reader.info.image_width),
                      .height = static_cast<int>(reader.info.image_height),
                      .channels = reader.info.num_components,
                      .bit_depth = 8};
  if (header.channels == 1) header.notes.push_back("grey");
  if (has_icc_profile(reader)) header.notes.push_back("ICC profile ignored");
  return header;
}

}  // namespace

RasterHeader read_jpeg_header(Bytes file) {
  Reader reader;
  open(reader, file);
  RasterHeader header = described(reader);
  apply_orientation(header, exif_orientation(reader, header.notes));
  return header;
}

Raster decode_jpeg(Bytes file) {
  Reader reader;
  open(reader, file);
  const RasterHeader header = described(reader);
  Raster raster{.width = header.width,
                .height = header.height,
                .channels = header.channels,
                .bit_depth = header.bit_depth,
                .notes = header.notes};
  const int orientation = exif_orientation(reader, raster.notes);  // finishing forgets the markers
  const std::size_t row_bytes = raster.row_bytes();
  raster.samples.resize(row_bytes * static_cast<std::size_t>(raster.height));
  std::uint8_t* const samples = raster.samples.data();
  guarded(reader, [&] {
    jpeg_start_decompress(&reader.info);
    while (reader.info.output_scanline < reader.info.output_height) {
      JSAMPROW row = samples + reader.info.output_scanline * row_bytes;
      jpeg_read_scanlines(&reader.info, &row, 1);
    }
    jpeg_finish_decompress(
        &reader.info);  // reads on to the EOI marker: where it is missing, that is a warning
  });
  if (const std::size_t left = reader.info.src->bytes_in_buffer; left > 0) {
    raster.notes.push_back(fmt::format("{} bytes after the end of the JPEG ignored", left));
  }
  apply_orientation(raster, orientation);
  return raster;
}

}  // namespace upbench
