#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/device/pixels.h"
#include "datasets/image.h"
#include "datasets/resampling/levels.h"
#include "metrics/catalog.h"
#include "metrics/device_scoring.h"
#include "metrics/reference_cache.h"

namespace upbench {
namespace {

struct Entry {
  MetricRequest request;
  int border = 0;
  ScoreFunction function;  // empty: skipped
  std::string missing;     // why
};

struct Pair {
  Image output, reference;
};

Entry make_entry(MetricRequest request, int default_border) {
  Entry entry;
  entry.border = request.border >= 0 ? request.border : request.metric->cuts_border ? default_border : 0;
  entry.function = request.metric->make(entry.missing);
  entry.request = std::move(request);
  return entry;
}

void require_pair(const Image& output, const Image& reference) {
  require_image(output, "output to score");
  require_image(reference, "reference to score against");
  if (output.sizes() == reference.sizes()) return;
  throw std::invalid_argument(
      fmt::format("cannot score: the output is {}x{}, the reference {}x{}; expected one size", output.size(2),
                  output.size(1), reference.size(2), reference.size(1)));
}

// Metrics run on the CPU; pictures on another device are brought here once.
Pair on_cpu(const Image& output, const Image& reference) {
  return {output.detach().to(at::kCPU).contiguous(), reference.detach().to(at::kCPU).contiguous()};
}

// One pass: a NaN becomes both the smallest and the largest value.
bool all_finite(const Image& image) {
  const auto [smallest, largest] = at::aminmax(image);
  return std::isfinite(smallest.item<float>()) && std::isfinite(largest.item<float>());
}

// What is wrong with the values themselves; empty: nothing. Clamping would hide it.
std::string broken(const Pair& pair) {
  if (!all_finite(pair.output)) return "the output holds NaN or infinite values";
  if (!all_finite(pair.reference)) return "the reference holds NaN or infinite values";
  return {};
}

// quantized() of a picture in CPU memory, in two passes instead of seven.
Image rounded(const Image& image) {
  Image copy = image.clone();
  round_to_levels(copy.mutable_data_ptr<float>(), static_cast<std::size_t>(copy.numel()));
  return copy;
}

Image cut(const Image& image, int border) {
  return image.narrow(1, border, image.size(1) - 2 * border).narrow(2, border, image.size(2) - 2 * border);
}

Score failed(std::string reason) {
  return {.flag = ScoreFlag::failed, .reason = std::move(reason)};
}

Score run(const Entry& entry, const Pair& pair, const FeatureSource& features) {
  if (2 * entry.border >= std::min(pair.output.size(1), pair.output.size(2)))
    return {.flag = ScoreFlag::undefined,
            .reason = fmt::format("nothing is left after a cut of {} pixels", entry.border)};
  try {
    Score score = entry.function(cut(pair.output, entry.border), cut(pair.reference, entry.border), features);
    if (score.flag == ScoreFlag::ok && !std::isfinite(score.value))
      return failed("the score is not a finite number");
    return score;
  } catch (const c10::Error& error) {
    return failed(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

std::shared_ptr<const ReferenceFeatures> made(const std::function<ReferenceFeatures()>& make) {
  return std::make_shared<const ReferenceFeatures>(make());
}

}  // namespace

Score ScoreFunction::operator()(const Image& output, const Image& reference) const {
  return score_(output, reference, made);
}

struct Scorer::Impl {
  explicit Impl(std::size_t cache_bytes) : references(cache_bytes) {}

  FeatureSource features_of(std::size_t metric, const Image& reference, const Digest& name) {
    if (name.is_zero()) return made;
    const ReferenceKey key{metric, name, reference.size(1), reference.size(2), reference.device().str()};
    return [this, key](const std::function<ReferenceFeatures()>& make) { return references.get(key, make); };
  }

  std::vector<Result> score_there(const Image& output, const Image& reference,
                                  const std::vector<std::size_t>& which, const Digest& reference_name);

  std::vector<Entry> entries;
  std::vector<MetricRequest> requests;
  ReferenceCache references;
};

// Where the pictures are. Metrics share passes and one wait: each gets an equal part of the time.
std::vector<Scorer::Result> Scorer::Impl::score_there(const Image& output, const Image& reference,
                                                      const std::vector<std::size_t>& which,
                                                      const Digest& reference_name) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<Result> results(which.size());
  std::vector<ScoreTask> tasks;
  for (std::size_t i = 0; i < which.size(); ++i) {
    const Entry& entry = entries.at(which[i]);
    if (!entry.function)
      results[i].score = {.flag = ScoreFlag::skipped, .reason = entry.missing};
    else
      tasks.push_back({.function = &entry.function,
                       .signals = &entry.request.metric->signals,
                       .border = entry.border,
                       .quantize = entry.request.quantize,
                       .features = features_of(which[i], reference, reference_name)});
  }
  if (tasks.empty()) return results;
  std::vector<Score> scores = score_on_device(output, reference, tasks);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (std::size_t i = 0, next = 0; i < which.size(); ++i)
    if (entries[which[i]].function)
      results[i] = {.score = std::move(scores[next++]),
                    .seconds = seconds.count() / static_cast<double>(tasks.size())};
  return results;
}

Scorer::Scorer(std::vector<MetricRequest> requests, int default_border, std::size_t reference_cache_bytes) {
  auto impl = std::make_unique<Impl>(reference_cache_bytes);
  for (const MetricRequest& request : requests) impl->entries.push_back(make_entry(request, default_border));
  impl->requests = std::move(requests);
  impl_ = impl.release();
}

Scorer::~Scorer() {
  delete impl_;
}
Scorer::Scorer(Scorer&& other) noexcept : impl_(std::exchange(other.impl_, nullptr)) {}

std::vector<Scorer::Result> Scorer::score(const Image& output, const Image& reference) const {
  std::vector<std::size_t> all(impl_->entries.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return score(output, reference, all);
}

std::vector<Scorer::Result> Scorer::score(const Image& output, const Image& reference,
                                          const std::vector<std::size_t>& which,
                                          const Digest& reference_name) const {
  require_pair(output, reference);
  if (is_remote(output.device())) return impl_->score_there(output, reference, which, reference_name);
  const Pair pair = on_cpu(output, reference);
  const std::string problem = broken(pair);
  std::optional<Pair> saved, unrounded;  // each made when the first metric asks for it

  std::vector<Result> results;
  for (std::size_t index : which) {
    const Entry& entry = impl_->entries.at(index);
    if (!entry.function) {
      results.push_back({.score = {.flag = ScoreFlag::skipped, .reason = entry.missing}});
      continue;
    }
    if (!problem.empty()) {
      results.push_back({.score = failed(problem)});
      continue;
    }
    if (entry.request.quantize && !saved) saved = Pair{rounded(pair.output), rounded(pair.reference)};
    if (!entry.request.quantize && !unrounded)
      unrounded = Pair{pair.output.clamp(0, 1), pair.reference.clamp(0, 1)};
    const auto start = std::chrono::steady_clock::now();
    Score score = run(entry, entry.request.quantize ? *saved : *unrounded,
                      impl_->features_of(index, reference, reference_name));
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    results.push_back({.score = std::move(score), .seconds = seconds.count()});
  }
  return results;
}

const std::vector<MetricRequest>& Scorer::requests() const {
  return impl_->requests;
}

int Scorer::border(std::size_t request) const {
  return impl_->entries.at(request).border;
}

Scorer::ReferenceCacheUse Scorer::reference_cache_use() const {
  return impl_->references.use();
}

}  // namespace upbench
