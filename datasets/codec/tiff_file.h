#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tiffio.h>

#include "datasets/codec/byte_order.h"

namespace upbench {

// A TIFF file in memory, opened by libtiff at its first picture. What the library warns of is an error, for
// it would go on with guesses; but what it says of tags that do not describe samples becomes a note. (Tags
// that it does not know are no fault and left out.)
class TiffFile {
 public:
  // Throws std::runtime_error with the library's text; refuses files of several pictures, but not reduced
  // copies.
  explicit TiffFile(Bytes file);
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* handle() const { return tiff_.get(); }
  int reduced_copies() const { return reduced_copies_; }
  // What was left out or mended beside the samples.
  const std::vector<std::string>& notes() const { return source_.notes; }

  // Throws the first complaint of the library since it was opened.
  void require_no_complaint() const;

  // The tag's value, or its default; `none` where there is neither.
  template <typename Number>
  Number tag(std::uint32_t name, Number none = {}) const {
    Number value = none;
    return TIFFGetFieldDefaulted(handle(), name, &value) ? value : none;
  }
  // A tag of one short number as the file has it, where libtiff may have changed it; `none` where it is not
  // there.
  std::uint16_t stored_tag(std::uint32_t name, std::uint16_t none) const;

 private:
  struct Source {  // where libtiff reads and complains
    Bytes bytes;
    std::uint64_t at = 0;
    std::string complaint;
    std::vector<std::string> notes;

    // note: empty where what was said is a fault.
    void take(const char* module, const std::string& text, std::string note);
  };
  static int hear_error(TIFF*, void* user, const char* module, const char* format, va_list arguments);
  static int hear_warning(TIFF* tiff, void* user, const char* module, const char* format, va_list arguments);
  static tmsize_t read(thandle_t handle, void* out, tmsize_t wanted);
  static toff_t seek(thandle_t handle, toff_t offset, int whence);
  void require_sound_directory() const;
  void count_pictures();

  Source source_;
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff_{nullptr, TIFFClose};
  std::size_t first_directory_ = 0;  // where it lies
  int reduced_copies_ = 0;
};

// How samples are stored, checked: everything else is refused by name.
struct TiffLayout {
  int width = 0, height = 0;
  int bits = 8;     // 1, 2, 4, 8, 16; 32 for floating point
  int samples = 1;  // a pixel, alpha included
  bool planar = false, tiled = false;
  bool palette = false, cmyk = false;
  bool white_is_zero = false;
  bool alpha = false, premultiplied = false;

  bool is_float() const { return bits == 32; }
};
TiffLayout read_tiff_layout(const TiffFile& file);

}  // namespace upbench
