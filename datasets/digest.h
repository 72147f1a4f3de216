#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace upbench {

// A SHA-256 value. Everything in the store is keyed by one.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Digest&) const = default;
  std::string hex() const;
  std::string short_hex() const;  // first 12 digits, for people
  bool is_zero() const;           // the value of "no digest"
};

Digest parse_digest(std::string_view hex);  // throws std::invalid_argument unless 64 hexadecimal digits

// Incremental SHA-256. add() frames nothing; add_field() writes the length first, so that
// ("ab", "c") and ("a", "bc") differ. Not thread-safe.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  Hasher& add(const void* data, std::size_t size);
  Hasher& add(std::string_view text);
  Hasher& add_field(std::string_view text);
  Hasher& add_field(const Digest& digest);
  Hasher& add_field(std::uint64_t number);
  Digest finish();  // the hasher is reset and may be used again

 private:
  void* context_;
};

Digest sha256(std::string_view text);
Digest sha256_file(const std::filesystem::path& file);  // throws std::runtime_error naming the file

}  // namespace upbench

template <>
struct std::hash<upbench::Digest> {
  std::size_t operator()(const upbench::Digest& digest) const noexcept {
    std::size_t value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i) value = value << 8 | digest.bytes[i];
    return value;
  }
};
