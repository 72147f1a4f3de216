#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/models/checkpoint/torch_bytes.h"

namespace upbench {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::string floats() {
  return tensor(storage("FloatStorage", "0", integer(6)), integer(0), {integer(6)}, {integer(1)});
}

struct Parts {
  std::string parameters = "}", buffers = "}", modules = "}", more = "";
};

// A torch.nn.Module as torch.save pickles it.
std::string module(const Parts& parts) {
  return global("net", "Net") + ")\x81" +
         dict({text("training"), "\x89", text("_parameters"), parts.parameters, text("_buffers"),
               parts.buffers, text("_modules"), parts.modules, parts.more}) +
         "b";
}

Checkpoint read(const std::string& value) {
  const std::string bytes = torch_zip_bytes(pickle(value), six_floats());
  return read_checkpoint(bytes.data(), bytes.size(), "a.pth");
}

std::vector<std::string> names(const Checkpoint& checkpoint) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : checkpoint.tensors) all.push_back(name);
  return all;
}

TEST(PickledModule, GivesTheNamesOfItsStateDict) {
  const std::string inner = module({.parameters = dict({text("weight"), floats(), text("bias"), "N"})});
  const Checkpoint checkpoint =
      read(module({.parameters = dict({text("scale"), floats()}),
                   .buffers = dict({text("mean"), floats(), text("mask"), floats()}),
                   .modules = dict({text("conv"), inner, text("none"), "N", text("body"),
                                    module({.modules = dict({text("0"), inner})})}),
                   .more = text("_non_persistent_buffers_set") + global("__builtin__", "set") +
                           list({text("mask")}) + "\x85R"}));
  EXPECT_EQ(checkpoint.dialect, "pickled module net.Net");
  EXPECT_THAT(names(checkpoint), testing::ElementsAre("body.0.weight", "conv.weight", "mean", "scale"));
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("scale"), at::arange(6).to(at::kFloat)));
}

TEST(PickledModule, IsFoundUnderTheKeysOfATrainingState) {
  const std::string net = module({.parameters = dict({text("w"), floats()})});
  EXPECT_EQ(read(dict({text("epoch"), integer(3), text("model"), net})).dialect,
            "model, pickled module net.Net");
}

// PyTorch before 0.4 saved the class with its source text, parameters by their constructor, and the library
// of each module.
TEST(PickledModule, OfOldFilesIsRead) {
  const std::string type =
      tuple({text("module"), global("net", "Net"), text("net.py"), text("class Net: ...")}) + "Q";
  const std::string parameter = global("torch.nn.parameter", "Parameter") +
                                global("torch._utils", "_rebuild_tensor") +
                                tuple({storage("FloatStorage", "0", integer(6)), integer(0),
                                       tuple({integer(6)}), tuple({integer(1)})}) +
                                "R\x85R" + "\x88\x89N\x87" + "b";
  const std::string backend = global("torch.nn.backends.thnn", "_get_thnn_function_backend") + ")R";
  const std::string net = type + ")\x81" +
                          dict({text("_backend"), backend, text("_parameters"), dict({text("w"), parameter}),
                                text("_buffers"), "}", text("_modules"), "}"}) +
                          "b";
  EXPECT_THAT(names(read(net)), testing::ElementsAre("w"));
}

TEST(PickledModule, OfAnotherShapeIsRefused) {
  const auto refuses = [](const std::string& value, const char* message) {
    EXPECT_THAT([&] { read(value); }, ThrowsMessage<std::invalid_argument>(HasSubstr(message))) << message;
  };
  const std::string type = global("net", "Net") + ")\x81";
  refuses(type, "an object of class 'net.Net' is not allowed");
  refuses(type + "}b", "an object of class 'net.Net' is not allowed");
  refuses(type + dict({text("_parameters"), "}", text("_buffers"), "}", text("_modules"), "]"}) + "b",
          "an object of class 'net.Net' is not allowed");
  refuses(module({}) + "}b", "BUILD of one object twice");
  refuses(module({}), "no tensors in the module 'net.Net'");
  refuses(module({.parameters = dict({text("w"), integer(3)})}),
          "'w' in _parameters of 'net.Net' is no tensor");
  refuses(module({.parameters = dict({integer(3), floats()})}), "a name in 'net.Net' is no text");
  refuses(module({.modules = dict({text("m"), "}"})}), "a module of 'net.Net' is no module");
  refuses(module({.parameters = dict({text("w"), floats()}), .buffers = dict({text("w"), floats()})}),
          "tensor 'w' is there twice");
  refuses(global("net", "Net") + tuple({integer(1)}) + "\x81", "global 'net.Net' is not allowed");
}

// Two modules a level, each held twice by the level above: 2^30 names from 30 modules.
TEST(PickledModule, ThatHoldsItselfManyTimesOverIsRefused) {
  std::string value = module({.parameters = dict({text("w"), floats()})});
  for (int level = 0; level < 30; ++level) {
    value = module({.modules = dict({text("a"), value + "q\1", text("b"), "h\1"})});
  }
  EXPECT_THAT([&] { read(value); },
              ThrowsMessage<std::invalid_argument>(HasSubstr("more than 1000000 items")));
}

}  // namespace
}  // namespace upbench
