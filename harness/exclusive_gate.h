#pragma once

#include <condition_variable>
#include <mutex>

namespace upbench {

// Trials run side by side, model time is measured alone: many may be in `shared`, one in `exclusive` with
// nobody else in. Unlike std::shared_mutex, who waits for exclusive entry goes before newcomers.
class ExclusiveGate {
 public:
  class Shared {
   public:
    explicit Shared(ExclusiveGate& gate) : gate_(gate) {
      std::unique_lock lock(gate_.mutex_);
      gate_.changed_.wait(lock, [&] { return gate_.waiting_ == 0 && !gate_.taken_; });
      ++gate_.inside_;
    }
    ~Shared() {
      const std::lock_guard lock(gate_.mutex_);
      --gate_.inside_;
      gate_.changed_.notify_all();
    }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

   private:
    ExclusiveGate& gate_;
  };

  class Exclusive {
   public:
    explicit Exclusive(ExclusiveGate& gate) : gate_(gate) {
      std::unique_lock lock(gate_.mutex_);
      ++gate_.waiting_;
      gate_.changed_.wait(lock, [&] { return gate_.inside_ == 0 && !gate_.taken_; });
      --gate_.waiting_;
      gate_.taken_ = true;
    }
    ~Exclusive() {
      const std::lock_guard lock(gate_.mutex_);
      gate_.taken_ = false;
      gate_.changed_.notify_all();
    }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;

   private:
    ExclusiveGate& gate_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int inside_ = 0, waiting_ = 0;
  bool taken_ = false;
};

}  // namespace upbench
