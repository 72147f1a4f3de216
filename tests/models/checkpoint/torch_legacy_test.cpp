#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::ThrowsMessage;

Checkpoint read(const std::string& bytes) {
  return read_checkpoint(bytes.data(), bytes.size(), "old.pth");
}

TEST(TorchLegacy, TensorsAreReadFromBehindThePickles) {
  const Checkpoint checkpoint = read(torch_legacy_bytes(small_state_dict(), six_floats(), 6));
  EXPECT_EQ(checkpoint.format, "torch-legacy");
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("w"), at::arange(6).to(at::kFloat).reshape({2, 3})));
}

TEST(TorchLegacy, BrokenFilesAreRefused) {
  struct Fault {
    const char* name;
    std::string bytes;
    const char* message;
  };
  const std::string sound = torch_legacy_bytes(small_state_dict(), six_floats(), 6);
  const Fault faults[] = {
      {"another pickle", pickle(small_state_dict()), "its magic number is missing"},
      {"other number of elements", torch_legacy_bytes(small_state_dict(), six_floats(), 5),
       "storage '0' has 5 elements, expected 6"},
      {"truncated storage", sound.substr(0, sound.size() - 1),
       "truncated: storage '0' has 24 bytes, but 23 are left"},
      {"bytes after", sound + "x", "1 bytes after the last storage"},
      {"storage of no tensor", torch_legacy_bytes(dict({}), six_floats(), 6),
       "storage '0' belongs to no tensor"},
      {"a whole module",
       torch_legacy_bytes(tuple({text("module"), global("vdsr", "Net"), text("vdsr.py"), text("")}) + "Q",
                          six_floats(), 6),
       "global 'vdsr.Net' is not allowed"},
  };
  for (const Fault& fault : faults) {
    EXPECT_THAT([&] { read(fault.bytes); }, ThrowsMessage<std::invalid_argument>(HasSubstr(fault.message)))
        << fault.name;
  }
  for (std::size_t bytes = 0; bytes < sound.size(); ++bytes)
    EXPECT_THROW(read(sound.substr(0, bytes)), std::invalid_argument) << bytes;
}

TEST(TorchLegacy, RealFileEqualsItsZipTwin) {
  UPBENCH_NEEDS_ASSETS();
  const Checkpoint old = read_checkpoint(assets() / "weights/lpips/squeezenet1_1_features_legacy_pickle.pth");
  const Checkpoint zip = read_checkpoint(assets() / "weights/lpips/squeezenet1_1_features.pth");
  EXPECT_EQ(old.format, "torch-legacy");
  EXPECT_EQ(zip.format, "torch-zip");
  ASSERT_EQ(old.tensors.size(), zip.tensors.size());
  for (const auto& [name, tensor] : zip.tensors) {
    EXPECT_TRUE(at::equal(tensor, old.tensors.at(name.substr(std::string_view("features.").size())))) << name;
  }
}

// A file of PyTorch 0.3: a training state that holds a whole module, of classes that exist nowhere here.
TEST(TorchLegacy, TheTensorsOfARealWholeModuleAreReadWithoutItsClasses) {
  UPBENCH_NEEDS_ASSETS();
  const Checkpoint vdsr = read_checkpoint(assets() / "weights/upscalers/vdsr/vdsr_full_module_pickle.pth");
  EXPECT_EQ(vdsr.dialect, "model, pickled module vdsr.Net");
  ASSERT_EQ(vdsr.tensors.size(), 20u);
  EXPECT_EQ(vdsr.tensors.at("input.weight").sizes(), (std::vector<std::int64_t>{64, 1, 3, 3}));
  EXPECT_EQ(vdsr.tensors.at("residual_layer.17.conv.weight").sizes(),
            (std::vector<std::int64_t>{64, 64, 3, 3}));
  EXPECT_EQ(vdsr.tensors.at("output.weight").sizes(), (std::vector<std::int64_t>{1, 64, 3, 3}));
  for (const auto& [name, tensor] : vdsr.tensors)
    EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
}

}  // namespace
}  // namespace upbench
