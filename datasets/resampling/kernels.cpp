#include "datasets/resampling/kernels.h"

#include <stdexcept>

#include <fmt/format.h>

#include "datasets/resample.h"

namespace upbench {
namespace {

struct Entry {
  ResampleKernel kernel;
  AxisWeights (*weights)(int input, int output);
};

template <double (*Value)(double), int Radius, bool Antialias, Border Outside>
AxisWeights filtered(int input, int output) {
  return filter_weights(input, output, {Radius, Value, Antialias, Outside});
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> table{
      {{"nearest", "one pixel, floor(o * in / out); torch and OpenCV nearest", false}, nearest_weights},
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

AxisWeights kernel_weights(std::string_view kernel, int input, int output) {
  return find(kernel).weights(input, output);
}

void require_kernel(std::string_view kernel) {
  find(kernel);
}

}  // namespace upbench
