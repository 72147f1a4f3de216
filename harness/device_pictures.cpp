#include "harness/device_pictures.h"

#include <cstring>
#include <vector>

#include <ATen/ATen.h>

#include "datasets/device/pixels.h"
#include "datasets/image.h"

namespace upbench {
namespace {

// Of one colour, grey or not, no channel varies, while all values together do. [], float32, on the image's
// device. A CPU reduces whole tensors faster than along some of their sides: one channel after the other.
at::Tensor spread_of(const Image& image) {
  std::vector<at::Tensor> channels = image.unbind();
  for (at::Tensor& channel : channels) channel = channel.std(/*unbiased=*/false);
  return at::stack(channels).amax();
}

}  // namespace

DevicePictures::DevicePictures(const std::string& device, std::size_t buffers)
    : device_(device),
      remote_(is_remote(c10::Device(device))),
      uploads_(device),
      downloads_(device),
      staging_(device, buffers) {}

Image DevicePictures::up(const at::Tensor& picture) {
  if (!remote_) return picture;
  const at::Tensor whole = picture.contiguous();
  StagingPool::Lease lease = staging_.acquire(whole.nbytes());
  std::memcpy(lease.data(), whole.const_data_ptr(), whole.nbytes());
  const StreamScope scope(uploads_);
  const at::Tensor there = at::empty(whole.sizes(), whole.options().device(at::Device(device_)));
  const at::Tensor staged = lease.bytes({static_cast<std::int64_t>(whole.nbytes())});
  there.copy_(staged.view(whole.scalar_type()).view(whole.sizes()), /*non_blocking=*/true);
  lease.release_after(uploads_);
  return there.scalar_type() == at::kByte ? image_of_bytes(there) : there;
}

DevicePictures::Saved DevicePictures::down(const Image& image) {
  if (!remote_) return {to_raster(image), spread_of(image).item<double>()};
  const StreamScope scope(downloads_);
  const at::Tensor spread = spread_of(image).view({1}).view(at::kByte),
                   all = at::cat({bytes_of_image(image).flatten(), spread});
  const std::size_t size = all.nbytes() - spread.nbytes();
  const StagingPool::Lease lease = staging_.acquire(all.nbytes());
  lease.bytes({all.numel()}).copy_(all, /*non_blocking=*/true);
  downloads_.synchronize();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(lease.data());
  float deviation = 0;
  std::memcpy(&deviation, bytes + size, sizeof deviation);
  return {{.width = static_cast<int>(image.size(2)),
           .height = static_cast<int>(image.size(1)),
           .channels = 3,
           .bit_depth = 8,
           .samples = {bytes, bytes + size},
           .notes = {}},
          static_cast<double>(deviation)};
}

}  // namespace upbench
