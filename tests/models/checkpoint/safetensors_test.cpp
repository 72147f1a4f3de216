#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

Checkpoint read(const std::string& bytes) {
  return read_checkpoint(bytes.data(), bytes.size(), "a.safetensors");
}

TEST(Safetensors, WritingThenReadingGivesTheSameTensors) {
  test::TemporaryFolder folder;
  NamedTensors tensors;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                                    at::kShort, at::kChar, at::kByte}) {
    tensors[c10::toString(type)] = at::arange(6).reshape({2, 3}).to(type);
  }
  tensors["bool"] = at::arange(3).to(at::kBool);
  tensors["rank 0"] = at::full({}, 0.5);
  tensors["empty"] = at::empty({0, 7});
  tensors["strided"] = at::arange(12).reshape({3, 4}).t();
  write_safetensors(folder / "all.safetensors", tensors, {{"note", "α \"quoted\""}});
  const Checkpoint checkpoint = read_checkpoint(folder / "all.safetensors");
  EXPECT_EQ(checkpoint.format, "safetensors");
  EXPECT_EQ(checkpoint.dialect, "plain");
  EXPECT_EQ(checkpoint.metadata.at("note"), "α \"quoted\"");
  ASSERT_EQ(checkpoint.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(checkpoint.tensors.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(checkpoint.tensors.at(name), tensor)) << name;
  }
  EXPECT_EQ(tensor_hash(checkpoint.tensors), tensor_hash(tensors));
}

TEST(Safetensors, NotANumberIsReadAsItIs) {
  test::TemporaryFolder folder;
  write_safetensors(folder / "nan.safetensors", {{"w", at::full({2}, std::nan(""))}});
  EXPECT_TRUE(at::isnan(read_checkpoint(folder / "nan.safetensors").tensors.at("w")).all().item<bool>());
}

TEST(Safetensors, SpacesMayFollowTheHeader) {
  EXPECT_EQ(read(test::safetensors_bytes(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}   )", 8))
                .tensors.at("w")
                .numel(),
            2);
}

struct Fault {
  const char* name;
  std::string bytes;
  const char* message;
};

// A header of one tensor w of 4 floats with one of its parts replaced.
std::string one(const std::string& dtype, const std::string& shape, const std::string& offsets,
                std::size_t buffer = 16) {
  return test::safetensors_bytes(
      R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}", buffer);
}

std::string two(const std::string& first, const std::string& second, std::size_t buffer) {
  const auto entry = [](const std::string& name, const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}";
  };
  return test::safetensors_bytes("{" + entry("a", first) + "," + entry("b", second) + "}", buffer);
}

TEST(Safetensors, BrokenFilesAreRefusedByTheRuleTheyBreak) {
  using namespace std::string_literals;
  const std::string float_entry = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const Fault faults[] = {
      {"empty file", "", "is empty"},
      {"shorter than 8 bytes", "abc", "is no checkpoint"},
      {"header longer than the file", test::le64(1000) + "{}",
       "its header would have 1000 bytes, but 2 follow"},
      {"header of 2^63 bytes", test::le64(std::uint64_t{1} << 63) + "{}", "expected at most 100000000"},
      {"header of 101 MB", test::le64(101'000'000) + "{}", "expected at most 100000000"},
      {"header that starts with a space", test::safetensors_bytes(" {}", 0), "is no checkpoint"},
      {"header that is no JSON", test::safetensors_bytes("{\"w\":", 0), "no valid JSON"},
      {"header that is no UTF-8", test::safetensors_bytes("{\"\xff\":" + float_entry + "}", 8),
       "no valid JSON"},
      {"text after the header's object", test::safetensors_bytes("{} {}", 0), "no valid JSON"},
      {"no tensors", test::safetensors_bytes("{}", 0), "holds no tensors"},
      {"header nested 100,000 deep", test::safetensors_bytes("{\"w\":" + std::string(100'000, '['), 0),
       "an array at"},
      {"objects nested in a tensor", test::safetensors_bytes(R"({"w":{"dtype":{}}})", 0),
       "an object at tensor 'w'"},
      {"the same tensor twice",
       test::safetensors_bytes("{\"w\":" + float_entry + ",\"w\":" + float_entry + "}", 8),
       "tensor 'w' is there twice"},
      {"the same field twice", test::safetensors_bytes(R"({"w":{"dtype":"F32","dtype":"F32"}})", 0),
       "'dtype' is there twice"},
      {"an unknown field", test::safetensors_bytes(R"({"w":{"kind":"F32"}})", 0), "unknown field 'kind'"},
      {"a missing field", test::safetensors_bytes(R"({"w":{"dtype":"F32","shape":[2]}})", 0), "lacks one of"},
      {"metadata that is no text", test::safetensors_bytes(R"({"__metadata__":{"a":1}})", 0),
       "a number at __metadata__"},
      {"overlapping tensors", two("[0,8]", "[4,12]", 12), "overlaps its neighbour at byte 4"},
      {"the same bytes twice", two("[0,8]", "[0,8]", 8), "overlaps its neighbour at byte 0"},
      {"a hole", two("[0,8]", "[12,20]", 20), "4 bytes before tensor 'b' belong to no tensor"},
      {"bytes after the last tensor", two("[0,8]", "[8,16]", 17), "1 bytes after the last tensor"},
      {"begin after end", one("\"F32\"", "[4]", "[16,0]"), "begins at byte 16 after its end 0"},
      {"offsets beyond the file", one("\"F32\"", "[8]", "[0,32]"), "ends at byte 32, but the file holds 16"},
      {"shape that does not fit", one("\"F32\"", "[5]", "[0,16]"), "has 16 bytes, expected 20"},
      {"shape whose product wraps", one("\"F32\"", "[4294967296,4294967296,4]", "[0,0]", 0),
       "more bytes than 63 bits"},
      {"empty shape whose strides wrap", one("\"F32\"", "[4294967296,4294967296,0]", "[0,0]", 0),
       "more bytes than 63 bits"},
      {"unknown dtype", one("\"F8_E4M3\"", "[16]", "[0,16]"), "dtype 'F8_E4M3', expected one of F64, F32"},
      {"negative size", one("\"F32\"", "[-4]", "[0,16]"), "shape -4 is negative"},
      {"fractional size", one("\"F32\"", "[4.0]", "[0,16]"), "no plain 63-bit integer"},
      {"exponent in a size", one("\"F32\"", "[4e0]", "[0,16]"), "no plain 63-bit integer"},
      {"size of 2^64", one("\"F32\"", "[18446744073709551616]", "[0,16]"), "no plain 63-bit integer"},
      {"size of 2^63", one("\"F32\"", "[9223372036854775808]", "[0,16]"), "is too large"},
      {"17 dimensions", one("\"F32\"", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,4]", "[0,16]"),
       "more than 16 dimensions"},
      {"three offsets", one("\"F32\"", "[4]", "[0,8,16]"), "3 numbers, expected 2"},
      {"NUL in a name", test::safetensors_bytes("{\"a\\u0000b\":" + float_entry + "}", 8), "holds a NUL"},
      {"a truth value of 2",
       test::safetensors_bytes(R"({"w":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 0) + "\2",
       "truth values"},
  };
  for (const Fault& fault : faults) {
    EXPECT_THAT([&] { read(fault.bytes); }, ThrowsMessage<std::invalid_argument>(AllOf(
                                                HasSubstr("a.safetensors: "), HasSubstr(fault.message))))
        << fault.name;
  }
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string whole = two("[0,8]", "[8,16]", 16);
  EXPECT_EQ(read(whole).tensors.size(), 2u);
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_THROW(read(whole.substr(0, bytes)), std::invalid_argument) << bytes;
}

TEST(Safetensors, WritingRefusesWhatItCouldNotRead) {
  test::TemporaryFolder folder;
  const at::Tensor w = at::zeros({1});
  EXPECT_THAT([&] { write_safetensors(folder / "a", {{"__metadata__", w}}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("reserved")));
  EXPECT_THAT([&] { write_safetensors(folder / "a", {{"a\xff", w}}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no UTF-8")));
  EXPECT_THAT([&] { write_safetensors(folder / "a", {{"w", w.to(at::kComplexFloat)}}); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("cannot be stored")));
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
}

}  // namespace
}  // namespace upbench
