#include "metrics/reference_cache.h"

#include <exception>
#include <utility>

#include <ATen/core/Tensor.h>

namespace upbench {
namespace {

std::size_t bytes_of(const ReferenceFeatures& features) {
  std::size_t bytes = 0;
  for (const at::Tensor& tensor : features) bytes += tensor.nbytes();
  return bytes;
}

}  // namespace

ReferenceCache::Features ReferenceCache::get(const ReferenceKey& key,
                                             const std::function<ReferenceFeatures()>& make) {
  std::promise<Features> promise;
  {
    std::unique_lock lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      ++use_.hits;
      order_.splice(order_.begin(), order_, found->second.place);
      const std::shared_future<Features> features = found->second.features;
      lock.unlock();
      return features.get();
    }
    ++use_.misses;
    order_.push_front(key);
    entries_.emplace(key, Entry{promise.get_future().share(), 0, order_.begin()});
  }
  try {
    const auto features = std::make_shared<const ReferenceFeatures>(make());
    promise.set_value(features);
    const std::lock_guard lock(mutex_);
    keep(key, bytes_of(*features));
    return features;
  } catch (...) {
    promise.set_exception(std::current_exception());
    const std::lock_guard lock(mutex_);
    drop(entries_.find(key));
    throw;
  }
}

Scorer::ReferenceCacheUse ReferenceCache::use() const {
  const std::lock_guard lock(mutex_);
  return use_;
}

// A sweep scores its pictures one after the other, many times over. Were the ones dropped that were not used
// for longest, a set that does not fit would never find one again. So the newest stay, which the threads at
// work share, and of the others the newest goes first.
void ReferenceCache::keep(const ReferenceKey& key, std::size_t bytes) {
  constexpr std::size_t kAtWork = 2;
  entries_.at(key).bytes = bytes;
  use_.bytes += bytes;
  while (use_.bytes > budget_) {
    auto victim = order_.end();
    std::size_t rank = 0;
    for (auto place = order_.begin(); place != order_.end(); ++place) {
      if (entries_.at(*place).bytes == 0) continue;
      victim = place;
      if (++rank > kAtWork) break;
    }
    drop(entries_.find(*victim));
  }
}

void ReferenceCache::drop(Entries::iterator entry) {
  use_.bytes -= entry->second.bytes;
  order_.erase(entry->second.place);
  entries_.erase(entry);
}

}  // namespace upbench
