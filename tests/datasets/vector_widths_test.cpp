// The loops of resampling/passes.h for every width of vectors that the processor has: the same bits.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "datasets/degradation/blur.h"
#include "datasets/image.h"
#include "datasets/resample.h"
#include "datasets/wide_vectors.h"

namespace upbench::test {
namespace {

class VectorWidths : public testing::Test {
 protected:
  void TearDown() override { limit_vector_lanes(16); }

  // `make` at every width that is there beside what it makes without vectors.
  static void expect_same_bits(const std::function<at::Tensor()>& make, const std::string& what) {
    limit_vector_lanes(0);
    ASSERT_EQ(vector_lanes(), 0);
    const at::Tensor plain = make();
    for (const int lanes : {8, 16}) {
      limit_vector_lanes(lanes);
      if (vector_lanes() < lanes) continue;
      EXPECT_TRUE(at::equal(make(), plain)) << what << ", " << lanes << " lanes";
    }
  }
};

// Sides that leave vectors, blocks of rows and squares of transposing partly filled.
TEST_F(VectorWidths, ResizeAlike) {
  const std::vector<std::pair<int, int>> sizes{{1, 1}, {3, 50}, {16, 17}, {37, 65}};
  for (const ResampleKernel& kernel : resample_kernels()) {
    for (const auto& [height, width] : sizes) {
      const Image image =
          at::rand({3, height, width}, at::make_generator<at::CPUGeneratorImpl>(7)) * 1.2 - 0.1;
      for (const auto& [out_height, out_width] : sizes)
        expect_same_bits([&, to_height = out_height,
                          to_width = out_width] { return resample(image, to_height, to_width, kernel.name); },
                         fmt::format("{} {}x{} to {}x{}", kernel.name, width, height, out_width, out_height));
    }
  }
}

TEST_F(VectorWidths, BlurAlike) {
  for (const int size : {3, 7, 21}) {
    const BlurKernel kernel = blur_kernel({.sigma = 1.7, .sigma2 = 0.8, .angle = 30, .size = size});
    for (const int width : {1, 15, 64, 130}) {
      const at::Tensor plane = at::rand({2, 9, width}, at::make_generator<at::CPUGeneratorImpl>(8));
      expect_same_bits(
          [&] {
            at::Tensor out = at::empty_like(plane);
            filter_reflected(plane.const_data_ptr<float>(), 2, 9, width, kernel,
                             out.mutable_data_ptr<float>());
            return out;
          },
          fmt::format("size {}, width {}", size, width));
    }
  }
}

}  // namespace
}  // namespace upbench::test
