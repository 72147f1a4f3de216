#include <ATen/ops/arange.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include "datasets/image.h"
#include "harness/stages/stage.h"

namespace upbench {
namespace {

class Stages : public ::testing::Test {
 protected:
  Frame run(const std::string& kind, const nlohmann::json& settings, const Frame& input) {
    return make_stage(kind, "s", settings)->run(input, {models_, "cpu", planned_}, used_);
  }
  static nlohmann::json upscale(const nlohmann::json& model, const nlohmann::json& tile = "none",
                                const std::string& fit = "none") {
    return {{"model", model},         {"tile", tile},        {"overlap", 0}, {"context", 3},
            {"mode", "core-context"}, {"precision", "fp32"}, {"fit", fit}};
  }

  ModelCache models_{{.spec_dir = ".", .model_dirs = {}}, 1 << 20};
  std::unordered_map<std::string, ModelFacts> planned_;
  nlohmann::json used_;
};

TEST_F(Stages, AnInterpolatorGoesToTheWantedSize) {
  const Frame out = run("upscale", upscale("nearest"), {.rgb = at::rand({3, 4, 6}), .target = {18, 12}});
  EXPECT_EQ(out.rgb.sizes(), (std::vector<std::int64_t>{3, 12, 18}));
  EXPECT_EQ(used_["passes"][0]["scale"], 3);
}

TEST_F(Stages, AnInterpolatorWithoutAWantedSizeSaysSo) {
  EXPECT_THROW(run("upscale", upscale("lanczos"), {.rgb = at::rand({3, 4, 6})}), std::invalid_argument);
}

TEST_F(Stages, TilesLeaveTheirBoundariesInTheFrame) {
  const Frame out =
      run("upscale", upscale("nearest", 16), {.rgb = at::rand({3, 20, 40}), .target = {80, 40}});
  ASSERT_EQ(out.boundaries.size(), 3u);  // x = 32, 64 and y = 32 of the output
  for (const BoundaryRow& boundary : out.boundaries) {
    EXPECT_EQ(boundary.stage, "s");
    EXPECT_EQ(static_cast<int>(boundary.position) % 32, 0) << boundary.position;
  }
}

// Adds this to tiles that are not alone in their batch.
class Batched final : public Upscaler, public std::enable_shared_from_this<Batched> {
 public:
  explicit Batched(double drift) : drift_(drift) { info_.name = "batched"; }
  const UpscalerInfo& info() const override { return info_; }
  at::Tensor forward(const at::Tensor& batch, int scale) const override {
    return batch.repeat_interleave(scale, 2).repeat_interleave(scale, 3).add(batch.size(0) > 1 ? drift_ : 0);
  }
  std::shared_ptr<const Upscaler> to(const std::string&, Precision) const override {
    return shared_from_this();
  }

 private:
  UpscalerInfo info_;
  double drift_;
};

// Tiles of 16 with 3 more pixels at inner sides, on 100 x 40 pixels: five inner columns of one shape.
class Batches : public Stages {
 protected:
  nlohmann::json pass_of(ModelCache& models, const Frame& input) {
    const StageContext context{
        .models = models, .device = "cpu", .planned = planned_, .seed = 0, .input = {}, .tile_bytes = 1e9};
    nlohmann::json used;
    made_ = make_stage("upscale", "s", upscale("nearest", 16))->run(input, context, used).rgb;
    return used["passes"][0];
  }
  static ModelCache models_that_drift(double drift) {
    return {[drift](const nlohmann::json&) { return std::make_shared<Batched>(drift); }, 1 << 20};
  }

  const Frame wide_{.rgb = at::rand({3, 40, 100}), .target = {200, 80}};
  const at::Tensor expected_ = wide_.rgb.repeat_interleave(2, 1).repeat_interleave(2, 2);
  at::Tensor made_;
};

TEST_F(Batches, AreCheckedOncePerModel) {
  ModelCache models = models_that_drift(0);
  const Frame small{.rgb = at::rand({3, 40, 40}), .target = {80, 80}};
  EXPECT_EQ(pass_of(models, small)["batch"], 1) << "nine shapes, one tile each";
  const nlohmann::json first = pass_of(models, wide_);
  EXPECT_EQ(first["batch"], 5);
  EXPECT_EQ(first["batch_difference"], 0);
  EXPECT_TRUE(at::equal(made_, expected_));
  EXPECT_FALSE(pass_of(models, wide_).contains("batch_difference"));
}

// Row 91.
TEST_F(Batches, OfAModelThatMixesThemAreGivenUp) {
  ModelCache models = models_that_drift(0.25);
  const nlohmann::json first = pass_of(models, wide_);
  EXPECT_EQ(first["batch"], 1);
  EXPECT_NEAR(first["batch_difference"].get<double>(), 0.25, 1e-6);  // float32
  EXPECT_TRUE(at::equal(made_, expected_)) << "as if there were no batches";
  EXPECT_EQ(pass_of(models, wide_)["batch"], 1);
  EXPECT_TRUE(at::equal(made_, expected_));
}

TEST_F(Batches, NeedDeviceMemoryThatIsSetAsideForThem) {
  run("upscale", upscale("nearest", 16), wide_);
  EXPECT_EQ(used_["passes"][0]["batch"], 1);
}

TEST_F(Stages, Tf32OnACpuIsRefused) {
  nlohmann::json settings = upscale("nearest");
  settings["precision"] = "tf32";
  EXPECT_THROW(run("upscale", settings, {.rgb = at::rand({3, 4, 4}), .target = {8, 8}}),
               std::invalid_argument);
  EXPECT_EQ(parse_precision("tf32"), Precision::fp32);
}

TEST_F(Stages, ResizeScalesTheBoundariesItIsGiven) {
  const nlohmann::json half = {{"scale", 0.5},
                               {"megapixels", nullptr},
                               {"long_edge", nullptr},
                               {"size", nullptr},
                               {"kernel", "lanczos"}};
  const Frame out =
      run("resize", half,
          {.rgb = at::rand({3, 40, 80}), .boundaries = {{"s", true, 32, 2}, {"s", false, 20, 4}}});
  EXPECT_EQ(out.rgb.sizes(), (std::vector<std::int64_t>{3, 20, 40}));
  EXPECT_EQ(out.boundaries[0].position, 16);
  EXPECT_EQ(out.boundaries[1].half_width, 2);
}

TEST_F(Stages, FitReachesTheWantedSizeExactly) {
  const Frame out =
      run("upscale", upscale("nearest", "none", "a1111"), {.rgb = at::rand({3, 10, 10}), .target = {25, 25}});
  EXPECT_EQ(out.rgb.sizes(), (std::vector<std::int64_t>{3, 25, 25}));
  EXPECT_EQ(used_["fitted_by"], "lanczos");
}

TEST_F(Stages, AStageClampsWhatTheOneBeforeLeft) {
  const Frame out =
      run("upscale", upscale("nearest"), {.rgb = at::rand({3, 4, 4}) * 3 - 1, .target = {8, 8}});
  EXPECT_GE(out.rgb.min().item<float>(), 0.0F);
  EXPECT_LE(out.rgb.max().item<float>(), 1.0F);
}

TEST_F(Stages, WeightsThatAreNotThePlannedOnesAreRefused) {
  planned_[nlohmann::json("nearest").dump()] = {.label = "nearest", .tensor_hash = sha256("other weights")};
  EXPECT_THROW(run("upscale", upscale("nearest"), {.rgb = at::rand({3, 4, 4}), .target = {8, 8}}),
               std::runtime_error);
}

TEST_F(Stages, UnknownKindsAndModelsAreRefused) {
  EXPECT_THROW(make_stage("sharpen", "s", {}), std::invalid_argument);
  EXPECT_THROW(model_request(nlohmann::json::array({"a"})), std::invalid_argument);
  EXPECT_THROW(parse_precision("fp8"), std::invalid_argument);
}

}  // namespace
}  // namespace upbench
