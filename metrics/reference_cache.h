#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "datasets/digest.h"
#include "metrics/catalog.h"
#include "metrics/metric.h"

namespace upbench {

// Whose features: a metric of the scorer's list and a reference, by name, size and place.
struct ReferenceKey {
  std::size_t metric = 0;
  Digest reference;
  std::int64_t height = 0, width = 0;
  std::string device = "cpu";  // where the features are

  auto operator<=>(const ReferenceKey&) const = default;
};

// Features of references, at most so many bytes of them. Made once: who asks while another thread makes them
// waits for it, and gets its exception. Thread-safe.
class ReferenceCache {
 public:
  using Features = std::shared_ptr<const ReferenceFeatures>;

  explicit ReferenceCache(std::size_t budget_bytes) : budget_(budget_bytes) {}

  Features get(const ReferenceKey& key, const std::function<ReferenceFeatures()>& make);
  Scorer::ReferenceCacheUse use() const;

 private:
  struct Entry {
    std::shared_future<Features> features;
    std::size_t bytes = 0;  // 0 while they are being made
    std::list<ReferenceKey>::iterator place;
  };
  using Entries = std::map<ReferenceKey, Entry>;

  void keep(const ReferenceKey& key, std::size_t bytes);
  void drop(Entries::iterator entry);

  const std::size_t budget_;
  mutable std::mutex mutex_;
  Entries entries_;
  std::list<ReferenceKey> order_;  // newest use first
  Scorer::ReferenceCacheUse use_;
};

}  // namespace upbench
