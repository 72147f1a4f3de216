#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace upbench {

// work(0) .. work(count - 1) on the processors, in no order; returns when all have ended. The first exception
// is thrown then.
inline void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const auto help = [&] {
    for (std::size_t i = next++; i < count; i = next++) try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
  };
  {
    constexpr std::size_t kMostThreads = 16;
    const std::size_t threads =
        std::min({count, kMostThreads, std::size_t{std::max(1U, std::thread::hardware_concurrency())}});
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < threads; ++i) helpers.emplace_back(help);
    help();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace upbench
