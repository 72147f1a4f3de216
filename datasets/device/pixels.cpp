#include "datasets/device/pixels.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "datasets/device/module.h"
#include "datasets/image.h"

namespace upbench {
namespace {

struct Named {
  std::string_view name;
  bool KernelChoice::* on;
};
constexpr Named kKernels[] = {{"layout", &KernelChoice::layout},
                              {"tiles", &KernelChoice::tiles},
                              {"statistics", &KernelChoice::statistics},
                              {"similarity", &KernelChoice::similarity},
                              {"rectify", &KernelChoice::rectify}};

KernelChoice& choice_in_force() {
  static KernelChoice choice = [] {
    const char* list = std::getenv("UPBENCH_DEVICE_KERNELS");
    return parse_kernel_choice(list ? list : "none");
  }();
  return choice;
}

const PixelKernels* pretended = nullptr;
const CudaModule* graphs_of_pretended = nullptr;

void require_bytes(const at::Tensor& bytes) {
  if (bytes.dim() == 3 && bytes.size(2) == 3 && bytes.scalar_type() == at::kByte && bytes.numel() > 0) return;
  throw std::invalid_argument(fmt::format("image_of_bytes: expected u8 [H, W, 3], got [{}] of {}",
                                          fmt::join(bytes.sizes(), ", "),
                                          c10::toString(bytes.scalar_type())));
}

}  // namespace

KernelChoice parse_kernel_choice(std::string_view list) {
  KernelChoice choice;
  while (!list.empty() && list != "none") {
    const std::string_view name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    bool known = false;
    for (const Named& kernel : kKernels) {
      if (name != kernel.name && name != "all") continue;
      choice.*kernel.on = known = true;
    }
    if (!known)
      throw std::invalid_argument(
          fmt::format("unknown device kernel '{}': expected none, all, or a list of layout, tiles, "
                      "statistics, similarity, rectify",
                      name));
  }
  return choice;
}

std::string to_string(const KernelChoice& choice) {
  std::vector<std::string_view> names;
  for (const Named& kernel : kKernels)
    if (choice.*kernel.on) names.push_back(kernel.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ","));
}

void set_kernel_choice(const KernelChoice& choice) {
  choice_in_force() = choice;
}

const KernelChoice& kernel_choice() {
  return choice_in_force();
}

const PixelKernels* kernels_for(bool on, const at::Tensor& tensor) {
  if (!on) return nullptr;
  if (tensor.is_cpu()) return pretended;
  return tensor.is_cuda() && cuda_module().module ? &cuda_module().module->kernels : nullptr;
}

bool is_remote(const c10::Device& device) {
  return !device.is_cpu() || pretended != nullptr;
}

PretendedDevice::PretendedDevice(const PixelKernels& kernels, const CudaModule* graphs) {
  pretended = &kernels;
  graphs_of_pretended = graphs;
}

PretendedDevice::~PretendedDevice() {
  pretended = nullptr;
  graphs_of_pretended = nullptr;
}

const CudaModule* pretended_graphs() {
  return graphs_of_pretended;
}

Image image_of_bytes(const at::Tensor& bytes) {
  require_bytes(bytes);
  if (const auto* table = kernels_for(kernel_choice().layout, bytes))
    return kernels::image_of_bytes(*table, bytes);
  const at::Tensor planes =
      bytes.permute({2, 0, 1}).to(at::kFloat, false, false, at::MemoryFormat::Contiguous);
  return planes.div(
      at::full({}, 255.0, planes.options()));  // a host scalar would become its reciprocal on CUDA
}

at::Tensor bytes_of_image(const Image& image) {
  require_image(image, "bytes_of_image");
  if (const auto* table = kernels_for(kernel_choice().layout, image))
    return kernels::bytes_of_image(*table, image);
  const at::Tensor levels = at::nan_to_num(image, 0.0).clamp_(0, 1).mul_(255).round_();
  return levels.permute({1, 2, 0}).to(at::kByte, false, false, at::MemoryFormat::Contiguous);
}

namespace kernels {
namespace {

PixelType type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kByte:
      return PixelType::u8;
    case at::kFloat:
      return PixelType::f32;
    case at::kHalf:
      return PixelType::f16;
    case at::kBFloat16:
      return PixelType::bf16;
    default:
      throw std::invalid_argument(
          fmt::format("device kernels: pixels of type {}: expected u8 or a float type",
                      c10::toString(tensor.scalar_type())));
  }
}

void* current_stream(const at::Tensor& tensor) {
  if (tensor.is_cpu()) return nullptr;
  const c10::impl::VirtualGuardImpl guard(tensor.device().type());
  return guard.getStreamNativeHandle(guard.getStream(tensor.device()));
}

void require_launched(int code, const char* what) {
  if (code == 0) return;
  const auto* module = cuda_module().module;
  throw c10::AcceleratorError(
      {__func__, __FILE__, __LINE__}, code,
      fmt::format("{}: CUDA error {}: {}", what, code, module ? module->error_text(code) : "no module"));
}

at::Tensor bytes_like(const at::Tensor& tensor, std::size_t count) {
  return at::empty({static_cast<std::int64_t>(count)},
                   tensor.options().dtype(at::kByte).memory_format(std::nullopt));
}

template <typename Item>
const Item* items_from(const at::Tensor& list, std::size_t first, std::int64_t count) {
  if (list.nbytes() < (first + static_cast<std::size_t>(count)) * sizeof(Item))
    throw std::invalid_argument("device kernels: the list of tiles is shorter than the batch");
  return reinterpret_cast<const Item*>(list.const_data_ptr<std::uint8_t>()) + first;
}

}  // namespace

PixelView view_of(const at::Tensor& image) {
  const bool bytes = image.scalar_type() == at::kByte;
  const int channel = bytes ? 2 : 0, row = bytes ? 0 : 1, column = bytes ? 1 : 2;
  if (image.dim() != 3 || image.size(channel) != 3)
    throw std::invalid_argument("device kernels: expected float [3, H, W] or u8 [H, W, 3]");
  return {.data = image.data_ptr(),
          .type = type_of(image),
          .height = static_cast<int>(image.size(row)),
          .width = static_cast<int>(image.size(column)),
          .channel_stride = image.stride(channel),
          .row_stride = image.stride(row),
          .column_stride = image.stride(column)};
}

BatchView batch_of(const at::Tensor& batch) {
  if (batch.dim() != 4 || batch.size(0) == 0)
    throw std::invalid_argument("device kernels: expected a batch [N, 3, H, W]");
  return {.first = view_of(batch[0]),
          .count = static_cast<int>(batch.size(0)),
          .picture_stride = batch.stride(0)};
}

Image image_of_bytes(const PixelKernels& table, const at::Tensor& bytes) {
  require_bytes(bytes);
  const c10::OptionalDeviceGuard guard(bytes.device());
  const Image image = at::empty({3, bytes.size(0), bytes.size(1)}, bytes.options().dtype(at::kFloat));
  require_launched(table.to_float(view_of(bytes), view_of(image), current_stream(bytes)), "u8 to float");
  return image;
}

at::Tensor bytes_of_image(const PixelKernels& table, const Image& image) {
  require_image(image, "bytes_of_image");
  const c10::OptionalDeviceGuard guard(image.device());
  const at::Tensor bytes = at::empty({image.size(1), image.size(2), 3}, image.options().dtype(at::kByte));
  require_launched(table.to_bytes(view_of(image), view_of(bytes), current_stream(image)), "float to u8");
  return bytes;
}

template <typename Item>
at::Tensor on_device(std::span<const Item> items, const at::Device& device) {
  const auto options = at::TensorOptions().dtype(at::kByte).pinned_memory(!device.is_cpu());
  const at::Tensor here = at::empty({static_cast<std::int64_t>(items.size_bytes())}, options);
  std::memcpy(here.mutable_data_ptr<std::uint8_t>(), items.data(), items.size_bytes());
  return here.to(device, /*non_blocking=*/true);
}
template at::Tensor on_device(std::span<const TileSource>, const at::Device&);
template at::Tensor on_device(std::span<const TileTarget>, const at::Device&);
template at::Tensor on_device(std::span<const float>, const at::Device&);

void gather_tiles(const PixelKernels& table, const at::Tensor& image, const at::Tensor& sources,
                  std::size_t first, int mirrored, const at::Tensor& into) {
  const c10::OptionalDeviceGuard guard(into.device());
  const auto* tiles = items_from<TileSource>(sources, first, into.size(0));
  require_launched(table.gather_tiles(view_of(image), tiles, mirrored, batch_of(into), current_stream(into)),
                   "tile gather");
}

void scatter_tiles(const PixelKernels& table, const at::Tensor& batch, const at::Tensor& targets,
                   std::size_t first, const at::Tensor& row_weights, const at::Tensor& column_weights,
                   int row_begin, int row_end, const Image& image) {
  const c10::OptionalDeviceGuard guard(image.device());
  const auto* tiles = items_from<TileTarget>(targets, first, batch.size(0));
  const float* rows = row_weights.defined() ? row_weights.const_data_ptr<float>() : nullptr;
  const float* columns = column_weights.defined() ? column_weights.const_data_ptr<float>() : nullptr;
  require_launched(table.scatter_tiles(batch_of(batch), tiles, rows, columns, row_begin, row_end,
                                       view_of(image), current_stream(image)),
                   "tile scatter");
}

at::Tensor tile_statistics(const PixelKernels& table, const at::Tensor& batch) {
  const c10::OptionalDeviceGuard guard(batch.device());
  const BatchView view = batch_of(batch);
  const at::Tensor results = bytes_like(batch, sizeof(TileStatistics) * static_cast<std::size_t>(view.count));
  const at::Tensor work = bytes_like(batch, table.statistics_work(view.count));
  require_launched(table.tile_statistics(view, reinterpret_cast<TileStatistics*>(results.data_ptr()),
                                         work.data_ptr(), current_stream(batch)),
                   "tile statistics");
  return results;
}

std::vector<TileStatistics> read_statistics(const at::Tensor& results) {
  const at::Tensor here = results.cpu();
  std::vector<TileStatistics> list(here.nbytes() / sizeof(TileStatistics));
  std::memcpy(list.data(), here.const_data_ptr<std::uint8_t>(), here.nbytes());
  return list;
}

at::Tensor similarity(const PixelKernels& table, const at::Tensor& output, const at::Tensor& reference,
                      SimilarityRequest request) {
  const c10::OptionalDeviceGuard guard(output.device());
  request.output = view_of(output);
  request.reference = view_of(reference);
  const at::Tensor results = at::empty({request.signals, 2}, output.options().dtype(at::kDouble));
  const at::Tensor work =
      bytes_like(output, table.similarity_work(request.output.height, request.output.width, request.signals));
  require_launched(table.similarity(request, reinterpret_cast<SimilaritySums*>(results.data_ptr()),
                                    work.data_ptr(), current_stream(output)),
                   "similarity");
  return results;
}

void rectify(const PixelKernels& table, const at::Tensor& x, const at::Tensor& bias,
             const at::Tensor& slope) {
  const auto is_of_channels = [&](const at::Tensor& t) {
    return t.dim() == 1 && t.numel() == x.size(1) && t.is_contiguous() && t.scalar_type() == x.scalar_type();
  };
  if (x.dim() != 4 || x.numel() == 0 || !x.is_contiguous(at::MemoryFormat::ChannelsLast) ||
      !is_of_channels(bias) || !is_of_channels(slope))
    throw std::invalid_argument(
        "rectify: expected a batch with channels last in memory, a bias and a slope a channel, of one type");
  const c10::OptionalDeviceGuard guard(x.device());
  require_launched(table.rectify({.values = x.mutable_data_ptr(),
                                  .bias = bias.const_data_ptr(),
                                  .slope = slope.const_data_ptr(),
                                  .type = type_of(x),
                                  .pixels = x.numel() / x.size(1),
                                  .channels = static_cast<int>(x.size(1))},
                                 current_stream(x)),
                   "rectify");
}

}  // namespace kernels
}  // namespace upbench
