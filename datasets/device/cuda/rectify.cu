#include "datasets/device/cuda/elements.h"
#include "datasets/device/cuda/kernels.h"
#include "datasets/device/rectify_math.h"

namespace upbench::cuda {
namespace {

constexpr int kThreads = 256, kMostBlocks = 1 << 16;
constexpr int kPackBytes = 16;  // read and written at once by a thread

template <typename Element, int kCount>
struct alignas(sizeof(Element) * kCount) Pack {
  Element values[kCount];
};

template <typename Element, int kCount>
__global__ void rectify_packs(RectifyRequest request, std::int64_t packs) {
  auto* all = static_cast<Pack<Element, kCount>*>(request.values);
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * kThreads;
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x; i < packs;
       i += step) {
    Pack<Element, kCount> pack = all[i];
    UPBENCH_UNROLL
    for (int k = 0; k < kCount; ++k)
      pack.values[k] = rectified(request, i * kCount + k, pack.values[k], Convert{}, Store<Element>{});
    all[i] = pack;
  }
}

template <typename Element, int kCount>
int launch(const RectifyRequest& request, void* stream) {
  const std::int64_t packs = request.pixels * request.channels / kCount;
  const std::int64_t wanted = (packs + kThreads - 1) / kThreads;
  const auto grid = static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
  rectify_packs<Element, kCount><<<grid, kThreads, 0, as_stream(stream)>>>(request, packs);
  return launched();
}

}  // namespace

int rectify(const RectifyRequest& request, void* stream) {
  if (request.pixels <= 0 || request.channels <= 0) return refused();
  return by_type(request.type, [&](auto element) {
    using Element = decltype(element);
    constexpr int kCount = kPackBytes / sizeof(Element);
    const bool aligned = reinterpret_cast<std::uintptr_t>(request.values) % kPackBytes == 0;
    const bool whole = request.pixels * request.channels % kCount == 0;
    return aligned && whole ? launch<Element, kCount>(request, stream) : launch<Element, 1>(request, stream);
  });
}

}  // namespace upbench::cuda
