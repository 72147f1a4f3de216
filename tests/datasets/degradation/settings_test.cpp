#include "datasets/degradation/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/datasets/picture_files.h"

namespace upbench::test {
namespace {

using testing::HasSubstr;

DegradeText canonical(const DegradeText& keys) {
  return canonical_degradation(parse_degradation(keys));
}

TEST(DegradeSettings, CanonicalTextFillsDefaultsAndDropsWhatHasNoEffect) {
  struct Case {
    DegradeText written, canonical;
  };
  const std::vector<Case> cases{
      {{}, {}},
      {{{"jpeg", "60"}}, {{"jpeg", "60"}}},
      {{{"webp", "0"}, {"jpeg", "60"}}, {{"jpeg", "60"}, {"webp", "0"}}},
      {{{"blur.sigma", "1.20"}}, {{"blur.kind", "gaussian"}, {"blur.sigma", "1.2"}, {"blur.size", "21"}}},
      {{{"blur.sigma", "2"}, {"blur.sigma2", "2"}, {"blur.angle", "30"}, {"blur.beta", "3"}},
       {{"blur.kind", "gaussian"}, {"blur.sigma", "2"}, {"blur.size", "21"}}},
      {{{"blur.kind", "plateau"}, {"blur.sigma", "2"}, {"blur.sigma2", "1"}, {"blur.size", "9"}},
       {{"blur.kind", "plateau"},
        {"blur.sigma", "2"},
        {"blur.sigma2", "1"},
        {"blur.angle", "0"},
        {"blur.beta", "1"},
        {"blur.size", "9"}}},
      {{{"blur.kind", "sinc"}, {"blur.cutoff", "0.5"}, {"blur.sigma", "1"}},
       {{"blur.kind", "sinc"}, {"blur.cutoff", "0.5"}, {"blur.size", "21"}}},
      {{{"noise.gaussian", "5"}, {"noise.poisson", "0"}}, {{"noise.gaussian", "5"}, {"noise.grey", "false"}}},
      {{{"noise.gaussian", "0"}, {"noise.grey", "true"}}, {}},
      {{{"scale", "1"}, {"kernel", "lanczos"}}, {}},
      {{{"scale", "4"}}, {{"scale", "4"}, {"kernel", "matlab-bicubic"}}},
      {{{"real-esrgan", "0.5"}, {"scale", "4"}}, {{"scale", "4"}, {"real-esrgan", "0.5"}}},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(canonical(each.written), each.canonical);
    EXPECT_EQ(canonical(each.canonical), each.canonical);  // it reads its own text
  }
}

TEST(DegradeSettings, WrongRequestsAreRefusedByName) {
  struct Case {
    DegradeText written;
    const char* message;
  };
  const std::vector<Case> cases{
      {{{"blurr", "1"}}, "unknown key 'blurr'; known: scale, blur.sigma"},
      {{{"jpeg", "0"}}, "jpeg: '0': expected a whole number from 1 to 100"},
      {{{"jpeg", "50.5"}}, "expected a whole number"},
      {{{"jpeg", "60 "}}, "expected a whole number"},
      {{{"jpeg", "nan"}}, "expected a whole number"},
      {{{"jpeg", "60"}, {"jpeg", "60"}}, "jpeg is given twice"},
      {{{"noise.gaussian", "-1"}}, "noise.gaussian: '-1': expected a number from 0 to 255"},
      {{{"noise.grey", "yes"}}, "true or false"},
      {{{"blur.kind", "box"}, {"blur.sigma", "1"}}, "one of gaussian, generalised, plateau, sinc"},
      {{{"blur.kind", "plateau"}}, "blur needs blur.sigma"},
      {{{"blur.kind", "sinc"}}, "needs blur.cutoff"},
      {{{"blur.sigma", "1"}, {"blur.size", "20"}}, "blur.size: '20': expected an odd number"},
      {{{"scale", "0.5"}}, "scale: '0.5'"},
      {{{"scale", "2"}, {"kernel", "cubic"}}, "unknown resampling kernel 'cubic'"},
      {{{"real-esrgan", "1.5"}}, "real-esrgan: '1.5': expected a number from 0 to 1"},
      {{{"real-esrgan", "0.5"}, {"jpeg", "50"}}, "real-esrgan is a whole chain"},
      {{{"real-esrgan", "0.5"}, {"kernel", "area"}}, "kernel has no effect with real-esrgan"},
  };
  for (const Case& each : cases)
    EXPECT_THAT(refusal([&] { canonical(each.written); }), HasSubstr(each.message));
  EXPECT_THROW(canonical_degradation({.jpeg = 0}), std::invalid_argument);
  EXPECT_THROW(canonical_degradation({.blur = BlurSettings{}}), std::invalid_argument);
}

TEST(DegradeSettings, EveryKeyIsListedAndUnderstood) {
  for (const DegradationKey& key : degradation_keys()) {
    EXPECT_FALSE(key.description.empty());
    EXPECT_THAT(refusal([&] { parse_degradation({{key.name, "?"}}); }),
                testing::AllOf(testing::Not(HasSubstr("unknown key")), HasSubstr("?")))
        << key.name;
  }
}

TEST(DegradeSettings, SizesAreRoundedAsAResizeRoundsThem) {
  const DegradedSize size = degraded_size({.scale = 4}, 30, 41);
  EXPECT_EQ(size.height, 8);  // 7.5
  EXPECT_EQ(size.width, 10);
  EXPECT_EQ(degraded_size({.scale = 16}, 3, 3).width, 1);
}

}  // namespace
}  // namespace upbench::test
