#include <sys/stat.h>

#include "tests/faults/fault.h"
#include "tests/faults/weight_bytes.h"
#include "tests/models/checkpoint/torch_bytes.h"
#include "tests/support/program.h"

namespace upbench::test {
namespace {

using namespace std::string_literals;
using Bytes = std::function<std::string()>;  // made when the test runs

Fault look_at(const std::string& file, int row, const char* name, const char* input, Bytes bytes,
              const char* message, int exit_code, std::vector<std::string> more = {}) {
  Fault fault{.row = row, .name = name, .input = input, .exit_code = exit_code, .message = message};
  fault.make = [file, bytes = std::move(bytes)](const std::filesystem::path& folder) {
    write_text((folder / file).string(), bytes());
  };
  fault.command = {"inspect", file};
  fault.command.insert(fault.command.end(), more.begin(), more.end());
  return fault;
}

Fault safetensors(int row, const char* name, const char* input, Bytes bytes, const char* message) {
  return look_at("w.safetensors", row, name, input, std::move(bytes), message, 2);
}
Fault torch(int row, const char* name, const char* input, Bytes bytes, const char* message) {
  return look_at("w.pth", row, name, input, std::move(bytes), message, 2);
}
Fault accepted(const char* file, int row, const char* name, const char* input, Bytes bytes,
               const char* message, std::vector<std::string> more = {}) {
  more.push_back("--json");
  return look_at(file, row, name, input, std::move(bytes), message, 0, std::move(more));
}

// A checkpoint in a zip whose pickle is this value.
Fault pickled(int row, const char* name, const char* input, Bytes value, const char* message) {
  return torch(row, name, input, [value = std::move(value)] { return torch_zip_of(value()); }, message);
}
// One whose tensor "w" is this view of six floats.
Fault viewed(int row, const char* name, const char* input, const std::string& offset,
             const std::vector<std::string>& sizes, const std::vector<std::string>& strides,
             const char* message) {
  return pickled(
      row, name, input,
      [=] {
        return dict({text("w"), tensor(storage("FloatStorage", "0", integer(6)), offset, sizes, strides)});
      },
      message);
}
// One whose tensor "w" is one number of this storage.
Fault stored(int row, const char* name, const char* input, const char* type, const std::string& elements,
             const char* message) {
  return pickled(
      row, name, input,
      [=] {
        return dict(
            {text("w"), tensor(storage(type, "0", elements), integer(0), {integer(1)}, {integer(1)})});
      },
      message);
}
// A sound archive after this change to its second entry, with these entries more.
Fault archived(int row, const char* name, const char* input, const std::function<void(ZipPart&)>& change,
               const std::vector<ZipPart>& more, const char* message) {
  return torch(
      row, name, input,
      [=] {
        std::vector<ZipPart> parts = sound_parts();
        if (change) change(parts[1]);
        parts.insert(parts.end(), more.begin(), more.end());
        return zip_bytes(parts);
      },
      message);
}

std::vector<Fault> safetensors_faults() {
  const std::string w = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto with_header = [](const std::string& header, std::size_t buffer = 0) {
    return [=] { return safetensors_bytes(header, buffer); };
  };
  const auto one = [](const std::string& dtype, const std::string& shape, const std::string& offsets,
                      std::size_t buffer = 16) {
    return [=] { return one_tensor(dtype, shape, offsets, buffer); };
  };
  const auto two = [](const std::string& first, const std::string& second, std::size_t buffer) {
    return [=] { return two_tensors(first, second, buffer); };
  };
  return {
      safetensors(
          41, "ThreeBytes", "safetensors of 3 bytes", [] { return "abc"s; },
          "is no checkpoint (its first bytes are 61 62 63)"),
      safetensors(
          41, "Empty", "a file of 0 bytes", [] { return ""s; }, "is empty, expected a checkpoint"),
      safetensors(
          42, "HeaderBeyondTheFile", "header longer than the file", [] { return le64(1000) + "{}"; },
          "truncated: its header would have 1000 bytes, but 2 follow"),
      safetensors(
          43, "HeaderOfTwoTo63", "header of 2^63 bytes", [] { return le64(1ull << 63) + "{}"; },
          "its header would have 9223372036854775808 bytes, expected at most 100000000"),
      safetensors(
          44, "HeaderOf101Megabytes", "header of 101 MB", [] { return le64(101'000'000) + "{}"; },
          "its header would have 101000000 bytes, expected at most 100000000"),
      safetensors(45, "HeaderNotUtf8", "header that is no UTF-8", with_header("{\"\xff\":" + w + "}", 8),
                  "header is no valid JSON"),
      safetensors(45, "HeaderNotJson", "header that is no JSON", with_header("{\"w\":"),
                  "header is no valid JSON"),
      safetensors(45, "HeaderAfterASpace", "header that begins with a space", with_header(" {}"),
                  "its header begins with ' ', expected '{'"),
      safetensors(
          46, "NestedHeader", "header nested 100,000 deep",
          [] { return safetensors_bytes("{\"w\":" + std::string(100'000, '['), 0); },
          "header: an array at tensor 'w'"),
      safetensors(47, "SameNameTwice", "the same tensor twice",
                  with_header("{\"w\":" + w + ",\"w\":" + w + "}", 8), "tensor 'w' is there twice"),
      safetensors(48, "Overlap", "overlapping tensors", two("[0,8]", "[4,12]", 12),
                  "tensor 'b' overlaps its neighbour at byte 4"),
      safetensors(49, "Hole", "bytes between two tensors", two("[0,8]", "[12,20]", 20),
                  "4 bytes before tensor 'b' belong to no tensor"),
      safetensors(49, "TrailingBytes", "bytes after the last tensor (a second file in one)",
                  two("[0,8]", "[8,16]", 17), "1 bytes after the last tensor belong to no tensor"),
      safetensors(50, "BeginAfterEnd", "begin after end", one("F32", "[4]", "[16,0]"),
                  "tensor 'w' begins at byte 16 after its end 0"),
      safetensors(50, "BeyondTheFile", "offsets beyond the file", one("F32", "[8]", "[0,32]"),
                  "tensor 'w' ends at byte 32, but the file holds 16"),
      safetensors(50, "ShapeDoesNotFit", "shape that does not fit its bytes", one("F32", "[5]", "[0,16]"),
                  "tensor 'w' has 16 bytes, expected 20 for its shape and dtype"),
      safetensors(51, "ShapeOverflows", "shape [2^32, 2^32, 4]",
                  one("F32", "[4294967296,4294967296,4]", "[0,0]", 0),
                  "its shape has more bytes than 63 bits can count"),
      safetensors(52, "Float8", "8-bit floats", one("F8_E4M3", "[16]", "[0,16]"),
                  "tensor 'w' has dtype 'F8_E4M3', expected one of F64, F32, F16, BF16"),
      safetensors(52, "Int4", "4-bit integers", one("I4", "[32]", "[0,16]"),
                  "tensor 'w' has dtype 'I4', expected one of"),
      safetensors(53, "NegativeSize", "a size of -4", one("F32", "[-4]", "[0,16]"), "shape -4 is negative"),
      safetensors(53, "FractionalSize", "a size of 4.0", one("F32", "[4.0]", "[0,16]"),
                  "shape 4.0 is no plain 63-bit integer"),
      safetensors(53, "ExponentInSize", "a size of 1e3", one("F32", "[1e3]", "[0,16]"),
                  "shape 1e3 is no plain 63-bit integer"),
      safetensors(53, "SizeAsText", "a size in quotes", one("F32", "[\"4\"]", "[0,16]"),
                  "header: a text at tensor 'w'"),
      accepted("w.safetensors", 54, "EmptyAndRankZero", "a tensor of no elements and one of rank 0",
               with_header(R"({"e":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]},)"
                           R"("s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})",
                           4),
               "\"tensors\": 2"),
      accepted(
          "w.safetensors", 55, "NotANumber", "NaN and infinity among the values",
          [] {
            return safetensors_bytes(R"({"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 0) +
                   le32(0x7fc00000) + le32(0x7f800000) + le64(0);
          },
          "2 of 4 values are NaN or infinite"),
  };
}

std::vector<Fault> execution_faults() {
  std::vector<Fault> faults;
  for (const HostilePickle& hostile : hostile_pickles())
    faults.push_back(torch(hostile.row, hostile.name.c_str(), hostile.input.c_str(), hostile.bytes,
                           hostile.message.c_str()));
  return faults;
}

std::vector<Fault> pickle_faults() {
  const auto raw = [](const std::string& bytes) { return [=] { return torch_zip_bytes(bytes); }; };
  return {
      torch(65, "LongerText", "a text of 2^32 bytes", raw("\x80\x02X\xff\xff\xff\xff"),
            "truncated: 4294967295 bytes wanted, 0 left"),
      torch(65, "LongerInteger", "an integer longer than the file", raw("\x80\x02\x8a\xff"),
            "truncated: 255 bytes wanted"),
      torch(65, "HugeInteger", "an integer of 2^31 bytes (LONG4)", raw("\x80\x02\x8b\xff\xff\xff\x7f"),
            "opcode LONG4 is not allowed"),
      torch(
          65, "MillionsOfValues", "3,000,000 values in 3 MB",
          [] { return torch_zip_bytes("\x80\x02" + std::string(3'000'000, 'N')); },
          "more than 2000000 values"),
      torch(
          65, "MillionsOfReferences", "9,000,000 references to one list",
          [] { return torch_zip_bytes(many_references()); }, "more than 8000000 values taken from the memo"),
      torch(
          65, "NestedMarks", "100,000 opened tuples",
          [] { return torch_zip_bytes("\x80\x02" + std::string(100'000, '(')); },
          "more than 1000 nested marks"),
      pickled(
          65, "ListInItself", "a list that holds itself", [] { return "]q\1h\1a"s; },
          "holds no dictionary of tensors"),
      pickled(
          65, "DictionaryInItself", "a dictionary that holds itself",
          [] { return "}q\1" + text("params") + "h\1s"; }, "dictionaries nested more than 8 deep"),
      pickled(
          65, "ModuleInItself", "a module that holds itself",
          [] { return module("net.Net", {}, {"m", "h\1"}, "q\1"); }, "modules nested more than 64 deep"),
      pickled(
          66, "SetItemOfAList", "SETITEM on a list", [] { return "]NNs"s; },
          "SETITEM on something else than a dictionary"),
      pickled(
          66, "SetItemOfAStorage", "SETITEM on a storage (CVE-2026-24747)",
          [] { return storage("FloatStorage", "0", integer(6)) + "K\x01K\x02s"; },
          "SETITEM on something else than a dictionary"),
  };
}

std::vector<Fault> archive_faults() {
  return {
      archived(
          67, "Deflate", "a compressed entry", [](ZipPart& part) { part.method = 8; }, {},
          "entry 'archive/data/0' is compressed, expected stored entries"),
      archived(
          67, "SizeOfTwoTo63", "an entry of 2^63 bytes (zip64)",
          [](ZipPart& part) { part.claimed_size = 1ull << 63; }, {},
          "entry 'archive/data/0': its local header and the central directory differ"),
      archived(
          67, "SizeThatWraps", "an entry of 2^64 - 1 bytes, sizes behind its data",
          [](ZipPart& part) { part.has_descriptor = true, part.claimed_size = ~0ull; }, {},
          "overlaps its neighbour or leaves the file"),
      torch(
          67, "TenMillionEntries", "a directory of 10,000,000 entries",
          [] { return zip64_bytes(sound_parts(), 10'000'000); },
          "10000000 entries, expected at most 1000000"),
      archived(
          67, "LocalSizeDiffers", "an entry with two sizes", [](ZipPart& part) { part.local_size = 25; }, {},
          "entry 'archive/data/0': its local header and the central directory differ"),
      archived(
          67, "LocalNameDiffers", "an entry with two names",
          [](ZipPart& part) { part.local_name = "archive/data/1"; }, {},
          "entry 'archive/data/0': its local header and the central directory differ"),
      archived(
          67, "Encrypted", "a password-protected entry (flag 0x1)", [](ZipPart& part) { part.flags = 1; }, {},
          "entry 'archive/data/0' is encrypted"),
      archived(
          67, "StronglyEncrypted", "strong encryption (flag 0x40)", [](ZipPart& part) { part.flags = 0x40; },
          {}, "entry 'archive/data/0' is encrypted"),
      archived(
          67, "Patched", "patched data (flag 0x20)", [](ZipPart& part) { part.flags = 0x20; }, {},
          "entry 'archive/data/0' is patched data"),
      archived(
          67, "BadCrc", "one wrong bit in a tensor", [](ZipPart& part) { part.crc_error = 1; }, {},
          "the file is damaged"),
      archived(67, "ClimbingName", "an entry ../../etc/x", {}, {{.name = "archive/../../etc/x", .bytes = ""}},
               "its name climbs out of the archive"),
      archived(67, "AbsoluteName", "an entry /etc/x", {}, {{.name = "/etc/x", .bytes = ""}},
               "an absolute name"),
      archived(
          67, "Link", "a symbolic link",
          [](ZipPart& part) { part.attributes = std::uint32_t{S_IFLNK} << 16; }, {},
          "entry 'archive/data/0' is a symbolic link"),
      archived(67, "TwoPickles", "data.pkl twice", {}, {sound_parts()[0]},
               "entry 'archive/data.pkl' is there twice"),
      archived(67, "TwoModels", "two folders with a data.pkl", {}, {{.name = "other/data.pkl", .bytes = ""}},
               "a zip archive with 2 entries */data.pkl, expected one"),
      torch(
          67, "TwoArchives", "two archives in one file",
          [] { return zip_bytes(sound_parts()) + zip_bytes(sound_parts()); },
          "the central directory is not where the end record says: several archives in one file"),
      torch(
          67, "OtherZip", "a zip archive of something else",
          [] { return zip_bytes({{.name = "readme.txt", .bytes = "hello"}}); },
          "a zip archive with 0 entries */data.pkl, expected one as torch.save writes"),
      torch(
          67, "SevenZip", "a 7z archive", [] { return "7z\xbc\xaf\x27\x1c\0\4"s; }, "is a 7z archive"),
      torch(
          67, "Tar", "a tar archive", [] { return std::string(257, 'a').append("ustar"); },
          "is a tar archive"),
      torch(
          67, "Gzip", "a gzip archive", [] { return "\x1f\x8b\x08\0"s; }, "is a gzip archive"),
  };
}

std::vector<Fault> storage_faults() {
  const std::string huge = long1(0x4000000000000001), one = integer(1);
  return {
      stored(68, "BytesWrap", "a storage of 0x4000000000000001 floats", "FloatStorage", huge,
             "its shape has more bytes than 63 bits can count"),
      viewed(68, "ShapeWraps", "a tensor of 0x4000000000000001 floats", integer(0), {huge}, {integer(0)},
             "its shape has more bytes than 63 bits can count"),
      viewed(69, "NegativeStride", "a negative stride", integer(5), {integer(2)}, {integer(-1)},
             "a tensor has a stride of -1"),
      viewed(69, "NegativeOffset", "a negative offset", integer(-1), {one}, {one},
             "a tensor begins at element -1"),
      viewed(69, "BeyondItsStorage", "a tensor longer than its storage", integer(0), {integer(7)}, {one},
             "a tensor reaches element 6 of storage '0', which has 6"),
      stored(69, "StorageTooShort", "a storage shorter than declared", "FloatStorage", integer(7),
             "storage '0' has 24 bytes, expected 28"),
      viewed(70, "StrideOfZero", "6 numbers repeated to 10^12 by a stride of 0", integer(0),
             {long1(1'000'000'000'000)}, {integer(0)}, "repeated by strides, not stored"),
      stored(71, "AnotherType", "a storage of another type than its bytes", "DoubleStorage", integer(6),
             "storage '0' has 24 bytes, expected 48"),
      stored(71, "UnknownStorage", "an unknown storage class", "QUInt8Storage", integer(6),
             "global 'torch.QUInt8Storage' is not allowed"),
      accepted(
          "w.pth", 71, "OnAnotherDevice", "tensors that were saved on cuda:7",
          [] { return torch_zip_of(small_state_dict()); }, "\"F32\": 1"),
      archived(72, "BigEndian", "a byteorder record that says big", {},
               {{.name = "archive/byteorder", .bytes = "big"}}, "its byteorder is 'big', expected 'little'"),
      torch(
          72, "BigEndianLegacy", "the format before 1.6, saved big-endian",
          [] { return big_endian_legacy(); }, "its numbers are big-endian, expected little-endian"),
  };
}

std::vector<Fault> dialect_faults() {
  const Bytes nested = [] { return torch_zip_of(nested_state_dict()); };
  return {
      accepted("w.pth", 74, "ParamsEma", "params and params_ema: the average is taken", nested,
               "\"dialect\": \"params_ema\""),
      accepted("w.pth", 74, "ParamKey", "params and params_ema, --param-key params", nested,
               "\"dialect\": \"params\"", {"--param-key", "params"}),
      look_at("w.pth", 74, "UnknownParamKey", "a key that is not there", nested,
              "holds no tensors under the key 'ema'; it holds params_ema (1 tensors), params (1 tensors)", 2,
              {"--param-key", "ema"}),
      accepted(
          "w.pth", 74, "ModulePrefix", "names that all begin with module.",
          [] { return torch_zip_of(dict({text("module.w"), six_floats_tensor()})); },
          "\"dialect\": \"plain, prefix module. stripped\""),
      accepted(
          "w.pth", 74, "WholeModule", "a whole pickled module: its tensors are read, nothing of it runs",
          [] { return torch_zip_of(module("net.Net", {"w", six_floats_tensor()}, {})); },
          "\"dialect\": \"pickled module net.Net\""),
      archived(76, "TorchScript", "a TorchScript archive", {},
               {{.name = "archive/code/__torch__.py", .bytes = ""}},
               "a TorchScript archive (entry 'archive/code/__torch__.py') is a program"),
      archived(76, "CompressedTorchScript", "one whose code is compressed, as torch.jit.save leaves it", {},
               {{.name = "archive/code/__torch__.py", .bytes = "", .method = 8}},
               "a TorchScript archive (entry 'archive/code/__torch__.py') is a program"),
      safetensors(
          77, "NoTensors", "safetensors without tensors", [] { return safetensors_bytes("{}", 0); },
          "holds no tensors"),
      pickled(
          77, "NoTensorsInPickle", "a state without tensors",
          [] { return dict({text("epoch"), integer(3)}); },
          "no tensors in dictionary '' (it holds epoch), expected a state_dict()"),
  };
}

std::vector<Fault> foreign_faults() {
  const auto bytes = [](const std::string& text) { return [=] { return text; }; };
  return {
      torch(78, "Gguf", "a GGUF model", bytes("GGUF\3\0\0\0"s), "is a GGUF file"),
      torch(78, "Onnx", "an ONNX model", bytes("\x08\x08\x12\x07pytorch"), "is an ONNX model"),
      torch(78, "TensorFlow", "a TensorFlow graph",
            bytes("\x0a\x0d\x0a\x04node\x12\x05"
                  "Const"),
            "is a TensorFlow graph"),
      torch(78, "TensorFlowLite", "a TensorFlow Lite model", bytes("\x1c\0\0\0TFL3"s),
            "is a TensorFlow Lite model"),
      torch(78, "Caffe", "a Caffe model", bytes("\x0a\x03IDN\xa2\x06\x3e"), "is a Caffe model"),
      torch(78, "CaffeDescription", "a Caffe network description", bytes("name: \"IDN_x4\"\n"),
            "is a Caffe network description"),
      torch(78, "NcnnParameters", "an ncnn parameter file", bytes("7767517\n1 1\n"),
            "is an ncnn parameter file"),
      torch(78, "NcnnWeights", "ncnn weights", bytes("\x47\x6b\x30\x01\x10\xaa"),
            "is a file of ncnn weights"),
      torch(78, "Hdf5", "a Keras model (HDF5)", bytes("\x89HDF\r\n\x1a\n"), "is an HDF5 file"),
      torch(78, "NumPy", "a NumPy array", bytes("\x93NUMPY\1\0"s), "is a NumPy array"),
      torch(78, "Picture", "a picture", bytes("\x89PNG\r\n\x1a\n"), "is a PNG picture"),
      torch(78, "LfsPointer", "a Git LFS pointer", bytes("version https://git-lfs.github.com/spec/v1\n"),
            "is a Git LFS pointer, not the file itself"),
      torch(78, "HtmlPage", "the page that a download ended at", bytes("<!DOCTYPE html>"),
            "is an HTML page, not the file itself"),
      torch(78, "Text", "a text", bytes("hello, world"),
            "is no checkpoint (its first bytes are 68 65 6c 6c 6f 2c 20 77)"),
      torch(
          78, "OtherPickle", "a pickle that torch.save did not write",
          [] { return pickle(small_state_dict()); },
          "a pickle, but not one of torch.save: its magic number is missing"),
  };
}

}  // namespace

FaultTable weight_faults() {
  FaultTable table{
      .title = "Weights",
      .introduction =
          "Nothing in a checkpoint is ever executed, whatever it asks for: "
          "`tests/faults/execution_test.cpp` reads the files of rows 56 to 64 and 79 in a "
          "process that the kernel kills when it starts a program, opens a socket or writes a "
          "file. Bad weights in a sweep refuse it before any work (exit 2), and what its store "
          "holds stays as it is: a model is named in the spec, so a file that is none is a wrong "
          "request, as a misspelt name is (`docs/weights.md`). `tests/faults/sweep_test.cpp` "
          "holds it for every line of this table and the next.",
      .faults = {}};
  for (const auto& part : {safetensors_faults(), execution_faults(), pickle_faults(), archive_faults(),
                           storage_faults(), dialect_faults(), foreign_faults()})
    table.faults.insert(table.faults.end(), part.begin(), part.end());
  return table;
}

}  // namespace upbench::test
