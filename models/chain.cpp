#include "models/chain.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/upscale.h"

namespace upbench {
namespace {

int divide_up(int value, int divisor) {
  return (value + divisor - 1) / divisor;
}

// A part sees the picture enlarged by `scale`: what it needs there is needed in the beginning by so much
// less.
void require(PaddingRule& whole, const PaddingRule& part, int scale) {
  whole.size_multiple =
      std::lcm(whole.size_multiple, part.size_multiple / std::gcd(part.size_multiple, scale));
  whole.minimum_size = std::max(whole.minimum_size, divide_up(part.minimum_size, scale));
  whole.mirrored = std::max(whole.mirrored, divide_up(part.mirrored, scale));
}

// The picture is padded once, before the first part, so that what reaches each part has a size that it takes.
void describe_padding(UpscalerInfo& whole, const std::vector<UpscalerPtr>& parts) {
  PaddingRule authors, spandrel;
  int scale = 1;
  bool differ = false;
  for (const UpscalerPtr& part : parts) {
    require(authors, padding_rule(part->info(), Padding::authors), scale);
    require(spandrel, padding_rule(part->info(), Padding::spandrel), scale);
    differ = differ || part->info().spandrel_padding;
    scale *= part->info().scale;
  }
  whole.size_multiple = authors.size_multiple;
  whole.minimum_size = authors.minimum_size;
  spandrel.mirrored = divide_up(spandrel.mirrored, spandrel.size_multiple) * spandrel.size_multiple;
  if (differ) whole.spandrel_padding = spandrel;
}

UpscalerInfo describe(const std::string& name, const std::vector<UpscalerPtr>& parts) {
  UpscalerInfo whole;
  whole.name = name;
  whole.architecture = "chain";
  whole.scale = 1;
  whole.receptive_radius = 0;
  describe_padding(whole, parts);
  Hasher hasher;
  hasher.add_field("chain");
  for (const UpscalerPtr& part : parts) {
    const UpscalerInfo& info = part->info();
    const bool is_bounded = whole.receptive_radius >= 0 && info.receptive_radius >= 0;
    whole.receptive_radius =
        is_bounded ? whole.receptive_radius + divide_up(info.receptive_radius, whole.scale) : -1;
    whole.macs_per_pixel += info.macs_per_pixel * whole.scale * whole.scale;
    whole.parameters += info.parameters;
    whole.supports_half = whole.supports_half && info.supports_half;
    if (whole.input_range.empty()) whole.input_range = info.input_range;  // those that are not told are one
    whole.scale *= info.scale;
    whole.recognised_by +=
        fmt::format("{}{}: {}", whole.recognised_by.empty() ? "" : "; then ", info.name, info.recognised_by);
    whole.dialect += (whole.dialect.empty() ? "" : "; ") + info.dialect;
    whole.hyper_parameters.emplace_back(fmt::format("part {}", whole.hyper_parameters.size() + 1),
                                        fmt::format("{} x{}", info.name, info.scale));
    hasher.add_field(info.architecture).add_field(info.tensor_hash);
  }
  whole.tensor_hash = hasher.finish();
  return whole;
}

class Chain : public Upscaler {
 public:
  Chain(UpscalerInfo info, std::vector<UpscalerPtr> parts)
      : info_(std::move(info)), parts_(std::move(parts)) {}

  const UpscalerInfo& info() const override { return info_; }

  at::Tensor forward(const at::Tensor& batch, int) const override {
    at::Tensor picture = parts_.front()->forward(batch, parts_.front()->info().scale);
    for (std::size_t i = 1; i < parts_.size(); ++i)
      picture = parts_[i]->forward(picture.clamp(0, 1), parts_[i]->info().scale);
    return picture;
  }

  UpscalerPtr to(const std::string& device, Precision precision) const override {
    std::vector<UpscalerPtr> placed;
    for (const UpscalerPtr& part : parts_) placed.push_back(part->to(device, precision));
    return std::make_shared<Chain>(info_, std::move(placed));
  }

 private:
  UpscalerInfo info_;
  std::vector<UpscalerPtr> parts_;
};

}  // namespace

UpscalerPtr make_chain(const std::string& name, std::vector<UpscalerPtr> parts) {
  if (parts.size() < 2)
    throw std::invalid_argument(
        fmt::format("chain '{}' has {} parts, expected at least 2", name, parts.size()));
  for (const UpscalerPtr& part : parts) {
    const UpscalerInfo& info = part->info();
    if (info.scale == 0)
      throw std::invalid_argument(
          fmt::format("chain '{}': '{}' {}, expected networks of one scale each", name, info.name,
                      info.scales.empty() ? "takes any scale"
                                          : fmt::format("has the scales {}", fmt::join(info.scales, ", "))));
  }
  UpscalerInfo info = describe(name, parts);
  return std::make_shared<Chain>(std::move(info), std::move(parts));
}

}  // namespace upbench
