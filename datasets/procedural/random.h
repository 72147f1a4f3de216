#pragma once

#include <cmath>
#include <cstdint>

namespace upbench::procedural {

// The splitmix64 mixing function (Steele, Lea, Flood 2014): every input bit reaches every output bit.
inline std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ value >> 30U) * 0xbf58476d1ce4e5b9u;
  value = (value ^ value >> 27U) * 0x94d049bb133111ebu;
  return value ^ value >> 31U;
}

// splitmix64: number n of a stream depends on its key and n alone. Standard distributions are not used: they
// differ from library to library. For the same reason no two numbers are drawn in the arguments of one call:
// compilers evaluate them in different orders.
class Random {
 public:
  explicit Random(std::uint64_t key) : state_(mixed(key ^ 0x6a09e667f3bcc909u)) {}

  // An independent stream, which leaves this one where it is: more numbers drawn there change nothing here.
  Random fork(std::uint64_t tag) const { return Random(state_ + mixed(tag + 0x3c6ef372fe94f82bu)); }

  std::uint64_t bits() { return mixed(state_ += 0x9e3779b97f4a7c15u); }
  float uniform() { return static_cast<float>(bits() >> 40U) * 0x1p-24F; }  // [0, 1)
  float range(float low, float high) { return low + (high - low) * uniform(); }
  int integer(int low, int high) {  // both included
    return low + static_cast<int>((bits() >> 32U) * static_cast<std::uint64_t>(high - low + 1) >> 32U);
  }
  bool chance(float probability) { return uniform() < probability; }
  // Density ~ value^-3 between the ends: areas of every octave cover the same share (scale invariance).
  float power_law(float low, float high) {
    const float tail = (low / high) * (low / high);
    return low / std::sqrt(1 - uniform() * (1 - tail));
  }

 private:
  std::uint64_t state_;
};

// sin(2 pi turns) to 4e-6, by + and x alone: the library's sine differs in its last bit between machines.
inline float wave(float turns) {
  float t = turns - std::floor(turns);               // [0, 1)
  t = t < 0.25F ? t : t < 0.75F ? 0.5F - t : t - 1;  // [-1/4, 1/4], same sine
  const float x = 6.2831853F * t, s = x * x;
  return x * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72))));
}

}  // namespace upbench::procedural
