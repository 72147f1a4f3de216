// The bytes that Pillow gives, stored by tests/golden/make_pillow_resample.py.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "datasets/image.h"
#include "datasets/resample.h"

namespace upbench::test {
namespace {

struct Size {
  int width = 0, height = 0;
};

struct Golden {
  std::string kernel;
  Size source, target;
  std::string bytes;  // hexadecimal
};

std::istream& operator>>(std::istream& in, Size& size) {
  char x = 0;
  return in >> size.width >> x >> size.height;
}

std::vector<Golden> goldens() {
  std::ifstream file(std::filesystem::path(UPBENCH_SOURCE_DIR) / "tests/golden/pillow_resample.tsv");
  std::vector<Golden> list;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    Golden golden;
    if (line.starts_with('#') || !(fields >> golden.kernel >> golden.source >> golden.target >> golden.bytes))
      continue;
    list.push_back(golden);
  }
  return list;
}

// As `source` of the script.
Raster source(Size size) {
  Raster raster{.width = size.width, .height = size.height};
  for (int y = 0; y < size.height; ++y)
    for (int x = 0; x < size.width; ++x)
      for (int c = 0; c < 3; ++c)
        raster.samples.push_back(static_cast<std::uint8_t>(x * x * 7 + y * y * 13 + x * y * 29 + c * 101));
  return raster;
}

TEST(ResamplePillow, EveryByteIsPillows) {
  std::map<std::string, int> cases;
  for (const Golden& golden : goldens()) {
    const Raster made = to_raster(resample(to_image(source(golden.source)), golden.target.height,
                                           golden.target.width, "pil-" + golden.kernel));
    std::string bytes;
    for (const std::uint8_t sample : made.samples) {
      bytes += "0123456789abcdef"[sample >> 4];
      bytes += "0123456789abcdef"[sample & 15];
    }
    EXPECT_EQ(bytes, golden.bytes) << golden.kernel << " to " << golden.target.width << "x"
                                   << golden.target.height;
    ++cases[golden.kernel];
  }
  const std::map<std::string, int> expected{{"nearest", 13}, {"box", 8},     {"bilinear", 8},
                                            {"hamming", 8},  {"bicubic", 8}, {"lanczos", 8}};
  EXPECT_EQ(cases, expected);
}

}  // namespace
}  // namespace upbench::test
