#include "models/catalog.h"

#include <fstream>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/resample.h"
#include "models/networks/rrdb.h"
#include "models/networks/srvgg.h"
#include "tests/models/networks/random_network.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

ModelRequest single(const std::string& name) {
  return {.kind = ModelRequest::Kind::single, .parts = {{name, 1.0}}, .label = name};
}

void write_srvgg(const std::filesystem::path& file, int scale = 2, std::uint64_t seed = 1, int features = 4) {
  std::filesystem::create_directories(file.parent_path());
  write_safetensors(file, test::random_tensors(srvgg_layout(features, 1, scale), seed));
}

TEST(Catalog, TheNullModelComesFirstAndEveryBuiltinLoads) {
  ASSERT_FALSE(builtin_models().empty());
  EXPECT_EQ(builtin_models().front().name, "nearest");
  for (const BuiltinModel& model : builtin_models()) {
    const UpscalerPtr upscaler = load_upscaler(single(model.name), {});
    EXPECT_EQ(upscaler->info().name, model.name);
    EXPECT_FALSE(upscaler->info().recognised_by.empty());
    const int scale = upscaler->info().scale == 0 ? 3 : upscaler->info().scale;
    const at::Tensor output = upscaler->forward(at::rand({2, 3, 9, 11}), scale);
    EXPECT_EQ(output.sizes(), at::IntArrayRef({2, 3, 9 * scale, 11 * scale})) << model.name;
    EXPECT_TRUE(at::isfinite(output).all().item<bool>()) << model.name;
  }
}

TEST(Catalog, TheNullModelRepeatsPixels) {
  const UpscalerPtr upscaler = load_upscaler(single("nearest"), {});
  EXPECT_EQ(upscaler->info().architecture, "null");
  const at::Tensor batch = at::rand({1, 3, 4, 5});
  EXPECT_TRUE(at::equal(upscaler->forward(batch, 3), batch.repeat_interleave(3, 2).repeat_interleave(3, 3)));
}

TEST(Catalog, AnInterpolatorIsItsKernel) {
  const UpscalerPtr upscaler = load_upscaler(single("matlab-bicubic"), {});
  EXPECT_EQ(upscaler->info().architecture, "interpolator");
  EXPECT_EQ(upscaler->info().scale, 0);
  const at::Tensor image = at::rand({3, 6, 7});
  EXPECT_TRUE(
      at::equal(upscaler->forward(image.unsqueeze(0), 2)[0], resample(image, 12, 14, "matlab-bicubic")));
  EXPECT_EQ(upscaler->to("cpu", Precision::fp16), upscaler);
}

TEST(Catalog, FilesAreFoundBesideTheSpecThenByStemUnderTheModelFolders) {
  test::TemporaryFolder folder;
  write_srvgg(folder / "spec/near.safetensors");
  write_srvgg(folder / "models/deep/far.safetensors", 3);
  const ModelSearch search{.spec_dir = folder / "spec", .model_dirs = {folder / "models"}};
  EXPECT_EQ(load_upscaler(single("near.safetensors"), search)->info().scale, 2);
  EXPECT_EQ(load_upscaler(single("far"), search)->info().scale, 3);
  EXPECT_EQ(load_upscaler(single("far.safetensors"), search)->info().scale, 3);
  EXPECT_EQ(load_upscaler(single("far"), search)->info().name, "far");
  EXPECT_EQ(load_upscaler_file(folder / "models/deep/far.safetensors")->info().name, "far");
  write_srvgg(folder / "spec/far.safetensors", 4);  // a path wins over a stem
  EXPECT_EQ(load_upscaler(single("far.safetensors"), search)->info().scale, 4);
}

TEST(Catalog, EndingsOfFilesInTheModelFoldersHaveAnyLetterCase) {
  test::TemporaryFolder folder;
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {folder / "models"}};
  int features = 3;  // tells them apart
  for (const char* name :
       {"a.safetensors", "b.SafeTensors", "c.PTH", "d.Pt", "e.CKPT", "f.pth.tar", "G.PTH.TAR"})
    write_srvgg(folder / "models" / name, 2, 1, ++features);
  write_srvgg(folder / "models/h.tar");
  features = 3;
  for (const char* stem : {"a", "b", "c", "d", "e", "f", "G"})
    EXPECT_EQ(load_upscaler(single(stem), search)->info().hyper_parameters.front(),
              (std::pair<std::string, std::string>{"features", std::to_string(++features)}))
        << stem;
  EXPECT_EQ(load_upscaler(single("f.pth.tar"), search)->info().name, "f.pth.tar");
  EXPECT_THAT([&] { load_upscaler(single("h"), search); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("unknown model 'h'")));
}

TEST(Catalog, SuggestionsAreOfFilesOfAnyLetterCase) {
  test::TemporaryFolder folder;
  write_srvgg(folder / "models/SharpPhotos.PTH.TAR");
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {folder / "models"}};
  EXPECT_THAT([&] { load_upscaler(single("sharpphoto"), search); },
              ThrowsMessage<std::invalid_argument>(testing::EndsWith("did you mean SharpPhotos?")));
}

TEST(Catalog, AKeyBehindTheFileNamesItsTensors) {
  test::TemporaryFolder folder;
  NamedTensors both;
  for (const auto& [name, tensor] : test::random_tensors(srvgg_layout(4, 1, 2), 1))
    both["small." + name] = tensor;
  for (const auto& [name, tensor] : test::random_tensors(srvgg_layout(4, 1, 3), 1))
    both["large." + name] = tensor;
  write_safetensors(folder / "both.safetensors", both);
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {folder.path()}};
  EXPECT_EQ(load_upscaler(single("both.safetensors@small"), search)->info().scale, 2);
  EXPECT_EQ(load_upscaler(single("both@large"), search)->info().scale, 3);
  EXPECT_EQ(load_upscaler(single("both@large"), search)->info().name, "both@large");
  EXPECT_EQ(load_upscaler(single("both@large"), search)->info().dialect, "large");
  EXPECT_THAT([&] { load_upscaler(single("both@medium"), search); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no tensors under the key 'medium'")));
  EXPECT_THAT([&] { load_upscaler(single("none@large"), search); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("unknown model 'none@large'")));
}

TEST(Catalog, TwoFilesOfOneStemAreAnError) {
  test::TemporaryFolder folder;
  write_srvgg(folder / "models/a/net.safetensors");
  write_srvgg(folder / "models/b/net.safetensors");
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {folder / "models"}};
  EXPECT_THAT(
      [&] { load_upscaler(single("net"), search); },
      ThrowsMessage<std::invalid_argument>(testing::AllOf(
          HasSubstr("model 'net' is both"), HasSubstr("a/net.safetensors"), HasSubstr("b/net.safetensors"))));
}

TEST(Catalog, OneFileReachedTwiceIsOneHit) {
  test::TemporaryFolder folder;
  write_srvgg(folder / "models/net.safetensors");
  std::filesystem::create_symlink(folder / "models/net.safetensors", folder / "models/link.safetensors");
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {folder / "models", folder / "models"}};
  EXPECT_EQ(load_upscaler(single("net"), search)->info().scale, 2);
}

TEST(Catalog, UnknownNamesSuggestTheNearest) {
  test::TemporaryFolder folder;
  write_srvgg(folder / "models/RealESRGAN_x4plus.safetensors");
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {folder / "models"}};
  const auto refuses = [&](const char* name, const char* message) {
    EXPECT_THAT([&] { load_upscaler(single(name), search); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
  };
  refuses("lanczso", "unknown model 'lanczso'");
  refuses("lanczso", "did you mean lanczos");
  refuses("realesrgan_x4plu", "did you mean RealESRGAN_x4plus?");
  refuses("x4plus", "did you mean RealESRGAN_x4plus?");
  refuses("something-else-entirely", "not built in (nearest, ");
  EXPECT_THAT([&] { load_upscaler(single("a"), {.spec_dir = {}, .model_dirs = {folder / "none"}}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("is no folder of models")));
}

TEST(Catalog, ARefusedFileIsNamed) {
  test::TemporaryFolder folder;
  std::ofstream(folder / "text.pth") << "hello, world";
  write_safetensors(folder / "other.safetensors", {{"a", at::zeros({1})}});
  EXPECT_THAT([&] { load_upscaler_file(folder / "text.pth"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("text.pth: is no checkpoint")));
  EXPECT_THAT([&] { load_upscaler_file(folder / "other.safetensors"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("other.safetensors: unknown architecture")));
}

TEST(Catalog, ChainsAndBlendsAreBuiltFromTheirParts) {
  test::TemporaryFolder folder;
  write_srvgg(folder / "a.safetensors", 2, 1);
  write_srvgg(folder / "b.safetensors", 2, 2);
  const ModelSearch search{.spec_dir = folder.path(), .model_dirs = {}};
  const UpscalerPtr chain = load_upscaler({.kind = ModelRequest::Kind::chain,
                                           .parts = {{"a.safetensors", 1}, {"b.safetensors", 1}},
                                           .label = "a+b"},
                                          search);
  EXPECT_EQ(chain->info().scale, 4);
  EXPECT_EQ(chain->info().name, "a+b");
  const UpscalerPtr blend = load_upscaler({.kind = ModelRequest::Kind::blend,
                                           .parts = {{"a.safetensors", 0.5}, {"b.safetensors", 0.5}},
                                           .label = "half"},
                                          search);
  EXPECT_EQ(blend->info().architecture, "SRVGGNetCompact");
  EXPECT_THAT(
      [&] {
        load_upscaler({.kind = ModelRequest::Kind::blend,
                       .parts = {{"a.safetensors", 0.5}, {"lanczos", 0.5}},
                       .label = "x"},
                      search);
      },
      ThrowsMessage<std::invalid_argument>(HasSubstr("'lanczos' has no weights to average")));
}

}  // namespace
}  // namespace upbench
