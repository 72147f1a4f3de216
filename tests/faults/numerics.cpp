#include <array>
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

// With a driver that answers "VERSION INIT_RESULT GPUS" (tests/gpu/fake_driver.cpp) in the place of NVIDIA's.
Fault with_driver(const char* name, const char* input, const char* says, const char* device, int exit_code,
                  const char* message) {
  Fault fault = with_spec(87, name, input, "model: nearest", {"run", "spec.yaml", "--device", device},
                          exit_code, message);
  fault.make = [](const fs::path& folder) {
    write_spec(folder, "model: nearest");
    fs::create_symlink(UPBENCH_FAKE_DRIVER, folder / "libcuda.so.1");
  };
  fault.environment = {"LD_LIBRARY_PATH=.", std::string("FAKE_DRIVER=") + says};
  return fault;
}

// The driver is sound, and LibTorch's CUDA library has no code for its GPU.
Fault wrong_architecture() {
  Fault fault = with_driver(
      "WrongArchitecture", "a GPU that LibTorch has no code for (no kernel image)", "13000 0 1", "cuda:0", 4,
      "device cuda:0: Fake GPU (compute capability 9.0): CUDA error: no kernel image is "
      "available for execution on the device; --device cpu works without one");
  fault.make = [make = fault.make](const fs::path& folder) {
    make(folder);
    fs::create_symlink(UPBENCH_FAKE_LIBTORCH, folder / "libtorch_cuda.so");
  };
  return fault;
}

using FlatColour = std::array<std::uint8_t, 3>;

void write_flat(const fs::path& file, int side, const FlatColour& colour) {
  Raster raster{.width = side, .height = side, .channels = 3, .bit_depth = 8};
  raster.samples.resize(raster.row_bytes() * static_cast<std::size_t>(side));
  for (std::size_t i = 0; i < raster.samples.size(); ++i) raster.samples[i] = colour[i % colour.size()];
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
                    write_flat(folder / "a.png", 32, {128, 128, 128});
                  },
              .command = {"upscale", "a.png", "--model", "net.safetensors", "-o", "out"},
              .exit_code = 3,
              .message = message};
  fault.command.insert(fault.command.end(), options.begin(), options.end());
  return fault;
}

Fault scored(int row, const char* name, const char* input, int side, const FlatColour& colour, int exit_code,
             const char* message) {
  return {.row = row,
          .name = name,
          .input = input,
          .make =
              [=](const fs::path& folder) {
                for (const char* part : {"out", "ref"}) fs::create_directory(folder / part);
                write_flat(folder / "out/a.png", side, colour);
                write_flat(folder / "ref/a.png", 16, {7, 7, 7});
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
          "What is wrong with a driver or a GPU is said before any work (row 87); the driver and "
          "LibTorch's CUDA library are ones made for the test. Tiles: one that covers the picture is no "
          "tile, and every overlap from 0 to one less than the tile is accepted (row 94), because each "
          "mode is exact there (`Upscale.IsExactInTilesForAPointwiseUpscaler`), tools use half a tile and "
          "more, and `plan` says what it costs; an overlap that leaves no step, or is negative, is "
          "refused.",
      .faults = {
          upscaled(80, "Overflow", "weights that overflow", {}, "net.safetensors: the output is not finite"),
          upscaled(80, "OverflowInTiles", "weights that overflow, in tiles", {"--tile", "16"},
                   "net.safetensors: tile 1 of 4 (row 0, column 0) is not finite"),
          scored(81, "Constant", "an output of one colour", 16, {0, 0, 0}, 0, "degenerate"),
          scored(81, "ConstantColour", "an output of one colour that is not grey", 16, {114, 111, 103}, 0,
                 "degenerate"),
          scored(82, "Identical", "an output that is its reference", 16, {7, 7, 7}, 0, "inf"),
          scored(83, "OtherSize", "an output of another size", 12, {7, 7, 7}, 3, "12x12"),
          with_spec(87, "NoSuchDevice", "a GPU that is not there", "model: nearest",
                    {"run", "spec.yaml", "--device", "cuda:99"}, 4, "device cuda:99"),
          with_driver(
              "DriverTooOld", "a driver for CUDA 12.4", "12040 0 1", "cuda:0", 4,
              "device cuda:0: the NVIDIA driver is for CUDA 12.4, LibTorch here needs 13.0: update the "
              "driver; --device cpu works without one"),
          with_driver(
              "DriverMismatch", "a driver whose parts are of two versions", "13000 803 1", "cuda:0", 4,
              "device cuda:0: the NVIDIA driver does not work: libcuda.so.1 and the kernel's driver are "
              "of different versions: reboot, or install one version of both"),
          with_driver("DriverWithoutGpu", "a driver that finds no GPU", "13000 100 0", "cuda:0", 4,
                      "device cuda:0: the NVIDIA driver does not work: it finds no GPU (or "
                      "CUDA_VISIBLE_DEVICES hides them all)"),
          with_driver("DriverAskedByAuto", "such a driver, and `auto` as device", "12040 0 1", "auto", 0,
                      "note: device cuda:0: the NVIDIA driver is for CUDA 12.4"),
          wrong_architecture(),
          with_spec(87, "Tf32OnTheCpu", "TF32 without a GPU", "model: compact-x2, precision: tf32",
                    {"run", "spec.yaml", "--device", "cpu"}, 2, "precision tf32: NVIDIA GPUs have it"),
          planned(93, "TileOfEight", "tiles below the least", "tile: 8", 2,
                  "upscale.tile is '8', expected a whole number from 16"),
          planned(94, "TileCoversThePicture", "a tile larger than the picture", "tile: [none, 512]", 0,
                  "tile 512 covers the picture: same as tile none"),
          planned(94, "OverlapIsTheTile", "an overlap as large as the tile",
                  "tile: 16, mode: uniform, overlap: 16", 2, "overlap 16 is not smaller than tile 16"),
          planned(94, "OverlapOfThreeQuarters", "an overlap of more than half a tile",
                  "tile: 16, mode: uniform, overlap: 12", 0, "trials         1"),
          planned(94, "NegativeOverlap", "a negative overlap", "tile: 16, mode: uniform, overlap: -1", 2,
                  "upscale.overlap is '-1', expected a whole number from 0"),
          planned(94, "NoOverlap", "no overlap", "tile: 16, mode: uniform, overlap: 0", 0,
                  "trials         1"),
      }};
}

}  // namespace upbench::test
