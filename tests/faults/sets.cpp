#include <algorithm>

#include <fmt/format.h>

#include "datasets/codec/encode.h"
#include "tests/datasets/picture_files.h"
#include "tests/faults/fault.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;
using Make = std::function<void(const fs::path& folder)>;

Fault set(int row, const char* name, const char* input, const std::string& images, const Make& make,
          const char* message, int exit_code, const char* metrics = "[psnr-y]") {
  Fault fault{.row = row,
              .name = name,
              .input = input,
              .make = {},
              .command = {"run", "spec.yaml"},
              .exit_code = exit_code,
              .message = message};
  fault.make = [=](const fs::path& folder) {
    write_text((folder / "spec.yaml").string(),
               fmt::format("name: sets\nimages: {}\npipeline: [{{upscale: {{model: [nearest, lanczos]}}}}]\n"
                           "metrics: {}\ntiming: none\n",
                           images, metrics));
    for (const char* part : {"hr", "lr"}) fs::create_directory(folder / part);
    make(folder);
  };
  return fault;
}

constexpr char kReferences[] = "{path: hr, lr: {scale: 2}}";
constexpr char kPairs[] = "{hr: hr, lr: lr}";

void put(const fs::path& file, int width, int height, int channels = 3) {
  write_png(file, random_raster(width, height, channels, 8,
                                static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height)));
}
void put_pair(const fs::path& folder, const std::string& name, int width, int height) {
  put(folder / "hr" / (name + ".png"), 2 * width, 2 * height);
  put(folder / "lr" / (name + ".png"), width, height);
}

Fault small_pair(const char* name, const char* input, int width, int height, const char* message) {
  return set(
      15, name, input, kPairs, [=](const fs::path& folder) { put_pair(folder, "a", width, height); }, message,
      0, "[psnr-y, ssim-y]");
}

// Names that mislead people, terminals, shells and tables.
const std::vector<std::string>& odd_names() {
  static const std::vector<std::string> names = {
      "two\nlines",          "quote\"'`",   "<script>alert(1)",   "a..b",         "-rf",
      std::string(251, 'n'), "not\xffutf8", "right\u202eto left", "=cmd|' C'!A0", "\x1b[31mred"};
  return names;
}

// A reference that does not fit its input lr/bx2.png of 12 x 10 pixels.
Fault misfit(const char* name, const char* input, const char* file, int width, int height,
             const char* message) {
  return set(
      31, name, input, kPairs,
      [=](const fs::path& folder) {
        put_pair(folder, "a", 12, 10);
        put(folder / file, width, height);
        put(folder / "lr/bx2.png", 12, 10);
      },
      message, 3);
}

std::vector<Fault> pairs() {
  return {
      small_pair("Small", "an input of 6 x 5 pixels", 6, 5,
                 "ssim-y undefined: smaller than the 11x11 window"),
      small_pair("OnePixel", "an input of one pixel", 1, 1,
                 "psnr-y undefined: nothing is left after a cut of 2 pixels"),
      small_pair("Line", "an input of 1 x 20000 pixels", 1, 20'000,
                 "psnr-y undefined: nothing is left after a cut of 2 pixels"),
      set(
          19, "GreyReference", "a grey reference for an input in colour", kPairs,
          [](const fs::path& folder) {
            put(folder / "hr/a.png", 24, 20, 1);
            put(folder / "lr/a.png", 12, 10);
          },
          "reference: grey", 0),
      misfit(
          "WrongSize", "a reference that is no multiple of its input, beside a sound pair", "hr/bx2.png", 24,
          33,
          "hr/bx2.png: reference 24x33 is not a whole multiple of the input 12x10 (lr/bx2.png): crop it to "
          "one, or pair it with its own input"),
      misfit("TooWide", "a reference two pixels wider than its input says, beside a sound pair", "hr/b.png",
             26, 20,
             "hr/b.png: reference 26x20, expected 24x20 (lr/bx2.png is 12x10, scale 2) or less than 2 pixels "
             "more a side: crop it with images.modcrop: true in a spec, or with --modcrop of upbench score"),
      misfit("TooNarrow", "a reference narrower than its input says, beside a sound pair", "hr/b.png", 23, 20,
             "hr/b.png: reference 23x20, expected 24x20 (lr/bx2.png is 12x10, scale 2) or less than 2 pixels "
             "more a side: it is too small, so crop the other picture or make that from it"),
      set(
          31, "Cropped", "a reference two pixels wider than its input says, with images.modcrop",
          "{hr: hr, lr: lr, modcrop: true}",
          [](const fs::path& folder) {
            put(folder / "hr/b.png", 26, 20);
            put(folder / "lr/bx2.png", 12, 10);
          },
          "reference cut from 26x20 to 24x20", 0),
      set(
          32, "NoInput", "a reference without its input, beside a sound pair", kPairs,
          [](const fs::path& folder) {
            put_pair(folder, "a", 12, 10);
            put(folder / "hr/b.png", 24, 20);
          },
          "hr/b.png: no low-resolution picture; expected lr/b.png or bx{scale}.png", 3),
      set(
          32, "NoReference", "an input without its reference, beside a sound pair", kPairs,
          [](const fs::path& folder) {
            put_pair(folder, "a", 12, 10);
            put(folder / "lr/b.png", 12, 10);
          },
          "lr/b.png: no reference; expected hr/b.png", 3),
      set(
          33, "TwoInputs", "two inputs for one reference, beside a sound pair", kPairs,
          [](const fs::path& folder) {
            put_pair(folder, "a", 12, 10);
            put(folder / "hr/b.png", 24, 20);
            put(folder / "lr/bx2.png", 12, 10);
            put(folder / "lr/bx4.png", 6, 5);
          },
          "two low-resolution pictures for hr/b.png: lr/bx2.png and lr/bx4.png; say which by images.match",
          3),
  };
}

std::vector<Fault> folders() {
  const auto two_kinds = [](const fs::path& folder) {
    put(folder / "hr/a.png", 24, 20);
    write_bytes(folder / "hr/a.jpg", jpeg_file(random_raster(24, 20)));
    put(folder / "hr/b.png", 24, 20);
  };
  const auto twice = [](const fs::path& folder) {
    for (const char* name : {"a", "b"}) put(folder / "hr" / fmt::format("{}.png", name), 24, 20);
  };
  const auto odd = [](const fs::path& folder) {
    int width = 16;
    for (const std::string& name : odd_names()) put(folder / "hr" / (name + ".png"), ++width, 20);
  };
  const auto thousands = [](const fs::path& folder) {
    for (int i = 0; i < 2000; ++i) write_bytes(folder / "hr" / fmt::format("{:04}.png", i), FileBytes{});
    put(folder / "hr/sound.png", 24, 20);
  };
  const auto case_only = [](const fs::path& folder) {
    put(folder / "hr/A.png", 24, 20);
    put(folder / "hr/a.png", 22, 20);
  };
  return {
      set(30, "Twice", "the same bytes under two names", kReferences, twice,
          "4 trials: 4 ok, 0 failed, 0 skipped; 2 run now", 0),
      set(33, "SameStem", "a.png and a.jpg, beside a sound picture", kReferences, two_kinds,
          "2 pictures of one name: hr/a.jpg and hr/a.png; expected one, rename or remove the others", 3),
      set(34, "OddNames", "names with line ends, quotes, tags, control characters, 255 bytes, no UTF-8, ...",
          kReferences, odd, "20 trials: 20 ok, 0 failed, 0 skipped", 0),
      set(38, "Thousands", "2,000 empty files and a sound one", kReferences, thousands,
          "hr/1999.png: empty file", 3),
      set(
          39, "Vanished", "a file that is gone since the list was written, beside a sound one",
          "{list: [hr/a.png, hr/gone.png], lr: {scale: 2}}",
          [](const fs::path& folder) { put(folder / "hr/a.png", 24, 20); },
          "hr/gone.png: cannot be opened: No such file or directory", 3),
      set(40, "CaseOnly", "A.png and a.png", kReferences, case_only,
          "4 trials: 4 ok, 0 failed, 0 skipped; 4 run now", 0),
  };
}

}  // namespace

FaultTable set_faults() {
  FaultTable table{.title = "Sets of pictures",
                   .introduction =
                       "Where a picture fails (exit 3), the sound one is scored and the message is the "
                       "reason of the other's trials. Kept outputs are named by their content, so that "
                       "names that differ in case alone (row 40) keep files of their own. Row 38 is a small "
                       "sample of a large folder, to keep the tests fast; "
                       "`UPBENCH_MANY_FILES=1000000 build/upbench_datasets_test "
                       "--gtest_filter='ManyFiles.*'` lists a million.",
                   .faults = pairs()};
  for (Fault& fault : folders()) table.faults.push_back(std::move(fault));
  std::ranges::stable_sort(table.faults, {}, &Fault::row);
  return table;
}

}  // namespace upbench::test
