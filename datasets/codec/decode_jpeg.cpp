#include <csetjmp>
#include <cstdio>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
// jpeglib.h needs size_t and FILE before it
#include <jpeglib.h>
// jerror.h needs jpeglib.h before it
#include <jerror.h>

#include "datasets/codec/formats.h"
#include "datasets/codec/jpeg_markers.h"
#include "datasets/codec/orientation.h"

namespace upbench {
namespace {

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
  bool scanned[MAX_COMPONENTS]{};  // components that some scan brought

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

// Lenient: counts the faults and keeps what the first one was. Beyond the end of a file there is nothing.
void count_warnings(j_common_ptr info, int level) {
  if (level >= 0) return;
  if (info->err->msg_code == JWRN_JPEG_EOF) leave(info);
  auto& reader = *static_cast<Reader*>(info->client_data);
  if (info->err->num_warnings++ == 0) info->err->format_message(info, reader.message);
}

// Called at least once a scan where there are several.
void watch_scans(j_common_ptr info) {
  auto& reader = *static_cast<Reader*>(info->client_data);
  for (int i = 0; i < reader.info.comps_in_scan; ++i)
    reader.scanned[reader.info.cur_comp_info[i]->component_index] = true;
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
  throw std::runtime_error(fmt::format("JPEG is corrupt or truncated: {}", reader.message));
}

Reader::Reader() {
  info.err = jpeg_std_error(&errors);
  info.client_data = this;
  errors.error_exit = leave;
  errors.emit_message = refuse_warnings;
  progress.progress_monitor = watch_scans;
}

// Up to the first scan.
void open(Reader& reader, Bytes file) {
  jpeg_decompress_struct& info = reader.info;
  guarded(reader, [&] {
    jpeg_create_decompress(&info);  // keeps err and client_data
    info.progress = &reader.progress;
    jpeg_mem_src(&info, file.data(), file.size());
    jpeg_read_header(&info, TRUE);
  });
  switch (info.num_components) {
    case 1:
      info.out_color_space = JCS_GRAYSCALE;
      return;
    case 3:
      info.out_color_space = JCS_RGB;
      return;
    case 4:
      info.out_color_space = JCS_CMYK;  // the library turns YCCK into it
      return;
    default:
      throw std::runtime_error(fmt::format(
          "JPEG with {} colour components is not supported; expected 1 (grey), 3 (colour) or 4 (CMYK)",
          info.num_components));
  }
}

// A file whose last scans were cut off and which was closed by an end marker again is in order for the
// library, which shows what there is. Before the reader finishes: that forgets.
void require_all_scans(const Reader& reader) {
  const jpeg_decompress_struct& info = reader.info;
  if (!jpeg_has_multiple_scans(const_cast<j_decompress_ptr>(&info))) return;
  for (int component = 0; component < info.num_components; ++component) {
    if (!reader.scanned[component])
      throw std::runtime_error(fmt::format("JPEG is truncated: no scan holds component {}", component + 1));
    for (int k = 0; info.coef_bits && k < DCTSIZE2; ++k) {  // progressive
      const int missing = info.coef_bits[component][k];
      if (missing == 0) continue;
      throw std::runtime_error(fmt::format(
          "JPEG is truncated: its progressive scans leave coefficient {} of component {} {}", k,
          component + 1, missing < 0 ? "unknown" : fmt::format("without its last {} bits", missing)));
    }
  }
}

}  // namespace

Described describe_jpeg(Bytes file) {
  JpegMarkers markers = read_jpeg_markers(file);
  if (const std::string process = unsupported_process(markers); !process.empty())
    throw std::runtime_error("unsupported JPEG process: " + process);
  Reader reader;
  open(reader, file);
  const jpeg_decompress_struct& info = reader.info;
  Described described{.header = {.width = static_cast<int>(info.image_width),
                                 .height = static_cast<int>(info.image_height),
                                 .channels = info.num_components,
                                 .bit_depth = 8},
                      .space = info.num_components == 1   ? SampleSpace::grey
                               : info.num_components == 3 ? SampleSpace::rgb
                                                          : SampleSpace::cmyk,
                      .profile = std::move(markers.profile)};
  std::vector<std::string>& notes = described.header.notes;
  if (described.space == SampleSpace::grey) notes.push_back("grey");
  if (!markers.profile_problem.empty())
    notes.push_back(fmt::format("icc_ignored: {}", markers.profile_problem));
  if (markers.end > 0 && markers.end < file.size())
    notes.push_back(fmt::format("{} bytes after the end of the JPEG ignored", file.size() - markers.end));
  if (!markers.exif.empty()) described.orientation = read_orientation(markers.exif, notes);
  return described;
}

std::vector<std::uint8_t> jpeg_samples(Bytes file, Described& described) {
  Reader reader;
  open(reader, file);
  if (described.lenient) reader.errors.emit_message = count_warnings;
  const std::size_t row_bytes =
      static_cast<std::size_t>(described.header.width) * static_cast<std::size_t>(described.header.channels);
  std::vector<std::uint8_t> samples(row_bytes * static_cast<std::size_t>(described.header.height));
  guarded(reader, [&] { jpeg_start_decompress(&reader.info); });  // reads all scans where there are several
  require_all_scans(reader);
  std::uint8_t* const first = samples.data();
  guarded(reader, [&] {
    while (reader.info.output_scanline < reader.info.output_height) {
      JSAMPROW row = first + reader.info.output_scanline * row_bytes;
      jpeg_read_scanlines(&reader.info, &row, 1);
    }
    // Reads on to the EOI marker: where it is missing, that is a warning.
    jpeg_finish_decompress(&reader.info);
  });
  if (const long faults = reader.errors.num_warnings; faults > 0)
    described.header.notes.push_back(
        fmt::format("{}{}; {} faults in its scans", kCorruptNote, reader.message, faults));
  // Adobe's programs store CMYK inverted, as light that passes; others store ink.
  if (described.space == SampleSpace::cmyk && reader.info.saw_Adobe_marker) {
    for (std::uint8_t& sample : samples) sample = static_cast<std::uint8_t>(255 - sample);
  }
  return samples;
}

}  // namespace upbench
