#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace upbench {

// Values made once and shared by threads, least recently used ones dropped above a budget. What is dropped
// while somebody still holds it is found again, not made twice. A key asked for while another thread makes it
// waits for that thread; a maker's exception reaches every waiter and nothing is kept. Thread-safe.
template <typename Key, typename Value>
class SharedCache {
 public:
  using Pointer = std::shared_ptr<const Value>;
  struct Made {
    Pointer value;
    std::size_t bytes = 0;
  };

  explicit SharedCache(std::size_t budget_bytes) : budget_(budget_bytes) {}

  Pointer get(const Key& key, const std::function<Made()>& make) {
    std::promise<Pointer> promise;
    {
      std::unique_lock lock(mutex_);
      if (const auto found = entries_.find(key); found != entries_.end()) {
        order_.splice(order_.begin(), order_, found->second.place);
        const std::shared_future<Pointer> future = found->second.future;
        lock.unlock();
        return future.get();
      }
      order_.push_front(key);
      entries_[key] = Entry{promise.get_future().share(), 0, order_.begin()};
      if (const Made held = take_dropped(key); held.value) {
        promise.set_value(held.value);
        keep(key, held.bytes);
        return held.value;
      }
      ++made_;
    }
    try {
      Made made = make();
      promise.set_value(made.value);
      const std::lock_guard lock(mutex_);
      keep(key, made.bytes);
      return made.value;
    } catch (...) {
      promise.set_exception(std::current_exception());
      const std::lock_guard lock(mutex_);
      erase(key);
      throw;
    }
  }

  bool has(const Key& key) const {  // or is making it
    const std::lock_guard lock(mutex_);
    return entries_.contains(key);
  }

  std::size_t made() const {  // how often a value had to be made
    const std::lock_guard lock(mutex_);
    return made_;
  }

 private:
  struct Entry {
    std::shared_future<Pointer> future;
    std::size_t bytes = 0;  // 0 while it is being made
    typename std::list<Key>::iterator place;
  };
  struct Dropped {
    std::weak_ptr<const Value> value;
    std::size_t bytes = 0;
  };

  void keep(const Key& key, std::size_t bytes) {
    entries_.at(key).bytes = bytes;
    used_ += bytes;
    if (used_ <= budget_) return;
    std::erase_if(dropped_, [](const auto& entry) { return entry.second.value.expired(); });
    for (auto oldest = order_.end(); used_ > budget_ && oldest != order_.begin();) {
      --oldest;
      const auto entry = entries_.find(*oldest);
      if (entry->second.bytes == 0) continue;
      const Key victim = *oldest;
      ++oldest;
      dropped_[victim] = {entry->second.future.get(), entry->second.bytes};
      erase(victim);
    }
  }

  // No value: nobody holds it any more, or it was never dropped.
  Made take_dropped(const Key& key) {
    const auto found = dropped_.find(key);
    if (found == dropped_.end()) return {};
    const Made held{found->second.value.lock(), found->second.bytes};
    dropped_.erase(found);
    return held;
  }

  void erase(const Key& key) {
    const auto entry = entries_.find(key);
    used_ -= entry->second.bytes;
    order_.erase(entry->second.place);
    entries_.erase(entry);
  }

  const std::size_t budget_;
  mutable std::mutex mutex_;
  std::size_t used_ = 0, made_ = 0;
  std::list<Key> order_;  // most recently used first
  std::unordered_map<Key, Entry> entries_;
  std::unordered_map<Key, Dropped> dropped_;
};

}  // namespace upbench
