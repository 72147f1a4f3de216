#include "models/checkpoint/checkpoint.h"

#include <sys/stat.h>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/assets.h"

namespace upbench {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::ThrowsMessage;

Checkpoint read(const std::string& bytes) {
  return read_checkpoint(bytes.data(), bytes.size(), "a.pth");
}

// A zip checkpoint of this object, in which every tensor is the same six floats.
Checkpoint read_object(const std::string& value) {
  return read(torch_zip_bytes(pickle(value), six_floats()));
}

std::string floats() {
  return tensor(storage("FloatStorage", "0", integer(6)), integer(0), {integer(6)}, {integer(1)});
}

TEST(Checkpoint, WrappedDictionariesAreUnwrappedInAStatedOrder) {
  const std::string inner = dict({text("a"), floats()}), other = dict({text("b"), floats()});
  const auto dialect = [](const std::string& value) { return read_object(value).dialect; };
  EXPECT_EQ(dialect(inner), "plain");
  EXPECT_EQ(dialect(dict({text("params"), inner})), "params");
  EXPECT_EQ(dialect(dict({text("state_dict"), inner, text("epoch"), integer(7)})), "state_dict");
  EXPECT_EQ(dialect(dict({text("model"), dict({text("params"), inner})})), "model/params");
  const Checkpoint both = read_object(dict({text("params"), other, text("params_ema"), inner}));
  EXPECT_EQ(both.dialect, "params_ema");
  EXPECT_TRUE(both.tensors.contains("a"));
}

TEST(Checkpoint, PrefixesThatEveryNameHasAreStripped) {
  const Checkpoint all =
      read_object(dict({text("params"), dict({text("module.a"), floats(), text("module.b"), floats()})}));
  EXPECT_EQ(all.dialect, "params, prefix module. stripped");
  EXPECT_TRUE(all.tensors.contains("a") && all.tensors.contains("b"));
  const Checkpoint some = read_object(dict({text("module.a"), floats(), text("b"), floats()}));
  EXPECT_EQ(some.dialect, "plain");
  EXPECT_TRUE(some.tensors.contains("module.a"));
}

TEST(Checkpoint, AParamKeyReplacesTheRule) {
  const std::string a = dict({text("a"), floats()}), b = dict({text("b"), floats()});
  const std::string bytes =
      torch_zip_bytes(pickle(dict({text("params"), a, text("params_ema"), b, text("state"),
                                   dict({text("net"), a}), text("c"), floats()})),
                      six_floats());
  const auto with = [&](const char* key) {
    return read_checkpoint(bytes.data(), bytes.size(), "a.pth", key);
  };
  EXPECT_EQ(with("").dialect, "params_ema");
  EXPECT_EQ(with("params").dialect, "params");
  EXPECT_TRUE(with("params").tensors.contains("a"));
  EXPECT_EQ(with("state/net").dialect, "state/net");
  EXPECT_TRUE(with("state/net").tensors.contains("a"));
  EXPECT_EQ(with(".").dialect, "plain");
  EXPECT_TRUE(with(".").tensors.contains("c"));
  for (const char* key : {"ema", "params/a", "c", "state/", "/"}) {
    EXPECT_THAT([&] { with(key); },
                ThrowsMessage<std::invalid_argument>(
                    testing::AllOf(HasSubstr(std::string("'") + key + "'"),
                                   testing::AnyOf(HasSubstr("it holds . (1 tensors), params (1 tensors), "
                                                            "params_ema (1 tensors), state/net (1 tensors)"),
                                                  HasSubstr("but within it: state/net (1 tensors); one")))))
        << key;
  }
}

TEST(Checkpoint, AParamKeyMayEndInABeginningOfNames) {
  const std::string bytes = torch_zip_bytes(
      pickle(dict({text("state_dict"),
                   dict({text("model.a"), floats(), text("loss.a"), floats(), text("modela"), floats()})})),
      six_floats());
  const auto with = [&](const char* key) {
    return read_checkpoint(bytes.data(), bytes.size(), "a.pth", key);
  };
  const Checkpoint model = with("state_dict/model");
  EXPECT_EQ(model.dialect, "state_dict/model");
  ASSERT_EQ(model.tensors.size(), 1u);
  EXPECT_TRUE(model.tensors.contains("a"));
  for (const char* key : {"model", "state_dict/mode", "state_dict/modela", "state_dict/model/a"})
    EXPECT_THAT([&] { with(key); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("it holds state_dict (3 tensors)")))
        << key;
}

TEST(Checkpoint, AParamKeyOfAFlatFileTakesTheNamesThatBeginWithIt) {
  TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {{"ema.w", at::zeros({1})}, {"net.w", at::ones({2})}});
  const Checkpoint net = read_checkpoint(folder / "a.safetensors", "net");
  EXPECT_EQ(net.dialect, "net");
  ASSERT_EQ(net.tensors.size(), 1u);
  EXPECT_TRUE(at::equal(net.tensors.at("w"), at::ones({2})));
  EXPECT_THAT([&] { read_checkpoint(folder / "a.safetensors", "params"); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("under the key 'params'; it holds ema (1 tensors), net (1 tensors)")));
}

// As a key of a dictionary would: the same tensors by the same names, so the same hash.
TEST(Checkpoint, ABeginningThatEveryNameOfAFlatFileHasIsFollowedAsAKey) {
  TemporaryFolder folder;
  const auto file = folder / "a.safetensors";
  const auto read_key = [&](const char* key) { return read_checkpoint(file, key); };
  const at::Tensor one = at::ones({2}), two = at::full({2}, 2.0);
  const Digest plain = tensor_hash({{"conv.weight", one}, {"conv.bias", two}});
  for (const char* key : {"params_ema", "params-ema", "params", "state_dict", "model_state_dict"}) {
    const std::string weight = fmt::format("{}.conv.weight", key), bias = fmt::format("{}.conv.bias", key);
    write_safetensors(file, {{weight, one}, {bias, two}});
    EXPECT_EQ(read_key("").dialect, key);
    EXPECT_EQ(tensor_hash(read_key("").tensors), plain) << key;
    EXPECT_EQ(read_checkpoint_header(file).dialect, key);
    EXPECT_EQ(read_key(".").dialect, "plain");
    EXPECT_TRUE(read_key(".").tensors.contains(bias));
  }
  write_safetensors(file, {{"params.module.w", one}, {"params.module.v", two}});
  EXPECT_EQ(read_key("").dialect, "params, prefix module. stripped");
  EXPECT_TRUE(read_key("").tensors.contains("w"));
}

TEST(Checkpoint, OfSeveralSuchBeginningsTheFirstOfTheStatedOrderIsFollowed) {
  TemporaryFolder folder;
  write_safetensors(
      folder / "a.safetensors",
      {{"params.w", at::zeros({1})}, {"params_ema.w", at::ones({2})}, {"params_ema.v", at::ones({3})}});
  const auto read_key = [&](const char* key) { return read_checkpoint(folder / "a.safetensors", key); };
  EXPECT_EQ(read_key("").dialect, "params_ema");
  ASSERT_EQ(read_key("").tensors.size(), 2u);
  EXPECT_TRUE(at::equal(read_key("").tensors.at("w"), at::ones({2})));
  EXPECT_EQ(read_key("params").dialect, "params");
  ASSERT_EQ(read_key("params").tensors.size(), 1u);
  EXPECT_TRUE(at::equal(read_key("params").tensors.at("w"), at::zeros({1})));
}

TEST(Checkpoint, OtherBeginningsOfFlatFilesAreNoKeys) {
  TemporaryFolder folder;
  for (const NamedTensors& tensors :
       {NamedTensors{{"model.0.weight", at::zeros({1})}},  // old ESRGAN
        NamedTensors{{"params.w", at::zeros({1})}, {"step", at::zeros({1})}},
        NamedTensors{{"params.", at::zeros({1})}}, NamedTensors{{"params_emaw", at::zeros({1})}}}) {
    write_safetensors(folder / "a.safetensors", tensors);
    const Checkpoint checkpoint = read_checkpoint(folder / "a.safetensors");
    EXPECT_EQ(checkpoint.dialect, "plain");
    EXPECT_EQ(tensor_hash(checkpoint.tensors), tensor_hash(tensors));
  }
}

TEST(Checkpoint, TheHeaderSaysWhatTheTensorsAre) {
  TemporaryFolder folder;
  write_safetensors(folder / "a.safetensors", {{"module.w", at::zeros({2, 3}, at::kHalf)}},
                    {{"by", "a test"}});
  const CheckpointHeader header = read_checkpoint_header(folder / "a.safetensors");
  EXPECT_EQ(header.format, "safetensors");
  EXPECT_EQ(header.dialect, "plain, prefix module. stripped");
  EXPECT_EQ(header.metadata.at("by"), "a test");
  ASSERT_EQ(header.tensors.size(), 1u);
  EXPECT_EQ(header.tensors.at("w").dtype, at::kHalf);
  EXPECT_EQ(header.tensors.at("w").shape, (std::vector<std::int64_t>{2, 3}));
}

TEST(Checkpoint, NumbersBesideTensorsAreLeft) {
  EXPECT_EQ(read_object(dict({text("a"), floats(), text("step"), integer(3), integer(4), text("x")}))
                .tensors.size(),
            1u);
}

TEST(Checkpoint, AStateWithoutTensorsSaysWhatItHolds) {
  EXPECT_THAT([&] { read_object(dict({text("weights"), dict({text("a"), integer(1)})})); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("no tensors in dictionary '' (it holds weights), expected a state_dict()")));
}

TEST(Checkpoint, TheOnlyDictionaryOfTensorsIsFollowedWhateverItsKey) {
  const std::string state = dict({text("a"), floats()}), settings = dict({text("lr"), integer(1)});
  const Checkpoint only = read_object(dict({text("settings"), settings, text("weights"), state}));
  EXPECT_EQ(only.dialect, "weights");
  EXPECT_EQ(only.tensors.size(), 1u);
  EXPECT_EQ(read_object(dict({text("model"), dict({text("weights"), state})})).dialect, "model/weights");
  // Beside tensors it is none of theirs.
  EXPECT_EQ(read_object(dict({text("b"), floats(), text("weights"), state})).dialect, "plain");
  EXPECT_THAT([&] { read_object(dict({text("ema"), state, text("online"), state})); },
              ThrowsMessage<std::invalid_argument>(
                  HasSubstr("no tensors in dictionary '', but within it: ema (1 tensors), online "
                            "(1 tensors); one can be named as FILE@KEY")));
}

// 10^10 of them, without a limit.
TEST(Checkpoint, DictionariesThatHoldAnotherManyTimesAreNotAllVisited) {
  std::string texts, dictionaries;
  for (int i = 0; i < 100'000; ++i) texts += "h\1h\1";         // from the memo
  for (int i = 0; i < 100'000; ++i) dictionaries += "h\1h\2";  // text, the inner dictionary
  const std::string bytes =
      torch_zip_bytes(pickle("}(" + text("x") + "q\1}(" + texts + "uq\2" + dictionaries + "u"), six_floats());
  EXPECT_THAT([&] { read_checkpoint(bytes.data(), bytes.size(), "a.pth"); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("no tensors in dictionary ''")));
}

TEST(Checkpoint, PrefixesOfWrappersAreDroppedInAnyOrder) {
  for (const char* prefix : {"module._orig_mod.", "_orig_mod.module.", "_orig_mod."}) {
    const Checkpoint read = read_object(dict({text(prefix + std::string("a")), floats()}));
    EXPECT_TRUE(read.tensors.contains("a")) << prefix;
  }
  EXPECT_EQ(read_object(dict({text("_orig_mod.module.a"), floats()})).dialect,
            "plain, prefix _orig_mod. stripped, prefix module. stripped");
}

TEST(Checkpoint, TheSameTensorTwiceIsRefused) {
  EXPECT_THAT([&] { read_object(dict({text("a"), floats(), text("a"), floats()})); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("'a' is there twice")));
}

TEST(Checkpoint, ForeignFilesAreNamed) {
  using namespace std::string_literals;
  const std::pair<std::string, const char*> foreign[] = {
      {"GGUF\3\0\0\0"s, "is a GGUF file"},
      {"\x1f\x8b\x08\0"s, "is a gzip archive"},
      {"7z\xbc\xaf\x27\x1c"s, "is a 7z archive"},
      {std::string(257, 'a') + "ustar", "is a tar archive"},
      {"PK\5\6"s + std::string(18, '\0'), "is an empty zip archive"},
      {"7767517\n1 1\n", "is an ncnn parameter file"},
      {"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"},
      {"<!DOCTYPE html>", "is an HTML page"},
      {"\x08\x08\x12\x07pytorch"s, "is an ONNX model"},
      {"\x0a\x0d\x0a\x04node\x12\x05"s + "Const", "is a TensorFlow graph"},
      {"\x0a\x03IDN\xa2\x06\x3e"s, "is a Caffe model"},
      {"hello, world", "is no checkpoint (its first bytes are 68 65 6c 6c 6f 2c 20 77)"},
  };
  for (const auto& [bytes, message] : foreign) {
    EXPECT_THAT([&] { read(bytes); }, ThrowsMessage<std::invalid_argument>(HasSubstr(message))) << message;
  }
}

TEST(Checkpoint, RealModelsOfOtherToolsAreNamed) {
  UPBENCH_NEEDS_ASSETS();
  const std::pair<const char*, const char*> foreign[] = {
      {"face/yunet_s_640_640.onnx", "is an ONNX model"},
      {"upscalers/dnn_superres/FSRCNN_x2.pb", "is a TensorFlow graph"},
      {"upscalers/idn/IDN_x4.caffemodel", "is a Caffe model"},
      {"upscalers/idn/IDN_x4_deploy.prototxt", "is a Caffe network description"},
      {"upscalers/ncnn/realesr-animevideov3-x4.param", "is an ncnn parameter file"},
      {"upscalers/ncnn/realesr-animevideov3-x4.bin", "is a file of ncnn weights"},
  };
  for (const auto& [file, message] : foreign)
    EXPECT_THAT([&] { read_checkpoint(assets() / "weights" / file); },
                ThrowsMessage<std::invalid_argument>(HasSubstr(message)));
}

TEST(Checkpoint, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  TemporaryFolder folder;
  const auto refuses = [](const std::filesystem::path& file, const char* message) {
    EXPECT_THAT([&] { read_checkpoint(file); }, ThrowsMessage<std::invalid_argument>(testing::AllOf(
                                                    HasSubstr(file.string()), HasSubstr(message))));
  };
  refuses(folder / "missing.pth", "No such file");
  refuses(folder.path(), "no regular file");
  const std::filesystem::path fifo = folder / "fifo.pth";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  refuses(fifo, "no regular file");
  refuses("/dev/zero", "no regular file");
  std::filesystem::create_symlink("loop.pth", folder / "loop.pth");
  refuses(folder / "loop.pth", "cannot be opened");
}

TEST(Checkpoint, ControlCharactersOfAFileDoNotReachTheMessage) {
  try {
    read_object(dict({text("\x1b[31mred"), integer(1)}));
    FAIL() << "expected a refusal";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("\\x1b[31mred"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\x1b")));
  }
}

TEST(TensorHash, DependsOnNameTypeShapeAndBytesOnly) {
  const at::Tensor base = at::arange(6).to(at::kFloat).reshape({2, 3});
  const Digest hash = tensor_hash({{"a", base}});
  EXPECT_EQ(tensor_hash({{"a", base.t().contiguous().t()}}), hash);  // another layout in memory
  EXPECT_NE(tensor_hash({{"b", base}}), hash);
  EXPECT_NE(tensor_hash({{"a", base.reshape({3, 2})}}), hash);
  EXPECT_NE(tensor_hash({{"a", base.view(at::kInt)}}), hash);
  EXPECT_NE(tensor_hash({{"a", base + 1}}), hash);
  EXPECT_NE(tensor_hash({{"a", base}, {"b", at::empty({0})}}), hash);
  EXPECT_FALSE(tensor_hash({}).is_zero());
}

// The hash is part of every key in a store: if this fails, every store made before forgets its networks.
// Expected values: Python's hashlib over the fields as checkpoint.h states them (each text and the bytes led
// by their length in 8 bytes, numbers in 8 bytes).
TEST(TensorHash, IsStable) {
  EXPECT_EQ(
      tensor_hash({{"a", at::arange(6).to(at::kFloat).reshape({2, 3})}, {"b", at::full({}, 0.5, at::kHalf)}})
          .hex(),
      "e3e0f4d66dbf676b078be9b86de452fead3a06d285762e2885dcf4aeddb79771");
}

TEST(TensorHash, OfARealFileIsStable) {
  UPBENCH_NEEDS_ASSETS();
  const auto hash = [](const char* file) {
    return tensor_hash(read_checkpoint(assets() / "weights/upscalers" / file).tensors).short_hex();
  };
  EXPECT_EQ(hash("srvgg/realesr-animevideov3.pth"), "41b3b28dc5b4");
  EXPECT_EQ(hash("srvgg/realesr-general-x4v3.safetensors"), "ec0dec20732d");
  EXPECT_EQ(hash("imdn/IMDN_x4.pth"), "ec9bf9accb3b");
}

}  // namespace
}  // namespace upbench
