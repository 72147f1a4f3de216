#include <algorithm>
#include <cstring>
#include <stdexcept>

#include <fmt/format.h>

#include "datasets/codec/formats.h"

namespace upbench {
namespace {

constexpr std::uint32_t kLargestMaximum = 65535;

// A PNM file (netpbm's ppm, pgm and pbm): P1 to P3 are text, P4 to P6 binary; bits, grey, RGB.
struct Pnm {
  int kind = 6;
  int width = 0, height = 0;
  std::uint32_t maximum = 1;  // the sample that means full intensity
  std::size_t data_at = 0;

  bool text() const { return kind <= 3; }
  bool bits() const { return kind == 1 || kind == 4; }
  bool colour() const { return kind == 3 || kind == 6; }
  bool deep() const { return maximum > 255; }
};

bool is_space(std::uint8_t byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool is_digit(std::uint8_t byte) {
  return byte >= '0' && byte <= '9';
}

// Numbers between white space and comments (from # to the end of the line).
class Scanner {
 public:
  Scanner(Bytes file, std::size_t at) : file_(file), at_(at) {}

  // Ends before the byte after the number, which must be there: a file cut inside a number would read as
  // another.
  std::uint32_t number(std::string_view what) {
    skip();
    std::uint32_t value = 0;
    const std::size_t first = at_;
    for (; is_digit(byte(at_ == first ? what : "white space after the last number")); ++at_) {
      if (at_ - first == 9) throw std::runtime_error(fmt::format("PNM {} has too many digits", what));
      value = value * 10 + (file_[at_] - std::uint32_t{'0'});
    }
    if (at_ == first || !(is_space(file_[at_]) || file_[at_] == '#')) {
      throw std::runtime_error(
          fmt::format("PNM is corrupt: byte {:02x} at {} where {} is expected", file_[at_], at_, what));
    }
    return value;
  }

  // Bits as text need no space between them.
  bool bit() {
    skip();
    const std::uint8_t found = byte("a bit");
    if (found != '0' && found != '1')
      throw std::runtime_error(fmt::format("PNM is corrupt: byte {:02x} at {} is no bit", found, at_));
    ++at_;
    return found == '1';
  }

  void white_space(std::string_view where) {
    if (!is_space(byte(fmt::format("white space {}", where)))) {
      throw std::runtime_error(
          fmt::format("PNM is corrupt: byte {:02x} at {}, expected white space {}", file_[at_], at_, where));
    }
    ++at_;
  }

  std::size_t at() const { return at_; }

 private:
  std::uint8_t byte(std::string_view expected) const {
    if (at_ >= file_.size())
      throw std::runtime_error(
          fmt::format("PNM truncated at byte {}: {} is missing", file_.size(), expected));
    return file_[at_];
  }

  void skip() {
    for (bool comment = false; at_ < file_.size(); ++at_) {
      if (comment)
        comment = file_[at_] != '\n' && file_[at_] != '\r';
      else if (file_[at_] == '#')
        comment = true;
      else if (!is_space(file_[at_]))
        return;
    }
  }

  Bytes file_;
  std::size_t at_;
};

int side(std::uint32_t value) {
  if (value == 0) throw std::runtime_error("PNM header says a side of 0 pixels: expected at least 1");
  return static_cast<int>(value);  // of at most nine digits
}

Pnm read_structure(Bytes file) {
  Pnm pnm{.kind = file[1] - '0'};
  Scanner scanner(file, 2);
  scanner.white_space("after the format's two letters");
  pnm.width = side(scanner.number("the width"));
  pnm.height = side(scanner.number("the height"));
  if (!pnm.bits()) pnm.maximum = scanner.number("the maximum");
  if (pnm.maximum < 1 || pnm.maximum > kLargestMaximum)
    throw std::runtime_error(fmt::format("PNM with a maximum of {}: expected 1 to 65535", pnm.maximum));
  if (!pnm.text()) scanner.white_space("before the samples");  // exactly one byte
  pnm.data_at = scanner.at();
  return pnm;
}

// Full intensity of the file to full intensity of 8 or 16 bit, rounded.
class Scale {
 public:
  explicit Scale(const Pnm& pnm) : from_(pnm.maximum), to_(pnm.deep() ? 65535 : 255) {}

  std::uint32_t operator()(std::uint32_t sample) const {
    if (sample > from_) {
      throw std::runtime_error(
          fmt::format("PNM is corrupt: a sample of {} above its maximum {}", sample, from_));
    }
    return from_ == to_ ? sample : (sample * to_ + from_ / 2) / from_;  // below 2^32
  }

 private:
  std::uint32_t from_, to_;
};

// Puts samples one after another, of the machine's byte order where deep.
class Writer {
 public:
  Writer(const Pnm& pnm, std::size_t count)
      : deep_(pnm.deep()), samples_(count * (deep_ ? 2 : 1)), out_(samples_.data()) {}

  void put(std::uint32_t sample) {
    if (!deep_) {
      *out_++ = static_cast<std::uint8_t>(sample);
      return;
    }
    const auto value = static_cast<std::uint16_t>(sample);
    std::memcpy(out_, &value, sizeof value);
    out_ += sizeof value;
  }
  void put_all(Bytes samples) { out_ = std::copy(samples.begin(), samples.end(), out_); }
  std::vector<std::uint8_t> finish() { return std::move(samples_); }

 private:
  bool deep_;
  std::vector<std::uint8_t> samples_;
  std::uint8_t* out_;
};

std::size_t sample_count(const Pnm& pnm) {
  return static_cast<std::size_t>(pnm.width) * static_cast<std::size_t>(pnm.height) * (pnm.colour() ? 3 : 1);
}

// Each sample as it is written, bits as 0 and 1. Returns the end, behind one white space.
template <typename Put>
std::size_t for_each_in_text(Bytes file, const Pnm& pnm, Put put) {
  Scanner scanner(file, pnm.data_at);
  for (std::size_t left = sample_count(pnm); left > 0; --left)
    put(pnm.bits() ? std::uint32_t{scanner.bit()} : scanner.number("a sample"));
  // A last line without its end may have lost more than that.
  scanner.white_space("after the last sample");
  return scanner.at();
}

void read_text(Bytes file, const Pnm& pnm, Writer& writer) {
  const Scale scale(pnm);
  for_each_in_text(file, pnm, [&](std::uint32_t sample) {
    writer.put(pnm.bits() ? (sample == 1 ? 0U : 255U) : scale(sample));
  });
}

std::size_t binary_bytes(const Pnm& pnm) {
  const auto width = static_cast<std::size_t>(pnm.width), height = static_cast<std::size_t>(pnm.height);
  return pnm.bits() ? (width + 7) / 8 * height : sample_count(pnm) * (pnm.deep() ? 2 : 1);
}

void read_binary(Bytes file, const Pnm& pnm, Writer& writer) {
  const auto width = static_cast<std::size_t>(pnm.width), height = static_cast<std::size_t>(pnm.height);
  const std::size_t needed = binary_bytes(pnm);
  if (needed > file.size() - pnm.data_at) {
    throw std::runtime_error(
        fmt::format("PNM truncated at byte {}: {} bytes of samples expected from byte {}", file.size(),
                    needed, pnm.data_at));
  }
  const Bytes data = file.subspan(pnm.data_at, needed);
  const Scale scale(pnm);
  if (pnm.bits()) {  // 1 is black; rows begin with a byte, the first pixel in its highest bit
    for (std::size_t y = 0; y < height; ++y) {
      for (std::size_t x = 0; x < width; ++x)
        writer.put(data[y * ((width + 7) / 8) + x / 8] >> (7 - x % 8) & 1 ? 0 : 255);
    }
  } else if (pnm.maximum == 255) {
    writer.put_all(data);
  } else if (pnm.deep()) {
    for (std::size_t at = 0; at < needed; at += 2) writer.put(scale(big_endian_16(data, at)));
  } else {
    for (const std::uint8_t sample : data) writer.put(scale(sample));
  }
}

// Bytes behind the samples, which mean nothing; white space after text is part of it. 0 where the samples are
// not all there: that is for decoding to refuse.
std::size_t bytes_after(Bytes file, const Pnm& pnm) {
  std::size_t end = 0;
  if (pnm.text()) {
    try {
      end = for_each_in_text(file, pnm, [](std::uint32_t) {});
    } catch (const std::runtime_error&) {
      return 0;
    }
    while (end < file.size() && is_space(file[end])) ++end;
  } else {
    end = pnm.data_at + binary_bytes(pnm);
  }
  return end < file.size() ? file.size() - end : 0;
}

}  // namespace

Described describe_pnm(Bytes file) {
  const Pnm pnm = read_structure(file);
  Described described{.header = {.width = pnm.width,
                                 .height = pnm.height,
                                 .channels = pnm.colour() ? 3 : 1,
                                 .bit_depth = pnm.deep() ? 16 : 8},
                      .space = pnm.colour() ? SampleSpace::rgb : SampleSpace::grey};
  std::vector<std::string>& notes = described.header.notes;
  if (pnm.bits())
    notes.push_back("1-bit grey scaled to 8 bit");
  else if (pnm.maximum != 255 && pnm.maximum != kLargestMaximum)
    notes.push_back(fmt::format("maximum {} scaled to {} bit", pnm.maximum, described.header.bit_depth));
  if (!pnm.colour()) notes.push_back("grey");
  if (const std::size_t left = bytes_after(file, pnm); left > 0)
    notes.push_back(fmt::format("{} bytes after the end of the PNM ignored", left));
  return described;
}

std::vector<std::uint8_t> pnm_samples(Bytes file, Described&) {
  const Pnm pnm = read_structure(file);
  Writer writer(pnm, sample_count(pnm));
  pnm.text() ? read_text(file, pnm, writer) : read_binary(file, pnm, writer);
  return writer.finish();
}

}  // namespace upbench
