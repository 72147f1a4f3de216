// What is kept of references between scores: the same scores bit for bit, within the bytes allowed.
#include "metrics/reference_cache.h"

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "metrics/catalog.h"
#include "tests/metrics/pictures.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using test::noisy;
using test::ScopedVariable;
using test::textured;

ReferenceKey key(int number) {
  return {.metric = 0, .reference = sha256(std::to_string(number)), .height = 10, .width = 10};
}

constexpr std::size_t kBytes = 400;  // of what features() makes

ReferenceFeatures features(float value = 0) {
  return {at::full({60}, value), at::full({40}, value)};
}

float value_of(const ReferenceCache::Features& found) {
  return found->at(0)[0].item<float>();
}

TEST(ReferenceCache, MakesFeaturesOnceForEachKey) {
  ReferenceCache cache(10 * kBytes);
  for (const float round : {0.0F, 1.0F})
    for (int i = 0; i < 3; ++i) {
      const auto found = cache.get(key(i), [&] { return features(static_cast<float>(i) + 10 * round); });
      EXPECT_EQ(value_of(found), static_cast<float>(i));
    }
  EXPECT_EQ(cache.use().hits, 3u);
  EXPECT_EQ(cache.use().misses, 3u);
  EXPECT_EQ(cache.use().bytes, 3 * kBytes);
}

TEST(ReferenceCache, TellsMetricsNamesAndSizesApart) {
  ReferenceCache cache(10 * kBytes);
  const ReferenceKey plain = key(1);
  std::array<ReferenceKey, 5> keys{plain, plain, plain, plain, key(2)};
  keys[1].metric = 1;
  keys[2].height = 11;
  keys[3].width = 11;
  for (std::size_t i = 0; i < keys.size(); ++i)
    cache.get(keys[i], [&] { return features(static_cast<float>(i)); });
  for (std::size_t i = 0; i < keys.size(); ++i)
    EXPECT_EQ(value_of(cache.get(keys[i], [] { return features(-1); })), static_cast<float>(i));
}

TEST(ReferenceCache, NeverHoldsMoreThanItsBudget) {
  ReferenceCache cache(5 * kBytes + 1);
  for (int i = 0; i < 50; ++i) {
    cache.get(key(i % 13), [] { return features(); });
    EXPECT_LE(cache.use().bytes, 5 * kBytes + 1);
  }
  EXPECT_EQ(cache.use().bytes, 5 * kBytes);
}

TEST(ReferenceCache, GivesWhatIsLargerThanItsBudgetWithoutKeepingIt) {
  for (const std::size_t budget : {std::size_t{0}, kBytes - 1}) {
    ReferenceCache cache(budget);
    for (const float value : {1.0F, 2.0F})
      EXPECT_EQ(value_of(cache.get(key(1), [&] { return features(value); })), value);
    EXPECT_EQ(cache.use().bytes, 0u);
    EXPECT_EQ(cache.use().hits, 0u);
  }
}

// As a sweep asks: picture after picture, again and again. Room for 8 of 10; a cache that drops what was not
// used for longest would never hit.
TEST(ReferenceCache, FindsMostPicturesOfASetThatDoesNotQuiteFit) {
  ReferenceCache cache(8 * kBytes);
  for (int round = 0; round < 10; ++round)
    for (int i = 0; i < 10; ++i) cache.get(key(i), [] { return features(); });
  EXPECT_GE(cache.use().hits, 60u);
}

TEST(ReferenceCache, GivesWaitingThreadsTheFeaturesOfTheOneThatMakesThem) {
  ReferenceCache cache(10 * kBytes);
  std::atomic<int> made = 0;
  std::array<ReferenceCache::Features, 4> found;
  std::vector<std::thread> threads;
  for (auto& mine : found)
    threads.emplace_back([&] {
      mine = cache.get(key(1), [&] {
        ++made;
        while (cache.use().hits < found.size() - 1) std::this_thread::yield();  // until all others wait
        return features();
      });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  for (const auto& one : found) EXPECT_EQ(one, found[0]);
}

TEST(ReferenceCache, ForgetsWhatCouldNotBeMade) {
  ReferenceCache cache(10 * kBytes);
  const auto failing = []() -> ReferenceFeatures { throw std::runtime_error("out of ink"); };
  EXPECT_THROW(cache.get(key(1), failing), std::runtime_error);
  EXPECT_EQ(value_of(cache.get(key(1), [] { return features(3); })), 3);
  EXPECT_EQ(cache.use().bytes, kBytes);
}

Scorer lpips_scorer(std::size_t bytes = Scorer::kReferenceCacheBytes) {
  return Scorer({parse_metric("lpips-alex"), parse_metric("lpips-squeeze"), parse_metric("lpips-alex@b5"),
                 parse_metric("lpips-alex@float"), parse_metric("psnr-y")},
                0, bytes);
}

const std::vector<std::size_t> kAll{0, 1, 2, 3, 4};

void expect_equal_scores(const std::vector<Scorer::Result>& a, const std::vector<Scorer::Result>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].score.flag, ScoreFlag::ok);
    EXPECT_EQ(a[i].score.value, b[i].score.value) << i;  // to the last bit
  }
}

TEST(KeptReferences, GiveTheSameScoresBitForBit) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Scorer keeping = lpips_scorer();
  const Image reference = textured(70, 90, 1) * 0.99;  // not 8-bit: @float sees another picture
  const Digest name = sha256("reference");
  for (int i = 0; i < 3; ++i) {
    const Image output = noisy(reference, 10, static_cast<std::uint64_t>(i) + 2);
    expect_equal_scores(keeping.score(output, reference, kAll, name), keeping.score(output, reference));
  }
  EXPECT_EQ(keeping.reference_cache_use().misses, 4u);  // of each LPIPS its own
  EXPECT_EQ(keeping.reference_cache_use().hits, 8u);
}

TEST(KeptReferences, AreNeverTakenForThoseOfAnother) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Scorer keeping = lpips_scorer();
  const Image whole = textured(80, 96, 1), other = textured(80, 96, 2);
  const Image cut = whole.narrow(1, 0, 72).narrow(2, 0, 90).contiguous();  // the same file for another scale
  for (int round = 0; round < 2; ++round)
    for (const auto& [reference, name] :
         {std::pair{whole, "one"}, std::pair{other, "two"}, std::pair{cut, "one"}}) {
      const Image output = noisy(reference, 12, 3);
      expect_equal_scores(keeping.score(output, reference, kAll, sha256(name)),
                          keeping.score(output, reference));
    }
  EXPECT_EQ(keeping.reference_cache_use().misses, 12u);
  EXPECT_EQ(keeping.reference_cache_use().hits, 12u);
}

TEST(KeptReferences, StayWithinTheBytesAllowed) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  constexpr std::size_t kAllowed = 3u << 20;
  const Scorer keeping = lpips_scorer(kAllowed);
  for (int i = 0; i < 6; ++i) {
    const Image reference = textured(96, 96, static_cast<std::uint64_t>(i));
    const Image output = noisy(reference, 8, 50);
    expect_equal_scores(keeping.score(output, reference, kAll, sha256(std::to_string(i))),
                        keeping.score(output, reference));
    EXPECT_LE(keeping.reference_cache_use().bytes, kAllowed);
  }
  EXPECT_GT(keeping.reference_cache_use().bytes, 0u);
}

TEST(KeptReferences, AreNoneWithoutAName) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  const Scorer keeping = lpips_scorer();
  const Image reference = textured(64, 64, 1);
  keeping.score(noisy(reference, 9, 2), reference, kAll);
  EXPECT_EQ(keeping.reference_cache_use().misses, 0u);
  EXPECT_EQ(keeping.reference_cache_use().bytes, 0u);
}

TEST(KeptReferences, GiveTheSameScoresFromTwoThreads) {
  UPBENCH_NEEDS_ASSETS();
  const ScopedVariable assets("UPBENCH_ASSETS", test::assets().c_str());
  constexpr std::size_t kFew = 4u << 20;  // so that references are dropped and made again meanwhile
  const Scorer keeping = lpips_scorer(kFew);
  constexpr int kPictures = 6;
  std::vector<Image> references, outputs;
  std::vector<std::vector<Scorer::Result>> expected;
  for (int i = 0; i < kPictures; ++i) {
    references.push_back(textured(64, 80, static_cast<std::uint64_t>(i)));
    outputs.push_back(noisy(references.back(), 15, 9));
    expected.push_back(keeping.score(outputs.back(), references.back()));
  }
  const auto work = [&](int step) {
    for (int i = 0, at = 0; i < 4 * kPictures; ++i, at = (at + step) % kPictures)
      expect_equal_scores(keeping.score(outputs[at], references[at], kAll, sha256(std::to_string(at))),
                          expected[at]);
  };
  std::thread first(work, 1), second(work, 5);
  first.join();
  second.join();
}

}  // namespace
}  // namespace upbench
