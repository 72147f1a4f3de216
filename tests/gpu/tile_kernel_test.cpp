#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <fmt/format.h>

#include "datasets/device/pixels.h"
#include "datasets/device/tile_math.h"
#include "models/padding.h"
#include "models/tiling/tile_merge.h"
#include "models/tiling/tile_plan.h"
#include "where.h"

namespace upbench {
namespace {

UPBENCH_ON_BOTH(TileKernel);

struct Rule {
  int side;
  PaddingRule rule;
};
const Rule kRules[] = {{1, {.size_multiple = 8}},
                       {5, {.size_multiple = 8}},
                       {8, {.size_multiple = 8}},
                       {9, {.size_multiple = 8}},
                       {3, {.size_multiple = 4, .minimum_size = 16}},
                       {7, {.size_multiple = 1}},
                       {10, {.size_multiple = 8, .mirrored = 8}},
                       {8, {.size_multiple = 8, .mirrored = 8}},
                       {1, {.size_multiple = 4, .mirrored = 3}}};

at::Tensor picture(int height, int width) {
  at::Generator random = at::detail::createCPUGenerator(5);
  return at::rand({3, height, width}, random);
}

std::vector<TileSource> sources(const TilePlan& plan) {
  std::vector<TileSource> list;
  for (const TileAxis& row : plan.rows)
    for (const TileAxis& column : plan.cols)
      list.push_back({row.read.begin, column.read.begin, row.read.size(), column.read.size()});
  return list;
}

TEST(PaddedIndex, IsThePaddingOfThePixelsIndices) {
  for (const Rule& r : kRules) {
    const at::Tensor line = at::arange(r.side, at::kFloat).view({1, 1, 1, r.side});
    const at::Tensor expected = padded(line.expand({1, 1, r.side, r.side}).contiguous(), r.rule)[0][0][0];
    const auto length = static_cast<int>(expected.size(0));
    for (int i = 0; i < length; ++i)
      EXPECT_EQ(padded_index(i, r.side, length, r.rule.mirrored), expected[i].item<float>())
          << "side " << r.side << ", multiple " << r.rule.size_multiple << ", mirrored " << r.rule.mirrored
          << ", index " << i;
  }
}

TEST_P(TileKernel, GathersWhatCuttingAndPaddingGive) {
  const at::Tensor image = picture(37, 50);
  for (const Rule& r : kRules) {
    const std::vector<TileSource> tiles = {
        {0, 0, r.side, r.side}, {37 - r.side, 50 - r.side, r.side, r.side}, {4, 7, r.side, r.side}};
    std::vector<at::Tensor> expected;
    for (const TileSource& tile : tiles)
      expected.push_back(
          padded(image.narrow(1, tile.y, tile.height).narrow(2, tile.x, tile.width).unsqueeze(0), r.rule));
    const at::Tensor batch = at::cat(expected);
    const at::Tensor into = at::full_like(batch, -1).to(device());
    kernels::gather_tiles(table(), image.to(device()),
                          kernels::on_device(std::span<const TileSource>(tiles), into.device()), 0,
                          r.rule.mirrored, into);
    EXPECT_TRUE(at::equal(into.cpu(), batch)) << r.side;  // copies: the same bits
  }
}

TEST_P(TileKernel, GathersIntoChannelsLastFromTheMiddleOfAList) {
  const at::Tensor image = picture(40, 40);
  const TilePlan plan = plan_tiles(40, 40, 2, {.tile = 16, .overlap = 8, .mode = TileMode::uniform});
  const std::vector<TileSource> tiles = sources(plan);
  at::Tensor into = at::empty(
      {2, 3, 16, 16}, at::TensorOptions(at::Device(device())).memory_format(at::MemoryFormat::ChannelsLast));
  kernels::gather_tiles(table(), image.to(device()),
                        kernels::on_device(std::span<const TileSource>(tiles), into.device()), 3, 0, into);
  for (int i = 0; i < 2; ++i) {
    const TileSource& tile = tiles[static_cast<std::size_t>(3 + i)];
    EXPECT_TRUE(at::equal(into[i].cpu(), image.narrow(1, tile.y, 16).narrow(2, tile.x, 16)));
  }
}

TEST_P(TileKernel, GathersFromBytes) {
  const at::Tensor bytes = at::arange(20 * 20 * 3, at::kInt).remainder(256).to(at::kByte).view({20, 20, 3});
  const std::vector<TileSource> tiles = {{2, 3, 10, 12}};
  const at::Tensor into = at::empty({1, 3, 12, 12}, at::TensorOptions(at::Device(device())));
  kernels::gather_tiles(table(), bytes.to(device()),
                        kernels::on_device(std::span<const TileSource>(tiles), into.device()), 0, 0, into);
  const at::Tensor tile = image_of_bytes(bytes).narrow(1, 2, 10).narrow(2, 3, 12).unsqueeze(0);
  EXPECT_TRUE(at::equal(into.cpu(), padded(tile, {.size_multiple = 4})));
}

// Half types round as LibTorch converts; the emulation knows float32 only.
TEST_P(TileKernel, ConvertsToHalfPrecision) {
  if (!on_gpu()) GTEST_SKIP() << "the emulation has no half precision";
  const at::Tensor image = picture(16, 16).to(device());
  const std::vector<TileSource> tiles = {{0, 0, 16, 16}};
  const at::Tensor list = kernels::on_device(std::span<const TileSource>(tiles), image.device());
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor into = at::empty({1, 3, 16, 16}, image.options().dtype(type));
    kernels::gather_tiles(table(), image, list, 0, 0, into);
    EXPECT_TRUE(at::equal(into[0], image.to(type)));
  }
}

struct Scatter {
  std::vector<TileTarget> targets;
  std::vector<float> row_weights, column_weights;
  bool pasted = true;
};

void append(const std::vector<TileAxis>& axis, std::vector<float>& weights, std::vector<int>& begins,
            bool& pasted) {
  for (const TileAxis& tile : axis) {
    begins.push_back(static_cast<int>(weights.size()));
    weights.insert(weights.end(), tile.weights.begin(), tile.weights.end());
    for (const float weight : tile.weights) pasted = pasted && weight == 1;
  }
}

Scatter scatter_of(const TilePlan& plan) {
  Scatter scatter;
  std::vector<int> rows, columns;
  append(plan.rows, scatter.row_weights, rows, scatter.pasted);
  append(plan.cols, scatter.column_weights, columns, scatter.pasted);
  const int scale = plan.scale;
  for (std::size_t r = 0; r < plan.rows.size(); ++r)
    for (std::size_t c = 0; c < plan.cols.size(); ++c) {
      const TileAxis &row = plan.rows[r], &column = plan.cols[c];
      scatter.targets.push_back({.y = row.keep.begin * scale,
                                 .x = column.keep.begin * scale,
                                 .height = row.keep.size() * scale,
                                 .width = column.keep.size() * scale,
                                 .tile_y = (row.keep.begin - row.read.begin) * scale,
                                 .tile_x = (column.keep.begin - column.read.begin) * scale,
                                 .row_weights = rows[r],
                                 .column_weights = columns[c]});
    }
  return scatter;
}

TEST_P(TileKernel, ScattersWhatTileMergeMerges) {
  for (const TileMode mode : {TileMode::core_context, TileMode::even_ramp, TileMode::stride_feather,
                              TileMode::half_sine, TileMode::uniform}) {
    SCOPED_TRACE(std::string(to_string(mode)));
    const TilePlan plan = plan_tiles(41, 53, 2, {.tile = 20, .overlap = 8, .context = 5, .mode = mode});
    const Scatter scatter = scatter_of(plan);
    int height = 0, width = 0;  // of the largest tile; others lie in its upper left corner
    for (const TileAxis& row : plan.rows) height = std::max(height, row.read.size() * 2);
    for (const TileAxis& column : plan.cols) width = std::max(width, column.read.size() * 2);

    at::Generator random = at::detail::createCPUGenerator(7);
    const at::Tensor tiles =
        at::rand({static_cast<std::int64_t>(scatter.targets.size()), 3, height, width}, random)
            .mul(1.4)
            .sub(0.2);  // beyond [0, 1]: clamped where it is blended, as it is where it is pasted
    TileMerge merge(plan, tiles.options());
    for (std::size_t i = 0; i < scatter.targets.size(); ++i) {
      const TileAxis &row = plan.rows[i / plan.cols.size()], &column = plan.cols[i % plan.cols.size()];
      merge.add(i / plan.cols.size(), i % plan.cols.size(),
                tiles[static_cast<std::int64_t>(i)]
                    .narrow(1, 0, row.read.size() * 2)
                    .narrow(2, 0, column.read.size() * 2));
    }

    const at::Tensor there = tiles.to(device());
    const at::Tensor list = kernels::on_device(std::span<const TileTarget>(scatter.targets), there.device());
    const at::Tensor rows = scatter.pasted ? at::Tensor() : at::tensor(scatter.row_weights).to(device());
    const at::Tensor columns =
        scatter.pasted ? at::Tensor() : at::tensor(scatter.column_weights).to(device());
    const Image image = at::zeros({3, 82, 106}, there.options());
    constexpr std::int64_t kBatch = 4;
    for (std::int64_t first = 0; first < there.size(0); first += kBatch) {
      const at::Tensor batch = there.narrow(0, first, std::min(kBatch, there.size(0) - first));
      kernels::scatter_tiles(table(), batch, list, static_cast<std::size_t>(first), rows, columns, 0, 82,
                             image);
    }
    // Sums of a few products of at most 1; a product may be fused with its addition: two units in the last
    // place.
    EXPECT_LE((image.cpu() - merge.merged()).abs().max().item<float>(), scatter.pasted ? 0 : 2.4e-7F);
  }
}

// 65535 blocks of 8 rows are all that a grid has below each other.
TEST_P(TileKernel, TilesMayBeHigherThanAGrid) {
  constexpr int kHeight = 65535 * 8 + 9;
  const at::Tensor image = picture(kHeight, 1).to(device());
  const std::vector<TileSource> tiles = {{0, 0, kHeight, 1}};
  const at::Tensor from = kernels::on_device(std::span<const TileSource>(tiles), image.device());
  const at::Tensor batch = at::full({1, 3, kHeight, 1}, -1.0, image.options());
  kernels::gather_tiles(table(), image, from, 0, 0, batch);
  EXPECT_TRUE(at::equal(batch[0], image));
  const std::vector<TileTarget> targets = {{.height = kHeight, .width = 1}};
  const at::Tensor to = kernels::on_device(std::span<const TileTarget>(targets), image.device());
  const Image merged = at::full({3, kHeight, 1}, -1.0, image.options());
  kernels::scatter_tiles(table(), batch, to, 0, {}, {}, 0, kHeight, merged);
  EXPECT_TRUE(at::equal(merged, image));
}

TEST_P(TileKernel, RefusesAListThatIsTooShort) {
  const at::Tensor image = picture(8, 8).to(device());
  const std::vector<TileSource> tiles = {{0, 0, 8, 8}};
  const at::Tensor list = kernels::on_device(std::span<const TileSource>(tiles), image.device());
  const at::Tensor into = at::empty({2, 3, 8, 8}, image.options());
  EXPECT_THROW(kernels::gather_tiles(table(), image, list, 0, 0, into), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
