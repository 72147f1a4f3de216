#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/datasets/codec/format_files.h"
#include "tests/datasets/picture_files.h"

// The broken and the odd pictures of rows 1 to 28, each from a sound one of 24 x 20 pixels.
namespace upbench::test {

Raster small_picture(int channels = 3, int bit_depth = 8);

FileBytes sound_png();
FileBytes sound_jpeg();
FileBytes sound_webp();
FileBytes sound_tiff();
FileBytes sound_bmp();
FileBytes sound_ppm();

FileBytes text_bytes(const std::string& text);
FileBytes cut(FileBytes bytes, double share);               // the first part of it
FileBytes without_end(FileBytes bytes, std::size_t count);  // the last bytes gone
FileBytes changed(FileBytes bytes, std::size_t at);         // all bits of one byte turned

// A PNG of this raster with these chunks before its picture data.
FileBytes png_of(const Raster& raster, std::uint8_t colour_type, std::vector<PngChunk> before = {});
// One whose header says this size, whatever follows.
FileBytes png_that_says(std::uint32_t width, std::uint32_t height);
// Each sample one bit or one byte; two colours, the second half transparent where asked.
FileBytes one_bit_png();
FileBytes palette_png(bool transparency);
FileBytes interlaced_png();
// 9000 x 9000 grey pixels, all black: a sound file.
FileBytes png_bomb();
// A picture with an iCCP or a zTXt chunk that inflates to 256 MB.
FileBytes png_with_inflating(const std::string& chunk);
PngChunk profile_chunk(const FileBytes& profile);

// The first byte after the marker 0xFF `marker`; a JPEG segment's length comes there.
std::size_t after_marker(const FileBytes& jpeg, std::uint8_t marker);
FileBytes jpeg_with_garbage_in_its_scan();
FileBytes jpeg_of_process(std::uint8_t start_of_frame, std::uint8_t precision);

FileBytes animated_webp();
// RGB floats, one of them this.
FileBytes float_tiff(float odd);

}  // namespace upbench::test
