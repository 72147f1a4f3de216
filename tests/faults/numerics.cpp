#include <cstring>

#include <fmt/format.h>

#include "tests/datasets/picture_files.h"
#include "tests/faults/fault.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

// The embedded network with the greatest half for every weight: six layers of them leave float32.
void write_overflowing_network(const fs::path& folder) {
  std::string bytes = read_text(UPBENCH_SOURCE_DIR "/models/embedded/compact-x2.safetensors");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::size_t at = sizeof header + header; at + 1 < bytes.size(); at += 2) {
    bytes[at] = '\xff';
    bytes[at + 1] = '\x7b';
  }
  write_text((folder / "net.safetensors").string(), bytes);
}

void write_spec(const fs::path& folder, const std::string& upscale) {
  write_text((folder / "spec.yaml").string(),
             fmt::format("name: numerics\nimages: {{procedural: {{count: 1, size: 64}}, lr: {{scale: 2}}}}\n"
                         "pipeline: [{{upscale: {{{}}}}}]\nmetrics: [psnr-y]\ntiming: none\n",
                         upscale));
}

Fault with_spec(int row, const char* name, const char* input, const std::string& upscale,
                std::vector<std::string> command, int exit_code, const char* message) {
  return {.row = row,
          .name = name,
          .input = input,
          .make = [upscale](const fs::path& folder) { write_spec(folder, upscale); },
          .command = std::move(command),
          .exit_code = exit_code,
          .message = message};
}

Fault planned(int row, const char* name, const char* input, const std::string& tile, int exit_code,
              const char* message) {
  return with_spec(row, name, input, "model: nearest, " + tile, {"plan", "spec.yaml"}, exit_code, message);
}

void write_grey(const fs::path& file, int side, std::uint8_t level) {
  Raster raster{.width = side, .height = side, .channels = 3, .bit_depth = 8};
  raster.samples.assign(raster.row_bytes() * static_cast<std::size_t>(side), level);
  write_png(file, raster);
}

Fault upscaled(int row, const char* name, const char* input, const std::vector<std::string>& options,
               const char* message) {
  Fault fault{.row = row,
              .name = name,
              .input = input,
              .make =
                  [](const fs::path& folder) {
                    write_overflowing_network(folder);
                    write_grey(folder / "a.png", 32, 128);
                  },
              .command = {"upscale", "a.png", "--model", "net.safetensors", "-o", "out"},
              .exit_code = 3,
              .message = message};
  fault.command.insert(fault.command.end(), options.begin(), options.end());
  return fault;
}

Fault scored(int row, const char* name, const char* input, int side, int level, int exit_code,
             const char* message) {
  return {.row = row,
          .name = name,
          .input = input,
          .make =
              [=](const fs::path& folder) {
                for (const char* part : {"out", "ref"}) fs::create_directory(folder / part);
                write_grey(folder / "out/a.png", side, static_cast<std::uint8_t>(level));
                write_grey(folder / "ref/a.png", 16, 7);
              },
          .command = {"score", "out", "ref", "--metrics", "psnr-y", "--json"},
          .exit_code = exit_code,
          .message = message};
}

}  // namespace

FaultTable numeric_faults() {
  return {
      .title = "Arithmetic, memory and devices",
      .introduction =
          "Memory that runs out, whoever took it (rows 85 and 88), a device that is lost while it computes "
          "(86), networks that mix the tiles of a batch (91), and values below zero, too small for full "
          "precision or beyond white (84, 92) need an upscaler made for it: "
          "`tests/harness/sweep_faults_test.cpp` and `tests/harness/stages_test.cpp` have them. Clocks "
          "that throttle (89) are told from the system's counters beside the model times, which are kept "
          "and shown as doubtful (`tests/harness/timing_machine_test.cpp`). cuDNN chooses no algorithm by "
          "trial (90) unless `--fast` asks for it, which the record says.",
      .faults = {
          upscaled(80, "Overflow", "weights that overflow", {}, "net.safetensors: the output is not finite"),
          upscaled(80, "OverflowInTiles", "weights that overflow, in tiles", {"--tile", "16"},
                   "net.safetensors: tile 1 of 4 (row 0, column 0) is not finite"),
          scored(81, "Constant", "an output of one colour", 16, 0, 0, "degenerate"),
          scored(82, "Identical", "an output that is its reference", 16, 7, 0, "inf"),
          scored(83, "OtherSize", "an output of another size", 12, 7, 3, "12x12"),
          with_spec(87, "NoSuchDevice", "a GPU that is not there", "model: nearest",
                    {"run", "spec.yaml", "--device", "cuda:99"}, 4, "device cuda:99"),
          with_spec(87, "Tf32OnTheCpu", "TF32 without a GPU", "model: compact-x2, precision: tf32",
                    {"run", "spec.yaml", "--device", "cpu"}, 2, "precision tf32: NVIDIA GPUs have it"),
          planned(93, "TileOfEight", "tiles below the least", "tile: 8", 2,
                  "upscale.tile is '8', expected a whole number from 16"),
          planned(94, "TileCoversThePicture", "a tile larger than the picture", "tile: [none, 512]", 0,
                  "tile 512 covers the picture: same as tile none"),
          planned(94, "OverlapIsTheTile", "an overlap as large as the tile",
                  "tile: 16, mode: uniform, overlap: 16", 2, "overlap 16 is not smaller than tile 16"),
          planned(94, "NegativeOverlap", "a negative overlap", "tile: 16, mode: uniform, overlap: -1", 2,
                  "upscale.overlap is '-1', expected a whole number from 0"),
          planned(94, "NoOverlap", "no overlap", "tile: 16, mode: uniform, overlap: 0", 0,
                  "trials         1"),
      }};
}

}  // namespace upbench::test
