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

// Values made once and shared by threads, least recently used ones dropped above a budget. A key asked for
// while another thread makes it waits for that thread; a maker's exception reaches every waiter and nothing
// is kept. Thread-safe.
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
      ++made_;
    }
    try {
      Made made = make();
      promise.set_value(made.value);
      keep(key, made.bytes);
      return made.value;
    } catch (...) {
      promise.set_exception(std::current_exception());
      const std::lock_guard lock(mutex_);
      erase(key);
      throw;
    }
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

  void keep(const Key& key, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    entries_.at(key).bytes = bytes;
    used_ += bytes;
    for (auto oldest = order_.end(); used_ > budget_ && oldest != order_.begin();) {
      --oldest;
      const auto entry = entries_.find(*oldest);
      if (entry->second.bytes == 0) continue;
      const Key victim = *oldest;
      ++oldest;
      erase(victim);
    }
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
};

}  // namespace upbench
