#include "datasets/codec/jpeg_markers.h"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

namespace upbench {
namespace {

constexpr int kStartOfScan = 0xda, kEndOfImage = 0xd9, kApp1 = 0xe1, kApp2 = 0xe2;
constexpr std::string_view kExif{"Exif\0\0", 6}, kIcc{"ICC_PROFILE\0", 12};

bool begins_with(Bytes data, std::string_view text) {
  return data.size() >= text.size() &&
         std::equal(text.begin(), text.end(), data.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// C4, C8 and CC are tables and extensions, not frames.
bool is_frame(int marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Without a length: TEM, restarts, start of image.
bool is_alone(int marker) {
  return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

// The first marker from here on that is neither a restart nor an escaped FF of compressed data.
std::size_t end_of_scan(Bytes file, std::size_t at) {
  for (;; at += 2) {
    const auto found = std::find(file.begin() + static_cast<std::ptrdiff_t>(at), file.end(), 0xff);
    at = static_cast<std::size_t>(found - file.begin());
    if (at + 1 >= file.size()) return file.size();
    const int next = file[at + 1];
    if (next != 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
}

// The segments of a profile, by number.
class ProfileSegments {
 public:
  // data: number, count, piece.
  void add(Bytes data) {
    if (data.size() < 2) return fail("a segment ends early");
    const int number = data[0], count = data[1];
    if (count_ == 0) count_ = count;
    if (count != count_) return fail(fmt::format("its segments say they are {} and {}", count_, count));
    if (!pieces_.emplace(number, data.subspan(2)).second) fail(fmt::format("segment {} comes twice", number));
  }

  void finish(JpegMarkers& markers) const {
    markers.profile_problem = problem_;
    for (int number = 1; number <= count_ && markers.profile_problem.empty(); ++number) {
      if (!pieces_.contains(number))
        markers.profile_problem = fmt::format("segment {} of {} is missing", number, count_);
    }
    if (!markers.profile_problem.empty()) return;
    for (const auto& [number, piece] : pieces_)
      markers.profile.insert(markers.profile.end(), piece.begin(), piece.end());
  }

 private:
  void fail(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  std::map<int, Bytes> pieces_;
  int count_ = 0;
  std::string problem_;
};

}  // namespace

JpegMarkers read_jpeg_markers(Bytes file) {
  JpegMarkers markers;
  ProfileSegments segments;
  bool scanned = false;
  for (std::size_t at = 2; at + 1 < file.size() && file[at] == 0xff;) {
    const int marker = file[at + 1];
    if (marker == kEndOfImage) {
      markers.end = at + 2;
      break;
    }
    if (marker == 0xff || is_alone(marker)) {  // FF: a fill byte, of which there may be many
      at += marker == 0xff ? 1 : 2;
      continue;
    }
    if (at + 4 > file.size()) break;
    const std::size_t length = big_endian_16(file, at + 2);  // counts itself
    if (length < 2 || length > file.size() - at - 2) break;
    const Bytes data = file.subspan(at + 4, length - 2);
    at += 2 + length;
    if (marker == kStartOfScan) {
      scanned = true;
      at = end_of_scan(file, at);
    }
    if (scanned) continue;
    if (is_frame(marker) && markers.process < 0 && !data.empty()) {
      markers.process = marker - 0xc0;
      markers.precision = data[0];
    }
    if (marker == kApp1 && markers.exif.empty() && begins_with(data, kExif))
      markers.exif = data.subspan(kExif.size());
    if (marker == kApp2 && begins_with(data, kIcc)) segments.add(data.subspan(kIcc.size()));
  }
  segments.finish(markers);
  return markers;
}

std::string unsupported_process(const JpegMarkers& markers) {
  const auto named = [&](std::string_view name) { return fmt::format("{} (SOF{})", name, markers.process); };
  // Some builds of the library decode some of these; a file must be read, or refused, everywhere.
  if (markers.process >= 9) return named("arithmetic coding");
  if (markers.process == 3) return named("lossless");
  if (markers.process >= 5) return named("hierarchical");
  if (markers.process >= 0 && markers.precision != 8)
    return fmt::format("{} bits a sample, expected 8", markers.precision);
  return "";
}

}  // namespace upbench
