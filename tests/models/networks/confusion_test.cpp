// Every checkpoint of the assets, and each with small damage: the right label or a clear error, never
// another's.
#include <algorithm>
#include <fstream>
#include <map>
#include <optional>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/networks/registry.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

struct Case {
  std::string file, architecture;
};

const std::vector<Case> kCheckpoints{
    {"rrdb/RRDB_PSNR_x4.fp16.safetensors", "RRDBNet"},
    {"rrdb/RealESRGAN_x4plus_anime_6B.pth", "RRDBNet"},
    {"srvgg/realesr-animevideov3.pth", "SRVGGNetCompact"},
    {"srvgg/RealESRGANv2-animevideo-xsx2.pth", "SRVGGNetCompact"},
    {"srvgg/realesr-general-x4v3.safetensors", "SRVGGNetCompact"},
    {"imdn/IMDN_x2.pth", "IMDN"},
    {"imdn/IMDN_x4.pth", "IMDN"},
    {"imdn/imdn_baseline.pth", "IMDN-baseline"},
    {"rfdn/RFDN_AIM.pth", "RFDN"},
    {"rlfn/rlfn_x2.pth", "RLFN"},
    {"rlfn/rlfn_x4.pth", "RLFN"},
    {"efdn/team00_EFDN.pth", "EFDN"},
    {"bsrn/net_g_BSRN_x2.pth", "BSRN"},
    {"bsrn/net_g_BSRN_x4.pth", "BSRN"},
    {"pan/PANx2_DF2K.pth", "PAN"},
    {"pan/PANx4_DF2K.pth", "PAN"},
    {"span/team38_span_ch28_slim.pth", "SPAN"},
    {"span/team46_span.pth", "SPAN"},
    {"safmn/team23_safmnpp.pth", "SAFMN++"},
    {"carn_m/carn_m.pth", "CARN-M"},
    {"vdsr/vdsr_full_module_pickle.pth", "VDSR"},
    {"dctlsa/X4.pt", "DCTLSA"},
    {"craft/team34_craft.pth", "CRAFT"},
    {"hitsr/team54_HITSR.pth", "HiT-SRF"},
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.file;
}

std::filesystem::path asset(const std::string& file) {
  return test::assets() / "weights/upscalers" / file;
}

// The label, or nothing where the tensors are refused; a refusal says what was wrong.
std::optional<std::string> label(const NamedTensors& tensors, const std::string& damage) {
  try {
    return recognise(tensors).architecture;
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), AnyOf(HasSubstr("missing"), HasSubstr("unexpected"), HasSubstr("expected"),
                                    HasSubstr("unknown architecture"), HasSubstr("ambiguous")))
        << damage;
    return {};
  }
}

// Names spread evenly over all: damage to each of some hundreds would take minutes.
std::vector<std::string> some_names(const NamedTensors& tensors, std::size_t most) {
  std::vector<std::string> all, chosen;
  for (const auto& [name, tensor] : tensors) all.push_back(name);
  const std::size_t count = std::min(most, all.size());
  for (std::size_t i = 0; i < count; ++i)
    chosen.push_back(all[count == 1 ? 0 : i * (all.size() - 1) / (count - 1)]);
  return chosen;
}

class Confusion : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (test::assets().empty()) return;
    tensors_ = read_checkpoint(asset(GetParam().file)).tensors;
  }
  void expect_right_or_refused(const NamedTensors& damaged, const std::string& damage) {
    const auto found = label(damaged, damage);
    EXPECT_EQ(found.value_or(GetParam().architecture), GetParam().architecture) << damage;
  }
  NamedTensors tensors_;
};

TEST_P(Confusion, WholeFilesHaveTheirLabel) {
  UPBENCH_NEEDS_ASSETS();
  const NetworkMatch match = recognise(tensors_);
  EXPECT_EQ(match.architecture, GetParam().architecture);
  EXPECT_NE(match.recognised_by, "");
}

TEST_P(Confusion, WithoutOneTensorTheLabelIsRightOrRefused) {
  UPBENCH_NEEDS_ASSETS();
  for (const std::string& name : some_names(tensors_, 16)) {
    NamedTensors damaged = tensors_;
    damaged.erase(name);
    expect_right_or_refused(damaged, "without " + name);
  }
}

TEST_P(Confusion, WithATensorTooManyItIsRefused) {
  UPBENCH_NEEDS_ASSETS();
  NamedTensors damaged = tensors_;
  damaged["a_tensor.of_nobody"] = at::zeros({3, 3});
  EXPECT_EQ(label(damaged, "one too many"), std::nullopt);
}

TEST_P(Confusion, WithATransposedTensorTheLabelIsRightOrRefused) {
  UPBENCH_NEEDS_ASSETS();
  for (const std::string& name : some_names(tensors_, 16)) {
    NamedTensors damaged = tensors_;
    at::Tensor& tensor = damaged[name];
    if (tensor.dim() < 2 || tensor.size(0) == tensor.size(1)) continue;  // no other shape
    tensor = tensor.transpose(0, 1).contiguous();
    expect_right_or_refused(damaged, "transposed " + name);
  }
}

TEST_P(Confusion, MixedWithAnotherNetworkTheLabelIsOneOfTheTwoOrRefused) {
  UPBENCH_NEEDS_ASSETS();
  // The next one of another architecture.
  auto other = std::find_if(kCheckpoints.begin(), kCheckpoints.end(),
                            [&](const Case& one) { return one.file == GetParam().file; });
  while (other->architecture == GetParam().architecture)
    if (++other == kCheckpoints.end()) other = kCheckpoints.begin();
  NamedTensors mixed = tensors_;
  for (const auto& [name, tensor] : read_checkpoint(asset(other->file)).tensors) mixed.emplace(name, tensor);
  const auto found = label(mixed, "mixed with " + other->file);
  EXPECT_THAT(found.value_or(GetParam().architecture), AnyOf(GetParam().architecture, other->architecture));
}

TEST_P(Confusion, TruncatedFilesAreRefused) {
  UPBENCH_NEEDS_ASSETS();
  std::ifstream file(asset(GetParam().file), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  for (const double part : {0.01, 0.5, 0.9, 0.9999}) {
    const auto size = static_cast<std::size_t>(static_cast<double>(bytes.size()) * part);
    EXPECT_THROW(read_checkpoint(bytes.data(), size, "cut"), std::invalid_argument) << size << " bytes";
  }
}

INSTANTIATE_TEST_SUITE_P(Assets, Confusion, testing::ValuesIn(kCheckpoints), [](const auto& row) {
  std::string name = row.param.file;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(ConfusionTable, EveryUpscalerOfTheAssetsIsInTheTableOrRefusedByName) {
  UPBENCH_NEEDS_ASSETS();
  const std::vector<std::string> not_networks{".txt", ".pb", ".prototxt", ".caffemodel", ".bin", ".param"};
  const auto root = test::assets() / "weights/upscalers";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (!entry.is_regular_file()) continue;
    const std::string file = entry.path().lexically_relative(root).string();
    const bool listed = std::any_of(kCheckpoints.begin(), kCheckpoints.end(),
                                    [&](const Case& one) { return one.file == file; });
    const bool other =
        std::find(not_networks.begin(), not_networks.end(), entry.path().extension()) != not_networks.end();
    EXPECT_NE(listed, other) << file;
    if (other) {
      EXPECT_THROW(read_checkpoint(entry.path()), std::invalid_argument) << file;
    }
  }
}

}  // namespace
}  // namespace upbench
