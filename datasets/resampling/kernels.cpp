#include "datasets/resampling/kernels.h"

#include <stdexcept>

#include <fmt/format.h>

#include "datasets/resample.h"

namespace upbench {
namespace {

struct Entry {
  ResampleKernel kernel;
  AxisWeights (*weights)(int input, int output) = nullptr;  // none: OpenCV's own
};

template <double (*Value)(double), int Radius, bool Antialias, Border Outside>
AxisWeights filtered(int input, int output) {
  return filter_weights(input, output, {Radius, Value, Antialias, Outside});
}

// Radius in half pixels.
template <double (*Value)(double), int HalfPixels>
AxisWeights pillow(int input, int output) {
  return pillow_weights(input, output, HalfPixels / 2.0, Value);
}

constexpr bool kEightBit = true;

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table{
      {{"nearest", "one pixel, exactly floor(o * in / out)", false}, nearest_weights},
      {{"bilinear",
        "triangle, not widened when shrinking; torch bilinear (align_corners false), OpenCV INTER_LINEAR",
        false},
       filtered<triangle, 1, false, Border::replicate>},
      {{"bilinear-aa",
        "triangle, widened when shrinking, cut off at the border; Pillow BILINEAR, torch bilinear antialias",
        true},
       filtered<triangle, 1, true, Border::cut_off>},
      {{"bicubic-a50", "Keys cubic a = -0.5, not widened when shrinking, border replicated", false},
       filtered<cubic_a50, 2, false, Border::replicate>},
      {{"bicubic-a50-aa",
        "Keys cubic a = -0.5, widened when shrinking, cut off at the border; Pillow BICUBIC, torch bicubic "
        "antialias",
        true},
       filtered<cubic_a50, 2, true, Border::cut_off>},
      {{"bicubic-a75",
        "Keys cubic a = -0.75, not widened when shrinking; torch bicubic (align_corners false), OpenCV "
        "INTER_CUBIC",
        false},
       filtered<cubic_a75, 2, false, Border::replicate>},
      {{"bicubic-a75-aa", "Keys cubic a = -0.75, widened when shrinking, cut off at the border", true},
       filtered<cubic_a75, 2, true, Border::cut_off>},
      {{"matlab-bicubic",
        "Keys cubic a = -0.5, widened when shrinking, border mirrored; MATLAB imresize, the kernel of the "
        "published x2, x3 and x4 LR sets",
        true},
       filtered<cubic_a50, 2, true, Border::mirror>},
      {{"matlab-bicubic-replicate",
        "as matlab-bicubic, border replicated; the kernel of the published x8 LR sets", true},
       filtered<cubic_a50, 2, true, Border::replicate>},
      {{"lanczos", "windowed sinc a = 3, widened when shrinking, cut off at the border; Pillow LANCZOS",
        true},
       filtered<lanczos3, 3, true, Border::cut_off>},
      {{"lanczos4", "windowed sinc a = 4, not widened when shrinking; OpenCV INTER_LANCZOS4", false},
       filtered<lanczos4, 4, false, Border::replicate>},
      {{"area", "mean of the covered area; OpenCV INTER_AREA when shrinking", true}, area_weights},
      {{"torch-nearest", "one pixel, floor(o * in / out) in float32; torch nearest", false},
       torch_nearest_weights},
      {{"torch-nearest-exact", "one pixel, floor((o + 0.5) * in / out) in float32; torch nearest-exact",
        false},
       torch_nearest_exact_weights},
      {{"torch-area", "plain mean of all pixels touched; torch area, adaptive_avg_pool2d", true},
       touched_area_weights},
      {{"pil-nearest", "one pixel, floor((o + 0.5) * in / out); Pillow NEAREST", false, kEightBit},
       pillow_nearest_weights},
      {{"pil-box", "mean of the pixels whose centres are covered; Pillow 12 BOX on 8 bit", true, kEightBit},
       pillow<box, 1>},
      {{"pil-bilinear", "triangle, widened when shrinking; Pillow 12 BILINEAR on 8 bit", true, kEightBit},
       pillow<triangle, 2>},
      {{"pil-hamming", "Hamming-windowed sinc a = 1, widened when shrinking; Pillow 12 HAMMING on 8 bit",
        true, kEightBit},
       pillow<hamming, 2>},
      {{"pil-bicubic", "Keys cubic a = -0.5, widened when shrinking; Pillow 12 BICUBIC on 8 bit", true,
        kEightBit},
       pillow<cubic_a50, 4>},
      {{"pil-lanczos", "windowed sinc a = 3, widened when shrinking; Pillow 12 LANCZOS on 8 bit", true,
        kEightBit},
       pillow<lanczos3, 6>},
      {{"cv2-nearest",
        "one pixel, floor(o * in / out); OpenCV INTER_NEAREST on 8 bit, by the OpenCV of this program", false,
        kEightBit}},
      {{"cv2-linear",
        "triangle, not widened when shrinking; OpenCV INTER_LINEAR on 8 bit, by the OpenCV of this program",
        false, kEightBit}},
      {{"cv2-cubic",
        "Keys cubic a = -0.75, not widened when shrinking; OpenCV INTER_CUBIC on 8 bit, by the OpenCV of "
        "this program",
        false, kEightBit}},
      {{"cv2-area",
        "mean of the covered area, where a side grows two pixels blended; OpenCV INTER_AREA on 8 bit, by the "
        "OpenCV of this program",
        true, kEightBit}},
      {{"cv2-lanczos4",
        "windowed sinc a = 4, not widened when shrinking; OpenCV INTER_LANCZOS4 on 8 bit, by the OpenCV of "
        "this program",
        false, kEightBit}},
  };
  return table;
}

const Entry& find(std::string_view kernel) {
  std::string known;
  for (const Entry& entry : entries()) {
    if (entry.kernel.name == kernel) return entry;
    known += (known.empty() ? "" : ", ") + entry.kernel.name;
  }
  throw std::invalid_argument(fmt::format("unknown resampling kernel '{}'; known: {}", kernel, known));
}

}  // namespace

const std::vector<ResampleKernel>& resample_kernels() {
  static const std::vector<ResampleKernel> kernels = [] {
    std::vector<ResampleKernel> list;
    for (const Entry& entry : entries()) list.push_back(entry.kernel);
    return list;
  }();
  return kernels;
}

Arithmetic kernel_arithmetic(std::string_view kernel) {
  const Entry& entry = find(kernel);
  if (!entry.weights) return Arithmetic::opencv;
  return entry.kernel.eight_bit ? Arithmetic::fixed_point : Arithmetic::float32;
}

AxisWeights kernel_weights(std::string_view kernel, int input, int output) {
  const Entry& entry = find(kernel);
  if (!entry.weights) throw std::invalid_argument(fmt::format("kernel '{}' has no weights of ours", kernel));
  return entry.weights(input, output);
}

void require_kernel(std::string_view kernel) {
  find(kernel);
}

}  // namespace upbench
