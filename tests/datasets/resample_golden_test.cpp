// Real pictures: the published low-resolution files byte for byte, and the scores of other tools'
// interpolation.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>
#include <string_view>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "datasets/codec/decode.h"
#include "datasets/image.h"
#include "datasets/load_item.h"
#include "datasets/resample.h"
#include "tests/support/assets.h"

namespace upbench::test {
namespace {

namespace fs = std::filesystem;

Image read(const fs::path& file) {
  return to_image(decode_file(file));
}

// The publisher's x8 files come from another version of imresize.
const char* publishers_kernel(int scale) {
  return scale == 8 ? "matlab-bicubic-replicate" : "matlab-bicubic";
}

// How many samples of the low-resolution pictures made from `set`/HR differ from the published ones, by
// picture.
std::map<std::string, std::int64_t> differing_samples(const std::string& set, int scale) {
  const fs::path folder = assets() / "images" / set;
  const ImageSetSpec spec{
      .path = folder / "HR",
      .make_lr = ImageSetSpec::LowResolution{.scale = scale, .kernel = publishers_kernel(scale)}};
  std::map<std::string, std::int64_t> differing;
  for (const ImageItem& item : list_items(spec)) {
    const Image made = load_item(spec, item, identify(spec, item)).input;
    const Image published = read(folder / "LR_bicubic" / ("X" + std::to_string(scale)) /
                                 (item.name + "x" + std::to_string(scale) + ".png"));
    differing[item.name] =
        made.sizes() == published.sizes() ? made.ne(published).sum().item<std::int64_t>() : -1;
  }
  return differing;
}

class PublishedLowResolution : public ::testing::TestWithParam<int> {};

TEST_P(PublishedLowResolution, Set5IsReproducedByteForByte) {
  UPBENCH_NEEDS_ASSETS();
  const auto differing = differing_samples("Set5", GetParam());
  EXPECT_EQ(differing.size(), 5U);
  for (const auto& [name, count] : differing) EXPECT_EQ(count, 0) << name << " x" << GetParam();
}

// Odd sizes, grey pictures: the HR is cut to a multiple of the scale first.
TEST_P(PublishedLowResolution, Set14IsReproducedByteForByte) {
  UPBENCH_NEEDS_ASSETS();
  const auto differing = differing_samples("Set14", GetParam());
  EXPECT_EQ(differing.size(), 14U);
  for (const auto& [name, count] : differing) EXPECT_EQ(count, 0) << name << " x" << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Scales, PublishedLowResolution, ::testing::Values(2, 3, 4, 8));

double psnr(const Image& output, const Image& reference) {
  return -10 *
         std::log10((output.to(at::kDouble) - reference.to(at::kDouble)).square().mean().item<double>());
}

struct Peer {
  const char* name;  // in the table
  const char* kernel;
  double tolerance;  // dB
};

// The project's bar is 0.001 dB.
constexpr double kBar = 0.001;
// At x2 the weights are multiples of 1/16, so that many samples lie halfway between two levels, where the
// last bit of float32 decides: the table's own bilinear rows of torch and OpenCV (horizontal pass first) are
// 0.0007 dB apart.
constexpr double kTies = 0.002;
// The table's OpenCV is 5.0, the program's may be older: their 8-bit cubics differ in single samples.
constexpr double kOtherVersion = 0.002;
const std::vector<Peer> kPeers{
    {"torch_nearest_f32", "nearest", kBar},
    {"torch_nearest_f32", "torch-nearest", kBar},
    {"torch_bilinear_f32", "bilinear", kBar},
    {"torch_bicubic_f32", "bicubic-a75", kBar},
    {"torch_bicubic_aa_f32", "bicubic-a50-aa", kBar},
    {"matlab_bicubic_f32", "matlab-bicubic", kBar},
    {"cv2_linear_f32", "bilinear", kTies},
    {"cv2_cubic_f32", "bicubic-a75", kBar},
    {"cv2_lanczos4_f32", "lanczos4", kBar},
    {"cv2_linear_u8", "cv2-linear", kBar},
    {"cv2_cubic_u8", "cv2-cubic", kOtherVersion},
    {"cv2_lanczos4_u8", "cv2-lanczos4", kBar},
    {"pil_bicubic_u8", "pil-bicubic", kBar},
    {"pil_lanczos_u8", "pil-lanczos", kBar},
};

struct Row {
  std::string picture;
  int scale;
  bool rounded;
  double psnr_rgb;
};

std::vector<Row> rows_of(const Peer& peer) {
  std::vector<Row> rows;
  std::ifstream table(assets() / "goldens/peer_set5.tsv");
  for (std::string line; std::getline(table, line);) {
    std::istringstream fields(line);
    std::string set, name, kind;
    Row row;
    fields >> set >> name >> kind >> row.scale >> row.picture >> row.rounded >> row.psnr_rgb;
    if (fields && set == "Set5" && name == peer.name) rows.push_back(row);
  }
  return rows;
}

// Small tensors, and CTest runs several programs at once: more threads would wait for each other.
class OneThread : public ::testing::Environment {
  void SetUp() override { at::set_num_threads(1); }
};
const ::testing::Environment* const kOneThread = ::testing::AddGlobalTestEnvironment(new OneThread);

TEST(ResampleGolden, PeersScoresOnSet5AreReproduced) {
  UPBENCH_NEEDS_ASSETS();
  const fs::path set = assets() / "images/Set5";
  for (const Peer& peer : kPeers) {
    const auto rows = rows_of(peer);
    const bool rounded_only = std::string_view(peer.name).ends_with("_u8");
    EXPECT_EQ(rows.size(), rounded_only ? 20U : 40U) << peer.name;  // 4 scales, 5 pictures; rounded, or both
    for (const Row& row : rows) {
      const std::string x = std::to_string(row.scale);
      const Image& lr = read(set / "LR_bicubic" / ("X" + x) / (row.picture + "x" + x + ".png"));
      const Image hr = read(set / "HR" / (row.picture + ".png"))
                           .narrow(1, 0, lr.size(1) * row.scale)
                           .narrow(2, 0, lr.size(2) * row.scale);
      const auto height = static_cast<int>(hr.size(1)), width = static_cast<int>(hr.size(2));
      const Image output = resample(lr, height, width, peer.kernel);
      EXPECT_NEAR(psnr(row.rounded ? quantized(output) : output.clamp(0, 1), hr), row.psnr_rgb,
                  peer.tolerance)
          << peer.name << " x" << x << " " << row.picture << (row.rounded ? " rounded" : "");
    }
  }
}

}  // namespace
}  // namespace upbench::test
