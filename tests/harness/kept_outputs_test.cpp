#include "harness/kept_outputs.h"

#include <atomic>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "datasets/codec/encode.h"
#include "tests/harness/faulty_sweep.h"

// Kept pictures that are read back: `run --verify`.
namespace upbench {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

TEST(KeptOutputs, PicturesInGreyAndInColourComeBack) {
  const test::TemporaryFolder folder;
  const KeptOutputs kept(folder.path(), require_decodes_to);
  for (const int channels : {1, 3}) {  // maps of artifacts are grey
    Raster raster{.width = 5, .height = 3, .channels = channels};
    for (int i = 0; i < 15 * channels; ++i) raster.samples.push_back(static_cast<std::uint8_t>(7 * i));
    EXPECT_TRUE(std::filesystem::exists(folder / kept.keep(raster, pixel_digest(raster)))) << channels;
  }
}

TEST(KeptOutputs, AFileThatIsRefusedIsNotLeft) {
  const test::TemporaryFolder folder;
  const KeptOutputs kept(folder.path(), [](std::span<const std::uint8_t>, const Raster&) {
    throw std::runtime_error("another picture");
  });
  const Raster raster{.width = 1, .height = 1, .samples = {1, 2, 3}};
  EXPECT_THAT([&] { kept.keep(raster, pixel_digest(raster)); },
              testing::ThrowsMessage<std::runtime_error>(EndsWith(".png: another picture")));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    EXPECT_TRUE(entry.is_directory()) << entry.path();
}

class VerifiedOutputs : public test::FaultySweep {
 protected:
  WorkerResult run_verified(const Sweep& asked, PictureCheck check, KeepOutputs keep = KeepOutputs::all,
                            bool only_failed = false) {
    Store store(file());
    WorkerOptions worker = options(test::as_it_is);
    worker.keep_outputs = keep;
    worker.only_failed = only_failed;
    worker.verify = std::move(check);
    worker.on_notice = [this](const std::string& text) { notices_.push_back(text); };
    return run_sweep(asked, store, worker);
  }
};

TEST_F(VerifiedOutputs, APictureThatDoesNotComeBackFailsItsTrialAlone) {
  const Sweep asked = sweep();
  std::atomic<int> pictures = 0;
  const WorkerResult result =
      run_verified(asked, [&](std::span<const std::uint8_t> file, const Raster& raster) {
        Raster meant = raster;
        if (pictures++ == 0) meant.samples[0] ^= 1;
        require_decodes_to(file, meant);
      });
  EXPECT_EQ(result.progress.failed, 1U);
  EXPECT_EQ(result.progress.ok, kPictures - 1U);
  EXPECT_THAT(reasons(asked),
              ElementsAre(AllOf(HasSubstr("s.db.outputs/"),
                                HasSubstr(".png: what was written decodes to another picture"))));
  EXPECT_EQ(pictures.load(), 1 + 3 * (kPictures - 1)) << "output, input and reference of the others";
  EXPECT_TRUE(notices_.empty());

  const WorkerResult again = run_verified(asked, require_decodes_to, KeepOutputs::all, true);
  EXPECT_EQ(again.executed, 1U);
  EXPECT_EQ(again.progress.ok, kPictures + 0U);
}

TEST_F(VerifiedOutputs, WhereNothingIsKeptTheRunSaysSo) {
  const WorkerResult result = run_verified(sweep(), require_decodes_to, KeepOutputs::none);
  EXPECT_EQ(result.progress.ok, kPictures + 0U);
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("--verify has none to read back")));
}

}  // namespace
}  // namespace upbench
