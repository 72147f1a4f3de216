#include <fstream>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/diffusion/model.h"
#include "models/diffusion/networks/unet_names.h"
#include "tests/models/diffusion/networks/unet_layouts.h"
#include "tests/support/assets.h"
#include "tests/support/peak_memory.h"

namespace upbench::test {
namespace {

// A UNet of Stable Diffusion 1 with half its channels, all zeros in half precision, which take no room on the
// disk. Returns the file's megabytes.
std::int64_t write_sparse_unet(const std::filesystem::path& file) {
  UNetFacts facts = stable_diffusion_1();
  for (std::int64_t& channels : facts.channels) channels /= 2;
  const NamedTensors unet = meta_tensors(facts);
  nlohmann::json header = nlohmann::json::object();
  std::int64_t end = 0;
  for (const auto& [canonical, name] : ldm_unet_names(unet_facts(unet))) {
    const at::Tensor& tensor = unet.at(canonical);
    const std::int64_t begin = end;
    end += tensor.numel() * 2;
    header["model.diffusion_model." + name] = {
        {"dtype", "F16"}, {"shape", tensor.sizes().vec()}, {"data_offsets", {begin, end}}};
  }
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << text;
  out.close();
  std::filesystem::resize_file(file, sizeof length + length + static_cast<std::uintmax_t>(end));
  return end >> 20;
}

TEST(DiffusionMemory, AHalfPrecisionModelTakesNoMoreThanATenthAboveItsFile) {
  if (kIsInstrumented) GTEST_SKIP() << "sanitizers keep what was freed";
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "unet.safetensors";
  const std::int64_t megabytes = write_sparse_unet(file);
  ASSERT_GT(megabytes, 300);
  const std::int64_t peak = peak_megabytes([&] {
    const DiffusionModel model(read_diffusion({.checkpoint = file}), at::kCPU, at::kHalf);
    (void)model.unet();
  });
  EXPECT_GE(peak, megabytes / 2) << "it was read, some of it into memory that earlier tests freed";
  EXPECT_LE(peak, megabytes + megabytes / 10);
}

}  // namespace
}  // namespace upbench::test
