#include "tests/faults/pictures.h"

#include <fstream>

#include <sys/stat.h>

#include "tests/datasets/picture_files.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

constexpr char kChangeTest[] = "PictureChanges.BetweenPlanAndTrialFailTheirTrialsOnly";

void put_two_pictures(const fs::path& folder) {
  write_text((folder / "spec.yaml").string(),
             "name: sets\nimages: {path: hr, lr: {scale: 2}}\npipeline: [{upscale: {model: [nearest, "
             "lanczos]}}]\nmetrics: [psnr-y]\ntiming: none\n");
  fs::create_directory(folder / "hr");
  write_png(folder / "hr/a.png", random_raster(24, 20));
  write_png(folder / "hr/b.png", random_raster(24, 20, 3, 8, 2));
}

PictureChange changed(int row, const char* name, const char* input, const char* message,
                      std::function<void(const fs::path&)> change, const char* test = kChangeTest) {
  return {.fault = {.row = row,
                    .name = name,
                    .input = input,
                    .make = put_two_pictures,
                    .command = {"run", "spec.yaml"},
                    .exit_code = 3,
                    .message = message,
                    .test = test},
          .change = std::move(change)};
}

}  // namespace

std::vector<PictureChange> picture_changes() {
  return {
      changed(29, "Grows", "a picture that gets another byte",
              "hr/b.png: changed since the sweep was planned",
              [](const fs::path& file) { std::ofstream(file, std::ios::app | std::ios::binary).put('\0'); }),
      changed(29, "Rewritten", "a picture of the same size in its place",
              "hr/b.png: changed since the sweep was planned",
              [](const fs::path& file) { write_png(file, random_raster(24, 20, 3, 8, 3)); }),
      changed(29, "OtherSize", "a picture too small for its scale in its place",
              "hr/b.png: 1x1 pixels are too few to be made 2 times smaller; changed since",
              [](const fs::path& file) { write_png(file, random_raster(1, 1)); }),
      changed(29, "Shrinks", "a picture that loses its second half", "hr/b.png: PNG truncated at byte",
              [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }),
      changed(39, "Vanishes", "a picture that is deleted",
              "hr/b.png: cannot be opened: No such file or directory; vanished since the sweep was planned",
              [](const fs::path& file) { fs::remove(file); }),
  };
}

PictureChange closed_picture() {
  return changed(
      36, "Closed", "a picture that may not be read, before the plan",
      "hr/b.png: cannot be opened: Permission denied", [](const fs::path& file) { ::chmod(file.c_str(), 0); },
      "SetFaults.AFileWithoutPermissionFailsAlone");
}

FaultTable changed_pictures() {
  FaultTable table{.title = "Pictures that change",
                   .introduction =
                       "Of two sound pictures one is changed after the sweep was planned and before its "
                       "trials begin; the other one is scored. A file that changes while it is read is told "
                       "by its size and times before and after (row 29, `changed while it was read`: "
                       "`ReadBytes.FileThatGrowsMeanwhileIsRefused`).",
                   .faults = {}};
  for (PictureChange& change : picture_changes()) table.faults.push_back(std::move(change.fault));
  table.faults.insert(table.faults.end() - 1, closed_picture().fault);
  return table;
}

}  // namespace upbench::test
