#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace upbench {

// Philox 4x32-10, a random function of counter and key (Salmon, Moraes, Dror, Shaw, Parallel random numbers:
// as easy as 1, 2, 3, 2011): every output is found without those before it.
using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

inline PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key) {
  constexpr int kRounds = 10;
  constexpr std::array<std::uint64_t, 2> kFactor = {0xD2511F53, 0xCD9E8D57};
  constexpr PhiloxKey kWeyl = {0x9E3779B9, 0xBB67AE85};
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t even = kFactor[0] * counter[0], odd = kFactor[1] * counter[2];
    counter = {static_cast<std::uint32_t>(odd >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(odd),
               static_cast<std::uint32_t>(even >> 32U) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(even)};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] += kWeyl[i];
  }
  return counter;
}

}  // namespace upbench
