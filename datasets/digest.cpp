#include "datasets/digest.h"

#include <bit>
#include <fstream>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>

namespace upbench {

std::string Digest::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text(64, '0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = kDigits[bytes[i] >> 4];
    text[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return text;
}

std::string Digest::short_hex() const {
  return hex().substr(0, 12);
}

bool Digest::is_zero() const {
  return *this == Digest{};
}

namespace {

int nibble(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

}  // namespace

Digest parse_digest(std::string_view hex) {
  Digest digest;
  bool fine = hex.size() == 64;
  for (std::size_t i = 0; fine && i < 32; ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    fine = high >= 0 && low >= 0;
    digest.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  if (!fine)
    throw std::invalid_argument(fmt::format("'{}' is no SHA-256 value: expected 64 hexadecimal digits", hex));
  return digest;
}

Hasher::Hasher() : context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc();
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr);
}

Hasher::~Hasher() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}

Hasher& Hasher::add(const void* data, std::size_t size) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), data, size);
  return *this;
}

Hasher& Hasher::add(std::string_view text) {
  return add(text.data(), text.size());
}

Hasher& Hasher::add_field(std::string_view text) {
  return add_field(std::uint64_t{text.size()}).add(text);
}

Hasher& Hasher::add_field(const Digest& digest) {
  return add(digest.bytes.data(), digest.bytes.size());
}

Hasher& Hasher::add_field(std::uint64_t number) {
  std::array<std::uint8_t, 8> little_endian;
  for (auto& byte : little_endian) {
    byte = static_cast<std::uint8_t>(number);
    number >>= 8;
  }
  return add(little_endian.data(), little_endian.size());
}

Digest Hasher::finish() {
  Digest digest;
  auto* context = static_cast<EVP_MD_CTX*>(context_);
  EVP_DigestFinal_ex(context, digest.bytes.data(), nullptr);
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  return digest;
}

Digest sha256(std::string_view text) {
  return Hasher().add(text).finish();
}

Digest sha256_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  Hasher hasher;
  std::vector<char> buffer(1 << 20);
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hasher.add(buffer.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof()) throw std::runtime_error(fmt::format("{}: cannot be read", file.string()));
  return hasher.finish();
}

}  // namespace upbench
