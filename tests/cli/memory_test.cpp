#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/support/assets.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

// Peak resident megabytes of a sweep over this many pictures.
double peak_megabytes(int pictures) {
  const TemporaryFolder folder;
  write_text((folder / "spec.yaml").string(),
             "name: memory\nimages: {procedural: {count: " + std::to_string(pictures) +
                 ", size: 512, seed: 3, classes: [smooth-shading]}, lr: {scale: 2}}\n"
                 "pipeline: [{upscale: {model: nearest}}]\nmetrics: [psnr-y]\ntiming: none\n");
  const pid_t process = start_upbench({"run", "spec.yaml", "--keep-outputs", "none"}, folder.path().string());
  int status = 0;
  rusage usage{};
  if (wait4(process, &status, 0, &usage) != process || status != 0) ADD_FAILURE() << "the run did not finish";
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

TEST(Memory, OfASweepDoesNotGrowWithTheNumberOfPictures) {
  // 90 pictures (3.9 MB each, decoded) are far more than the cache holds; 180 would need 350 MB more if
  // anything kept them.
  const double some = peak_megabytes(90), twice = peak_megabytes(180);
  EXPECT_LT(twice, some + 60) << some << " MB, then " << twice
                              << " MB";  // 60: what the allocator keeps between two runs
}

}  // namespace
}  // namespace upbench::test
