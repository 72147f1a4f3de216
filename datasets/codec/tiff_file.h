#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <tiffio.h>

#include "datasets/codec/byte_order.h"

namespace upbench {

// A TIFF file in memory, opened by libtiff at its first picture. What the library warns of is an error: it
// would go on with guesses. (Tags that it does not know are no fault and left out.)
class TiffFile {
 public:
  // Throws std::runtime_error with the library's text; refuses files of several pictures, but not reduced
  // copies.
  explicit TiffFile(Bytes file);
  TiffFile(const TiffFile&) = delete;
  TiffFile& operator=(const TiffFile&) = delete;

  TIFF* handle() const { return tiff_.get(); }
  int reduced_copies() const { return reduced_copies_; }

  // Throws the first complaint of the library since it was opened.
  void require_no_complaint() const;

  // The tag's value, or its default; `none` where there is neither.
  template <typename Number>
  Number tag(std::uint32_t name, Number none = {}) const {
    Number value = none;
    return TIFFGetFieldDefaulted(handle(), name, &value) ? value : none;
  }

 private:
  struct Source {  // where libtiff reads and complains
    Bytes bytes;
    std::uint64_t at = 0;
    std::string complaint;
  };
  static int complain(TIFF*, void* user, const char* module, const char* format, va_list arguments);
  static tmsize_t read(thandle_t handle, void* out, tmsize_t wanted);
  static toff_t seek(thandle_t handle, toff_t offset, int whence);
  void count_pictures();

  Source source_;
  std::unique_ptr<TIFF, void (*)(TIFF*)> tiff_{nullptr, TIFFClose};
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
