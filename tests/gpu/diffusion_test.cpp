// Stages that run a diffusion model, and its autoencoder, on the device against the CPU: a tiny model of
// random weights, the same noise.
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "datasets/image.h"
#include "harness/diffusion_models.h"
#include "harness/plan/kinds.h"
#include "on_device.h"
#include "tests/harness/diffusion_stages.h"
#include "tests/models/diffusion/text/clip_vocabulary.h"

namespace upbench::test {
namespace {

struct Case {
  const char* name;
  nlohmann::json settings;
  // float32 in another order through four steps, each of which may enlarge it.
  double allowed = 1e-3;
};
// Where pictures are cut to 8 bit on the way: a value beside an edge falls to the other level, 4e-3 away.
constexpr double kOtherLevels = 1e-2;

class DiffusionOnDevice : public OnDevice<DiffusionStages> {
 protected:
  DiffusionOnDevice(StageKind kind, nlohmann::json settings)
      : OnDevice(std::move(kind), std::move(settings)) {}

  void SetUp() override {
    OnDevice::SetUp();
    if (IsSkipped()) return;
    std::filesystem::create_directories(folder_ / "tokenizer");
    write_small_vocabulary(folder_ / "tokenizer");
    write_safetensors(folder_ / "control.safetensors", tiny_control_net(4));
  }

  // As after a picture, where the kind asks what came before.
  nlohmann::json settled_values(const nlohmann::json& asked) {
    nlohmann::json settings = defaults_;
    settings.update(asked);
    if (kind_.inherit != nullptr)
      settings = kind_.inherit(settings, {.parameters = nlohmann::json::object()});
    const SettledStage made = kind_.settle(settings, [&](const nlohmann::json& model) -> const ModelFacts& {
      ModelFacts& facts = known_[model.dump()];
      if (is_diffusion(model)) facts = diffusion_model_facts(model, search());
      return facts;
    });
    EXPECT_EQ(made.refusal, "");
    return made.values;
  }

  // Nothing is shared between devices.
  at::Tensor made_on(const std::string& where, const nlohmann::json& asked, std::uint64_t seed = 7) {
    LatentCache latents{1 << 20};
    const StageContext context{.models = models_,
                               .device = where,
                               .planned = planned_,
                               .seed = seed,
                               .input = {},
                               .diffusion = &diffusion_,
                               .stage_input = sha256("picture"),
                               .latents = &latents,
                               .prompts = &prompts_};
    used_ = nlohmann::json::object();
    const at::Tensor made = make_stage(kind_.name, kind_.name, settled_values(asked))
                                ->run({.rgb = picture_.to(where), .target = {}}, context, used_)
                                .rgb;
    EXPECT_EQ(made.device(), at::Device(where));
    return made;
  }

  void expect_the_cpus(const std::vector<Case>& cases) {
    for (const Case& one : cases) {
      SCOPED_TRACE(one.name);
      const at::Tensor expected = made_on("cpu", one.settings);
      const at::Tensor found = made_on(device(), one.settings);
      ASSERT_EQ(found.sizes(), expected.sizes());
      EXPECT_LT(relative_rms(found, expected), one.allowed);
      EXPECT_GT(relative_rms(made_on("cpu", one.settings, 8), expected), 10 * one.allowed)
          << "any noise would do";
    }
  }

  // Half precision rounds at every step of the sampler, which enlarges it as it does any change: finite is
  // what can be asked of random weights. The autoencoder alone is held to a bound below.
  void expect_finite_in_half() {
    const char* precision = half() == Precision::fp16 ? "fp16" : "bf16";
    const at::Tensor made = made_on(device(), {{"precision", precision}});
    EXPECT_TRUE(made.isfinite().all().item<bool>());
    EXPECT_EQ(used_.at("precision"), precision);
    EXPECT_NE(relative_rms(made, made_on("cpu", nlohmann::json::object())), 0) << "it was no half";
  }

  std::unordered_map<std::string, ModelFacts> known_;
  const at::Tensor picture_ = quantized(at::rand({3, 48, 64}, at::make_generator<at::CPUGeneratorImpl>(3)));
};

class RefineOnDevice : public DiffusionOnDevice {
 protected:
  RefineOnDevice()
      : DiffusionOnDevice(refine_kind(),
                          {{"checkpoint", "tiny"}, {"guidance", 1.0}, {"steps", 4}, {"denoise", 0.5}}) {}

  Coded encoded_on(const std::string& where, const CoderTiles& tiles, Precision precision = Precision::fp32) {
    return encode_picture(*model_on(where, precision), tiles, picture_.unsqueeze(0).to(where));
  }
  Coded decoded_on(const std::string& where, const CoderTiles& tiles, const at::Tensor& latents,
                   Precision precision = Precision::fp32) {
    return decode_latents(*model_on(where, precision), tiles, latents.to(where));
  }
  std::shared_ptr<const DiffusionModel> model_on(const std::string& where, Precision precision) {
    return diffusion_.get({{"diffusion", {{"checkpoint", "tiny"}}}}, where, precision);
  }
};
UPBENCH_ON_CPU_AND_GPU(RefineOnDevice);

TEST_P(RefineOnDevice, GivesThePictureOfTheCpu) {
  const nlohmann::json tiles = {{"tile.size", 32}, {"tile.overlap", 8}};
  const auto tiled = [&](const nlohmann::json& more) {
    nlohmann::json settings = tiles;
    settings.update(more);
    return settings;
  };
  const nlohmann::json redrawn = tiled({{"tile.mode", "linear"}, {"tile.blur", 2}, {"tile.padding", 8}});
  expect_the_cpus({{"whole", nlohmann::json::object()},
                   {"drawn latents", {{"posterior", "sample"}}},
                   {"prompts", {{"prompt", "low"}, {"guidance", 5.0}}},
                   {"colours", {{"colour-fix", "wavelet"}}},
                   {"second order", {{"sampler", "heun"}}},
                   {"ControlNet", {{"control-net", "control"}, {"control-weight", 0.8}}},
                   {"merged tiles", tiled({{"tile.mode", "mixture"}})},
                   {"redrawn tiles", redrawn, kOtherLevels}});
}

TEST_P(RefineOnDevice, IsFiniteInHalfPrecision) {
  expect_finite_in_half();
}

TEST_P(RefineOnDevice, ItsAutoencoderIsTheCpusInEveryModeOfTiles) {
  for (const CoderTiles& tiles :
       std::vector<CoderTiles>{{},
                               {.mode = CoderTileMode::diffusers, .size = 32},
                               {.mode = CoderTileMode::comfy, .size = 32, .overlap = 8},
                               {.mode = CoderTileMode::fast, .size = 32},
                               {.mode = CoderTileMode::exact, .size = 32},
                               {.mode = CoderTileMode::exact, .size = 32, .maps_on_host = true}}) {
    SCOPED_TRACE(to_string(tiles.mode));
    const at::Tensor latents = encoded_on("cpu", tiles).result;
    const at::Tensor decoded = decoded_on("cpu", tiles, latents).result;
    // float32 through some twenty layers, sums in another order.
    EXPECT_LT(relative_rms(encoded_on(device(), tiles).result, latents), 1e-4);
    EXPECT_LT(relative_rms(decoded_on(device(), tiles, latents).result, decoded), 1e-4);
  }
}

TEST_P(RefineOnDevice, ItsAutoencoderStaysNearInHalfPrecision) {
  const at::Tensor latents = encoded_on("cpu", {}).result;
  const at::Tensor decoded = decoded_on("cpu", {}, latents).result;
  // Twenty layers round to 8 bits, or to 11.
  const double allowed = half() == Precision::bf16 ? 0.1 : 0.02;
  for (const auto& [made, expected] : {std::pair(encoded_on(device(), {}, half()), latents),
                                       std::pair(decoded_on(device(), {}, latents, half()), decoded)}) {
    EXPECT_LT(relative_rms(made.result, expected), allowed);
    EXPECT_GT(relative_rms(made.result, expected), 1e-5) << "it was no half";
    EXPECT_FALSE(made.repeated) << "nothing overflowed";
  }
}

class HiresOnDevice : public DiffusionOnDevice {
 protected:
  HiresOnDevice()
      : DiffusionOnDevice(hires_kind(),
                          {{"checkpoint", "tiny"}, {"guidance", 1.0}, {"steps", 3}, {"denoise", 0.6}}) {}
};
UPBENCH_ON_CPU_AND_GPU(HiresOnDevice);

TEST_P(HiresOnDevice, GivesThePictureOfTheCpu) {
  expect_the_cpus({{"latents", {{"upscaler", "latent"}, {"scale", 1.5}}},
                   {"bislerp", {{"upscaler", "latent-bislerp"}, {"scale", 1.5}}},
                   {"Lanczos", {{"upscaler", "none"}}},
                   {"a network", {{"upscaler", "compact-x2"}}, kOtherLevels},
                   {"a network, as ComfyUI", {{"upscaler", "compact-x2"}, {"order", "comfy"}}}});
}

TEST_P(HiresOnDevice, IsFiniteInHalfPrecision) {
  expect_finite_in_half();
}

class GenerateOnDevice : public DiffusionOnDevice {
 protected:
  GenerateOnDevice()
      : DiffusionOnDevice(generate_kind(), {{"checkpoint", "tiny"},
                                            {"guidance", 1.0},
                                            {"steps", 4},
                                            {"size", "64x48"},
                                            {"prompts", "none"}}) {}
};
UPBENCH_ON_CPU_AND_GPU(GenerateOnDevice);

TEST_P(GenerateOnDevice, GivesThePictureOfTheCpu) {
  expect_the_cpus({{"a1111", nlohmann::json::object()}, {"comfy", {{"as", "comfy"}}}});
}

TEST_P(GenerateOnDevice, IsFiniteInHalfPrecision) {
  expect_finite_in_half();
}

}  // namespace
}  // namespace upbench::test
