#include <sys/stat.h>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/checkpoint/checkpoint.h"
#include "tests/models/checkpoint/torch_bytes.h"

namespace upbench {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

Checkpoint read(const std::string& bytes) {
  return read_checkpoint(bytes.data(), bytes.size(), "a.pth");
}
Checkpoint read_pickle(const std::string& value) {
  return read(torch_zip_bytes(pickle(value), six_floats()));
}

std::string view(const std::string& offset, const std::vector<std::string>& sizes,
                 const std::vector<std::string>& strides) {
  return tensor(storage("FloatStorage", "0", integer(6)), offset, sizes, strides);
}

TEST(TorchZip, TensorsAreReadFromTheirStorage) {
  const Checkpoint checkpoint = read_pickle(small_state_dict());
  EXPECT_EQ(checkpoint.format, "torch-zip");
  EXPECT_EQ(checkpoint.dialect, "plain");
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("w"), at::arange(6).to(at::kFloat).reshape({2, 3})));
}

TEST(TorchZip, OneStorageServesSeveralViews) {
  const Checkpoint checkpoint = read_pickle(
      dict({text("transposed"), view(integer(0), {integer(3), integer(2)}, {integer(1), integer(3)}),
            text("tail"), view(integer(4), {integer(2)}, {integer(1)}), text("repeated"),
            view(integer(5), {integer(3)}, {integer(0)}), text("empty"),
            view(integer(6), {integer(0)}, {integer(1)}), text("scalar"), view(integer(2), {}, {})}));
  const at::Tensor all = at::arange(6).to(at::kFloat);
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("transposed"), all.reshape({2, 3}).t()));
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("tail"), all.slice(0, 4)));
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("repeated"), at::full({3}, 5.0f)));
  EXPECT_EQ(checkpoint.tensors.at("empty").numel(), 0);
  EXPECT_EQ(checkpoint.tensors.at("scalar").item<float>(), 2);
  for (const auto& [name, tensor] : checkpoint.tensors) EXPECT_TRUE(tensor.is_contiguous()) << name;
}

TEST(TorchZip, EntriesWithDescriptorsAsTorchWritesThemAreRead) {
  EXPECT_EQ(
      read(zip_bytes(
               {{.name = "archive/data.pkl", .bytes = pickle(small_state_dict()), .has_descriptor = true},
                {.name = "archive/data/0", .bytes = six_floats(), .has_descriptor = true}}))
          .tensors.size(),
      1u);
}

TEST(TorchZip, Zip64RecordsAreRead) {
  std::vector<ZipPart> parts{{.name = "archive/data.pkl", .bytes = pickle(small_state_dict())},
                             {.name = "archive/data/0", .bytes = six_floats()}};
  for (ZipPart& part : parts) part.claimed_size = part.bytes.size();
  EXPECT_EQ(read(zip64_bytes(parts, parts.size())).tensors.size(), 1u);
  EXPECT_THROW(read(zip64_bytes(parts, parts.size() + 1)), std::invalid_argument);
}

TEST(TorchZip, ProtocolFourAndParametersAreRead) {
  using namespace std::string_literals;
  const std::string parameter = global("torch._utils", "_rebuild_parameter") +
                                tuple({view(integer(0), {integer(6)}, {integer(1)}), "\x88",
                                       global("collections", "OrderedDict") + ")R"}) +
                                "R";
  const std::string body = "\x8c\x0b"s + "collections\x94\x8c\x0bOrderedDict\x94\x93)R\x94(\x8c\x01w" +
                           parameter + "u}\x8c\x09_metadata}sb.";
  const std::string bytes = "\x80\x04\x95"s + le64(body.size()) + body;
  EXPECT_TRUE(
      at::equal(read(torch_zip_bytes(bytes, six_floats())).tensors.at("w"), at::arange(6).to(at::kFloat)));
}

TEST(TorchZip, ParametersWithAttributesAndShapesBesideTensorsAreRead) {
  const std::string parameter =
      global("torch._utils", "_rebuild_parameter_with_state") +
      tuple({view(integer(0), {integer(6)}, {integer(1)}), "\x88",
             global("collections", "OrderedDict") + ")R", dict({text("role"), text("bias")})}) +
      "R";
  const std::string size = global("torch", "Size") + tuple({tuple({integer(2), integer(3)})}) + "R";
  const Checkpoint checkpoint = read_pickle(dict({text("w"), parameter, text("input"), size}));
  ASSERT_EQ(checkpoint.tensors.size(), 1u);
  EXPECT_TRUE(at::equal(checkpoint.tensors.at("w"), at::arange(6).to(at::kFloat)));
}

struct Fault {
  const char* name;
  std::string bytes;
  const char* message;
};

void expect_refused(const std::vector<Fault>& faults) {
  for (const Fault& fault : faults) {
    EXPECT_THAT([&] { read(fault.bytes); },
                ThrowsMessage<std::invalid_argument>(AllOf(HasSubstr("a.pth: "), HasSubstr(fault.message))))
        << fault.name;
  }
}

Fault with_pickle(const char* name, const std::string& value, const char* message) {
  return {name, torch_zip_bytes(pickle(value), six_floats()), message};
}

TEST(TorchZip, ViewsOutsideTheirStorageAreRefused) {
  const std::string huge = long1(0x4000000000000001), one = integer(1);
  const auto bad = [&](const char* name, const std::string& offset, const std::vector<std::string>& sizes,
                       const std::vector<std::string>& strides, const char* message) {
    return with_pickle(name, dict({text("w"), view(offset, sizes, strides)}), message);
  };
  const auto stored = [&](const char* name, const std::string& type, const std::string& elements,
                          const char* message) {
    return with_pickle(
        name, dict({text("w"), tensor(storage(type, "0", elements), integer(0), {one}, {one})}), message);
  };
  expect_refused({
      bad("one element too many", integer(0), {integer(7)}, {one},
          "reaches element 6 of storage '0', which has 6"),
      bad("offset beyond the end", integer(6), {one}, {one}, "reaches element 6"),
      bad("empty view beyond the end", integer(7), {integer(0)}, {one}, "reaches element 7"),
      bad("negative offset", integer(-1), {one}, {one}, "begins at element -1"),
      bad("negative size", integer(0), {integer(-1)}, {one}, "a size of -1"),
      bad("negative stride", integer(5), {integer(2)}, {integer(-1)}, "a stride of -1"),
      bad("bytes that wrap to 4", integer(0), {huge}, {integer(0)}, "more bytes than 63 bits"),
      bad("reach that wraps", integer(0), {integer(5)}, {huge}, "further than 63 bits"),
      bad("10^12 elements of stride 0", integer(0), {long1(1'000'000'000'000)}, {integer(0)},
          "repeated by strides"),
      bad("sizes without strides", integer(0), {one}, {}, "1 sizes but 0 strides"),
      bad("a text as offset", text("0"), {one}, {one}, "argument 2 is missing or of the wrong type"),
      bad("17 dimensions", integer(0), std::vector(17, one), std::vector(17, one), "17 dimensions"),
      stored("storage larger than its entry", "FloatStorage", integer(7),
             "storage '0' has 24 bytes, expected 28"),
      stored("storage smaller than its entry", "FloatStorage", integer(5),
             "storage '0' has 24 bytes, expected 20"),
      stored("storage of another type", "DoubleStorage", integer(6), "storage '0' has 24 bytes, expected 48"),
      stored("storage whose bytes wrap", "FloatStorage", huge, "more bytes than 63 bits"),
      stored("storage of negative length", "FloatStorage", integer(-6), "a size of -6"),
      stored("unknown storage class", "ComplexFloatStorage", integer(6),
             "global 'torch.ComplexFloatStorage' is not allowed"),
      stored("a dtype as storage class", "float32", integer(6), "'torch.float32' is no storage class"),
      with_pickle(
          "storage without an entry",
          dict({text("w"), tensor(storage("FloatStorage", "1", integer(6)), integer(0), {one}, {one})}),
          "storage '1' has no entry data/1"),
      with_pickle("storage of two sizes",
                  list({storage("FloatStorage", "0", integer(6)), storage("FloatStorage", "0", integer(5))}),
                  "two types or sizes"),
      with_pickle("a climbing storage key", dict({text("w"), storage("FloatStorage", "../0", integer(6))}),
                  "has no entry"),
  });
}

TEST(TorchZip, PicklesThatWouldRunSomethingAreRefusedByName) {
  const auto calls = [](const char* module, const char* name) {
    return global(module, name) + tuple({text("touch /tmp/upbench-was-here")}) + "R";
  };
  std::vector<Fault> faults;
  for (const auto& [module, name] :
       std::vector<std::pair<const char*, const char*>>{{"os", "system"},
                                                        {"posix", "system"},
                                                        {"nt", "system"},
                                                        {"subprocess", "Popen"},
                                                        {"builtins", "eval"},
                                                        {"__builtin__", "exec"},
                                                        {"builtins", "getattr"},
                                                        {"operator", "attrgetter"},
                                                        {"functools", "partial"},
                                                        {"torch.utils.collect_env", "run"},
                                                        {"multiprocessing.util", "spawnv_passfds"},
                                                        {"numpy.f2py.crackfortran", "getlincoef"},
                                                        {"pip", "main"},
                                                        {"torch", "load"},
                                                        {"torch.hub", "load"},
                                                        {"torch.jit", "load"},
                                                        {"collections", "defaultdict"},
                                                        {"torch._utils", "_rebuild_qtensor"},
                                                        {"", ""}}) {
    faults.push_back(with_pickle(name, calls(module, name), "is not allowed"));
  }
  faults.push_back(
      with_pickle("the name is told", calls("os", "system"), "global 'os.system' is not allowed"));
  faults.push_back(with_pickle("STACK_GLOBAL",
                               text("posix") + text("system") + "\x93" + tuple({text("id")}) + "R",
                               "global 'posix.system' is not allowed"));
  faults.push_back(with_pickle("a dotted attribute of an allowed module",
                               text("collections") + text("OrderedDict.__init__.__globals__") + "\x93",
                               "is not allowed"));
  faults.push_back(with_pickle("INST", "(ios\nsystem\n", "opcode INST is not allowed"));
  faults.push_back(
      with_pickle("OBJ", "(" + global("collections", "OrderedDict") + "o", "opcode OBJ is not allowed"));
  faults.push_back(with_pickle("EXT1", "\x82\x01", "opcode EXT1 is not allowed"));
  faults.push_back(with_pickle("NEWOBJ_EX", "\x92", "opcode NEWOBJ_EX is not allowed"));
  faults.push_back(with_pickle("PERSID", "Pos.system\n", "opcode PERSID is not allowed"));
  faults.push_back(with_pickle("a byte that is no opcode", "\xff", "opcode 0xff is not allowed"));
  faults.push_back(with_pickle("calling a storage class", global("torch", "FloatStorage") + ")R",
                               "'torch.FloatStorage' is called"));
  faults.push_back(with_pickle("NEWOBJ of a rebuilder",
                               global("torch._utils", "_rebuild_tensor_v2") + ")\x81", "NEWOBJ of"));
  faults.push_back(
      with_pickle("BUILD of a tensor", view(integer(0), {}, {}) + "}b", "BUILD of something else"));
  faults.push_back(with_pickle("BUILD with a callable state", "}" + global("torch", "float32") + "b",
                               "BUILD of something else"));
  faults.push_back({"a payload before a broken tail",
                    torch_zip_bytes("\x80\x02" + calls("os", "system") + "\xff\xff"),
                    "global 'os.system' is not allowed"});
  expect_refused(faults);
  EXPECT_FALSE(std::filesystem::exists("/tmp/upbench-was-here"));
}

TEST(TorchZip, EveryOpcodeOutsideTheListIsRefused) {
  const std::string known = "(.aesut}])NJKMGXTUhjqrQcRb\x80\x81\x85\x86\x87\x88\x89\x8a\x8c\x8f\x93\x94\x95";
  ASSERT_EQ(known.size(), 39u);
  for (int code = 0; code < 256; ++code) {
    if (known.find(static_cast<char>(code)) != known.npos) continue;
    EXPECT_THAT([&] { read(torch_zip_bytes(std::string("\x80\x02") + static_cast<char>(code))); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("is not allowed in a checkpoint")))
        << code;
  }
}

TEST(TorchZip, MalformedPicklesAreRefused) {
  using namespace std::string_literals;
  const auto raw = [](const char* name, const std::string& bytes, const char* message) {
    return Fault{name, torch_zip_bytes(bytes), message};
  };
  expect_refused({
      raw("empty pickle", "", "truncated"),
      raw("no protocol", "N.", "expected a pickle"),
      raw("protocol 0", "\x80\0N."s, "protocol 0, expected 2 to 5"),
      raw("no end", "\x80\x02N", "truncated"),
      raw("text longer than the pickle", "\x80\x02X\xff\xff\xff\xff",
          "truncated: 4294967295 bytes wanted, 0 left"),
      raw("long longer than the pickle", "\x80\x02\x8a\xff", "truncated: 255 bytes wanted"),
      raw("frame longer than the pickle", "\x80\x04\x95" + le64(~0ull), "a frame leaves the pickle"),
      raw("bytes after the end", "\x80\x02N.N", "1 bytes after its end"),
      raw("values left over", "\x80\x02NN.", "1 values left"),
      raw("value from an empty stack", "\x80\x02.", "empty stack"),
      raw("tuple without a mark", "\x80\x02t.", "no mark"),
      raw("value from below a mark", "\x80\x02N(\x85.", "takes 1 values from a stack of 0"),
      raw("memo that was never put", "\x80\x02h\x01.", "memo 1 was never put"),
      raw("nothing to put", "\x80\x02q\x01.", "empty stack"),
      raw("append to no list", "\x80\x02}Na.", "APPEND to something else than a list"),
      raw("set item of a list", "\x80\x02]NNs.", "SETITEM on something else than a dictionary"),
      raw("set item of a storage", pickle(storage("FloatStorage", "0", integer(6)) + "K\x01K\x02s"),
          "SETITEM on something else than a dictionary"),
      raw("odd number of set items", "\x80\x02}(Nu.", "SETITEMS takes pairs"),
      raw("marks nested too deep", "\x80\x02" + std::string(100'000, '('), "nested marks"),
      raw("too many values", "\x80\x02" + std::string(3'000'000, 'N'), "more than 2000000 values"),
      raw("not a persistent id", "\x80\x02NQ.", "persistent id: expected"),
      raw("a list as root", pickle("]"), "holds no dictionary of tensors"),
      raw("a list that holds itself", pickle("]q\1h\1a"), "holds no dictionary of tensors"),
      raw("a dictionary that holds itself", pickle("}q\1" + text("params") + "h\1s"),
          "nested more than 8 deep"),
      raw("a global's name without end", "\x80\x02" + ("c" + std::string(1000, 'a')),
          "name of more than 512 bytes"),
      raw("no tensors", pickle(dict({text("epoch"), integer(3)})),
          "no tensors in dictionary '' (it holds epoch)"),
  });
}

TEST(TorchZip, DamagedArchivesAreRefusedByTheRuleTheyBreak) {
  const ZipPart main{.name = "archive/data.pkl", .bytes = pickle(small_state_dict())},
      data{.name = "archive/data/0", .bytes = six_floats()};
  const auto with = [&](const char* name, const char* message, auto change) {
    ZipPart changed = data;
    change(changed);
    return Fault{name, zip_bytes({main, changed}), message};
  };
  const auto plus = [&](const char* name, const ZipPart& extra, const char* message) {
    return Fault{name, zip_bytes({main, data, extra}), message};
  };
  const std::string sound = zip_bytes({main, data});
  ASSERT_EQ(read(sound).tensors.size(), 1u);
  expect_refused({
      with("deflated entry", "entry 'archive/data/0' is compressed", [](ZipPart& part) { part.method = 8; }),
      with("encrypted entry", "is encrypted", [](ZipPart& part) { part.flags = 1; }),
      with("strongly encrypted entry", "is encrypted", [](ZipPart& part) { part.flags = 0x40; }),
      with("patched entry", "is patched data", [](ZipPart& part) { part.flags = 0x20; }),
      with("wrong CRC", "the file is damaged", [](ZipPart& part) { part.crc_error = 1; }),
      with("another local name", "local header and the central directory differ",
           [](ZipPart& part) { part.local_name = "archive/data/1"; }),
      with("zip64 size of 2^63", "local header and the central directory differ",
           [](ZipPart& part) { part.claimed_size = std::uint64_t{1} << 63; }),
      with("zip64 size with a descriptor", "overlaps its neighbour or leaves the file",
           [](ZipPart& part) { part.has_descriptor = true, part.claimed_size = ~std::uint64_t{0}; }),
      with("symbolic link", "is a symbolic link",
           [](ZipPart& part) { part.attributes = std::uint32_t{S_IFLNK} << 16; }),
      plus("climbing name", {.name = "archive/../../etc/x", .bytes = ""}, "climbs out"),
      plus("absolute name", {.name = "/etc/x", .bytes = ""}, "an absolute name"),
      plus("drive letter", {.name = "C:/x", .bytes = ""}, "an absolute name"),
      plus("the same name twice", data, "is there twice"),
      plus("two pickles", {.name = "other/data.pkl", .bytes = ""}, "2 entries */data.pkl"),
      plus("an entry elsewhere", {.name = "other/x", .bytes = ""}, "lies outside 'archive/'"),
      plus("TorchScript", {.name = "archive/code/__torch__.py", .bytes = ""}, "a TorchScript archive"),
      plus("compressed TorchScript", {.name = "archive/code/__torch__.py", .bytes = "", .method = 8},
           "a TorchScript archive"),
      plus("TorchScript constants", {.name = "archive/constants.pkl", .bytes = ""}, "a TorchScript archive"),
      plus("big-endian", {.name = "archive/byteorder", .bytes = "big"}, "its byteorder is 'big'"),
      {"no pickle", zip_bytes({data}), "0 entries */data.pkl"},
      {"bytes before", "PK\3\4" + sound, "not where the end record says"},
      {"bytes after", sound + "x", "bytes or a comment follow it"},
      {"two archives", sound + sound, "not where the end record says"},
      {"more entries than directory",
       sound.substr(0, sound.size() - 12) + le16(9) + sound.substr(sound.size() - 10), "central directory"},
  });
  for (std::size_t bytes = 0; bytes < sound.size(); ++bytes)
    EXPECT_THROW(read(sound.substr(0, bytes)), std::invalid_argument) << bytes;
}

// Whatever single byte is wrong, the reader either refuses or gives a tensor; it never crashes. (Names, texts
// and floats are free to differ.)
TEST(TorchZip, AnySingleWrongByteIsHandled) {
  const std::string sound = torch_zip_bytes(pickle(small_state_dict()), six_floats());
  int refused = 0;
  for (std::size_t at = 0; at < sound.size(); ++at) {
    for (const int flip : {0x01, 0x80, 0xff}) {
      std::string broken = sound;
      broken[at] = static_cast<char>(broken[at] ^ flip);
      try {
        EXPECT_EQ(read(broken).tensors.size(), 1u);
      } catch (const std::invalid_argument&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(2 * sound.size()));  // versions, times and attributes are the rest
}

}  // namespace
}  // namespace upbench
