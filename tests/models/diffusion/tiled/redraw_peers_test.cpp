#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/diffusion/tiled/redraw_tiles.h"
#include "tests/models/diffusion/peers/peer.h"

namespace upbench::test {
namespace {

constexpr int kFactor = 8;

struct Case {
  std::string name;
  CropRule rule;
  RedrawSettings settings;
};

// As in peers/redraw_peer.py.
std::vector<Case> cases() {
  using enum CropRule;
  using enum RedrawOrder;
  const auto made = [](std::string name, CropRule rule, int width, int height, RedrawOrder order, int blur,
                       int padding, SeamFix fix = SeamFix::none, int seam_width = 64, int seam_blur = 4,
                       int seam_padding = 16) {
    return Case{std::move(name),
                rule,
                {.tile_width = width,
                 .tile_height = height,
                 .order = order,
                 .crops = rule,
                 .blur = blur,
                 .padding = padding,
                 .seam_fix = fix,
                 .seam_width = seam_width,
                 .seam_blur = seam_blur,
                 .seam_padding = seam_padding}};
  };
  return {
      made("linear", a1111, 64, 64, linear, 4, 16),
      made("sharp", a1111, 64, 64, linear, 0, 8),
      made("wide-blur", a1111, 64, 48, chess, 8, 32),
      made("band", a1111, 64, 64, chess, 2, 8, SeamFix::band, 24, 4, 20),
      made("half-tile", a1111, 64, 64, linear, 4, 8, SeamFix::half_tile),
      made("corners", a1111, 64, 64, none, 4, 8, SeamFix::half_tile_and_corners, 64, 2, 8),
      made("comfy", comfy, 64, 64, linear, 4, 16),
      made("comfy-seams", comfy, 64, 64, chess, 8, 24, SeamFix::half_tile_and_corners),
      made("comfy-band", comfy, 64, 64, linear, 4, 24, SeamFix::band, 32),
      made("comfy-minimal", comfy_minimal, 64, 56, linear, 4, 16),
      made("comfy-small", comfy, 64, 64, linear, 3, 16),
  };
}

Image picture_of(const at::Tensor& bytes) {
  return (bytes.to(at::kFloat) / 255).permute({2, 0, 1}).contiguous();
}

// In place of the model, as in redraw_peer.py.
Image stub(const RedrawPiece& piece) {
  const Image made = (1 - piece.picture) * 0.9F + 0.05F;
  if (!piece.latent_mask.defined()) return made;
  const at::Tensor redrawn =
      piece.latent_mask.squeeze(0).repeat_interleave(kFactor, 1).repeat_interleave(kFactor, 2);
  return at::where(redrawn > 0, made, piece.picture);
}

// Every byte that Pillow and OpenCV make of the same tiles, masks, crops and pastes.
TEST(RedrawPeers, PicturesAreThoseOfASlowImplementationWithPillow) {
  UPBENCH_NEEDS_PEERS("PIL, cv2");
  const NamedTensors& peer = run_peer("redraw_peer");
  for (const Case& one : cases()) {
    const Image picture = picture_of(peer.at(one.name + ".in"));
    const auto jobs =
        redraw_jobs(static_cast<int>(picture.size(2)), static_cast<int>(picture.size(1)), one.settings);
    const at::Tensor& crops = peer.at(one.name + ".crops");
    ASSERT_EQ(static_cast<std::size_t>(crops.size(0)), jobs.size()) << one.name;
    std::int64_t job = 0;
    const Image made = redraw_tiles(picture, jobs, one.rule, kFactor, [&](const RedrawPiece& piece) {
      const at::Tensor crop = crops[job++];
      const auto at = [&](int i) { return static_cast<int>(crop[i].item<std::int64_t>()); };
      EXPECT_EQ(piece.region.crop, (PixelBox{at(0), at(1), at(2), at(3)})) << one.name << " tile " << job;
      return stub(piece);
    });
    const at::Tensor off = ((made - picture_of(peer.at(one.name + ".out"))).abs() * 255).round();
    EXPECT_EQ(off.max().item<float>(), 0) << one.name << ": " << (off > 0).sum().item<std::int64_t>()
                                          << " of " << off.numel() << " values differ";
  }
}

}  // namespace
}  // namespace upbench::test
