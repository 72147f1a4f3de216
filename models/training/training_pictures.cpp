#include "models/training/training_pictures.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "datasets/image_fwd.h"
#include "datasets/procedural.h"
#include "datasets/resample.h"

namespace upbench {
namespace {

// Parts of ten that a class has in training, in the order of procedural_classes(). Dead leaves and natural
// fields have the statistics of photographs; the others keep text, lines and ramps clean.
constexpr int kShares[] = {4, 1, 1, 1, 1, 2};
constexpr int kShareSum = 10;

// Picture i of the set: share after share, so that any prefix holds the classes in about these parts.
ProceduralPicture picture_at(int i, int size, std::uint64_t seed) {
  int slot = i % kShareSum;
  std::size_t cls = 0;
  while (slot >= kShares[cls]) slot -= kShares[cls++];
  return {
      .cls = procedural_classes()[cls], .size = size, .seed = seed, .index = static_cast<std::uint64_t>(i)};
}

// uint8 [3, H, W], the picture's own bytes.
at::Tensor rendered(const ProceduralPicture& picture) {
  const Raster raster = render_procedural(picture);
  at::Tensor bytes = at::empty({raster.height, raster.width, raster.channels}, at::kByte);
  std::copy(raster.samples.begin(), raster.samples.end(), bytes.mutable_data_ptr<std::uint8_t>());
  return bytes.permute({2, 0, 1}).contiguous();
}

at::Tensor as_bytes(const Image& image) {
  return image.clamp(0, 1).mul(255).round().to(at::kByte);
}
at::Tensor as_floats(const at::Tensor& bytes) {
  return bytes.to(at::kFloat).div(255);
}

// Symmetry 0..7 of the square: flips and a transposition.
at::Tensor turned(at::Tensor picture, int symmetry) {
  if (symmetry % 2 == 1) picture = picture.flip(1);
  if (symmetry / 2 % 2 == 1) picture = picture.flip(2);
  return symmetry >= 4 ? picture.transpose(1, 2) : picture;
}

// [3, H, W] in [0, 255] -> [H, W]; the offset of 16 cancels in differences and is left out.
at::Tensor luma(const at::Tensor& rgb255) {
  return (rgb255[0] * 65.481 + rgb255[1] * 128.553 + rgb255[2] * 24.966) / 255;
}

}  // namespace

std::vector<TrainingPair> render_training_pairs(int count, int size, int scale, std::uint64_t seed) {
  std::vector<TrainingPair> pairs(static_cast<std::size_t>(count));
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const at::Tensor hr = rendered(picture_at(static_cast<int>(i), size, seed));
      const Image lr = resample(as_floats(hr), size / scale, size / scale, "matlab-bicubic", true);
      pairs[static_cast<std::size_t>(i)] = {.lr = as_bytes(lr), .hr = hr};
    }
  });
  return pairs;
}

TrainingBatch draw_batch(const std::vector<TrainingPair>& pairs, int batch, int patch, int scale,
                         procedural::Random& random) {
  std::vector<at::Tensor> lr, hr;
  for (int i = 0; i < batch; ++i) {
    const TrainingPair& pair =
        pairs[static_cast<std::size_t>(random.integer(0, static_cast<int>(pairs.size()) - 1))];
    const int y = random.integer(0, static_cast<int>(pair.lr.size(1)) - patch);
    const int x = random.integer(0, static_cast<int>(pair.lr.size(2)) - patch);
    const int symmetry = random.integer(0, 7);
    const auto crop = [&](const at::Tensor& picture, int factor) {
      return turned(picture.narrow(1, y * factor, patch * factor).narrow(2, x * factor, patch * factor),
                    symmetry);
    };
    lr.push_back(crop(pair.lr, 1));
    hr.push_back(crop(pair.hr, scale));
  }
  return {.lr = as_floats(at::stack(lr)), .hr = as_floats(at::stack(hr))};
}

double mean_psnr_y(const std::vector<TrainingPair>& pairs, int scale,
                   const std::function<at::Tensor(const at::Tensor&)>& enlarge) {
  double sum = 0;
  for (const TrainingPair& pair : pairs) {
    const at::Tensor output = as_bytes(enlarge(as_floats(pair.lr).unsqueeze(0))[0]).to(at::kDouble);
    const std::int64_t height = output.size(1) - 2 * scale, width = output.size(2) - 2 * scale;
    const at::Tensor error =
        luma(output - pair.hr.to(at::kDouble)).narrow(0, scale, height).narrow(1, scale, width);
    sum += 10 * std::log10(255.0 * 255.0 / error.square().mean().item<double>());
  }
  return sum / static_cast<double>(pairs.size());
}

}  // namespace upbench
