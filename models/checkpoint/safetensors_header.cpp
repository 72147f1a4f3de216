#include "models/checkpoint/safetensors_header.h"

#include <algorithm>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "models/checkpoint/dtype.h"
#include "models/checkpoint/refuse.h"

namespace upbench {
namespace {

constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxDimensions = 16;

// Reads the header event by event: a document tree would keep only the last of two equal keys, and would be
// built to any depth. Depth 1: tensor names. Depth 2: a tensor's fields, or the metadata. Depth 3: the
// numbers of a shape or of the offsets.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  SafetensorsHeader header;

  bool key(std::string& text) override {
    if (depth_ == 1) {
      check_tensor_name(text);
      if (!names_.insert(text).second) refuse("header: tensor '{}' is there twice", printable(text));
      in_metadata_ = text == "__metadata__";
      if (!in_metadata_) header.entries.push_back({.name = text, .shape = {}});
      if (header.entries.size() > kMaxTensors) refuse("header: more than {} tensors", kMaxTensors);
      fields_.clear();
    } else {
      if (!fields_.insert(text).second) refuse("header: '{}' is there twice in {}", printable(text), where());
      if (!in_metadata_ && text != "dtype" && text != "shape" && text != "data_offsets") {
        refuse("header: unknown field '{}' in {}, expected dtype, shape, data_offsets", printable(text),
               where());
      }
    }
    key_ = text;
    return true;
  }

  bool string(std::string& text) override {
    if (depth_ == 2 && in_metadata_) {
      header.metadata[key_] = text;
    } else if (depth_ == 2 && key_ == "dtype") {
      const auto type = dtype_from_name(text);
      if (!type) refuse("{} has dtype '{}', expected one of {}", where(), printable(text), dtype_names());
      header.entries.back().dtype = *type;
    } else {
      unexpected("a text");
    }
    return true;
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (depth_ != 3) unexpected("a number");
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      refuse("{}: {} {} is too large", where(), key_, value);
    numbers_.push_back(static_cast<std::int64_t>(value));
    if (numbers_.size() > kMaxDimensions) refuse("{}: more than {} dimensions", where(), kMaxDimensions);
    return true;
  }

  bool start_object(std::size_t) override {
    if (depth_ == 1 && !names_.empty()) return ++depth_, true;
    if (depth_ != 0) unexpected("an object");
    return ++depth_, true;
  }

  bool end_object() override {
    if (--depth_ == 1 && !in_metadata_ && fields_.size() != 3)
      refuse("{} lacks one of dtype, shape, data_offsets", where());
    return true;
  }

  bool start_array(std::size_t) override {
    if (depth_ != 2 || in_metadata_ || key_ == "dtype") unexpected("an array");
    numbers_.clear();
    return ++depth_, true;
  }

  bool end_array() override {
    --depth_;
    SafetensorsEntry& entry = header.entries.back();
    if (key_ == "shape") {
      entry.shape = numbers_;
    } else {
      if (numbers_.size() != 2)
        refuse("{}: data_offsets has {} numbers, expected 2", where(), numbers_.size());
      entry.begin = static_cast<std::uint64_t>(numbers_[0]);
      entry.end = static_cast<std::uint64_t>(numbers_[1]);
    }
    return true;
  }

  bool number_integer(number_integer_t value) override {
    refuse("{}: {} {} is negative", where(), key_, value);
  }
  bool number_float(number_float_t, const std::string& text) override {
    refuse("{}: {} {} is no plain 63-bit integer", where(), key_, printable(text));
  }
  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("a truth value"); }
  bool binary(binary_t&) override { unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    refuse("header is no valid JSON at its byte {}: {}", position, printable(error.what()));
  }

 private:
  [[noreturn]] void unexpected(const char* what) const {
    refuse("header: {} at {}, expected {{name: {{dtype, shape, data_offsets}}}}", what,
           depth_ == 0 ? "its start" : where());
  }
  std::string where() const {
    if (in_metadata_) return "__metadata__";
    return header.entries.empty() ? "the header" : "tensor '" + printable(header.entries.back().name) + "'";
  }

  int depth_ = 0;
  bool in_metadata_ = false;
  std::string key_;
  std::set<std::string> names_, fields_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t buffer) {
  HeaderReader reader;
  nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  SafetensorsHeader& header = reader.header;
  // Empty tensors begin where their neighbour does, so the end decides among equal beginnings.
  std::ranges::sort(header.entries, [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    const std::string name = printable(entry.name);
    if (entry.begin > entry.end)
      refuse("tensor '{}' begins at byte {} after its end {}", name, entry.begin, entry.end);
    if (entry.end > buffer)
      refuse("tensor '{}' ends at byte {}, but the file holds {}", name, entry.end, buffer);
    const std::uint64_t expected = bytes_of(entry.shape, entry.dtype);
    if (entry.end - entry.begin != expected) {
      refuse("tensor '{}' has {} bytes, expected {} for its shape and dtype", name, entry.end - entry.begin,
             expected);
    }
    if (entry.begin < covered) refuse("tensor '{}' overlaps its neighbour at byte {}", name, entry.begin);
    if (entry.begin > covered)
      refuse("{} bytes before tensor '{}' belong to no tensor", entry.begin - covered, name);
    covered = entry.end;
  }
  if (covered != buffer) refuse("{} bytes after the last tensor belong to no tensor", buffer - covered);
  return std::move(header);
}

}  // namespace upbench
