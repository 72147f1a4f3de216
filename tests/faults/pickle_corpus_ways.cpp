#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/faults/pickle_corpus.h"

// Ways to get a call into a pickle, and a pickle past a scanner.
namespace upbench::test {
namespace {

using namespace std::string_literals;

std::string command() {
  return text(hostile_command());
}
std::string payload() {
  return calling("os", "system");
}
// Pickled value: what this function gives for these arguments.
std::string called(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}

// A zip checkpoint with this data.pkl.
HostilePickle zipped(const std::string& name, const std::string& data, const std::string& message) {
  return corpus_file(name, torch_zip_bytes(data, six_floats()), message);
}
// One whose pickle is this value.
HostilePickle value(const std::string& name, const std::string& made, const std::string& message) {
  return zipped(name, pickle(made), message);
}
// One in which this name must be what is refused.
HostilePickle naming(const std::string& name, const std::string& made, const std::string& function) {
  return value(name, made, "global '" + function + "' is not allowed");
}

PickleKind kind(const char* name, const char* what, std::vector<HostilePickle> files) {
  std::vector<std::string> names;
  for (const HostilePickle& file : files) names.push_back(file.input);
  return {name, fmt::format("{}: {}", what, fmt::join(names, ", ")), std::move(files)};
}

PickleKind chains() {
  const std::string imported = calling("builtins", "__import__", text("os"));
  const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2");
  const auto hooked = [&](const std::string& hook) {  // a tensor with this as a backward hook
    return rebuild +
           tuple({storage("FloatStorage", "0", integer(6)), integer(0), tuple({integer(6)}),
                  tuple({integer(1)}), "\x89", dict({integer(0), hook})}) +
           "R";
  };
  return kind(
      "Chains", "calls within calls",
      {naming("getattr of an imported module",
              called(global("builtins", "getattr"), {imported, text("system")}) + tuple({command()}) + "R",
              "builtins.__import__"),
       naming(
           "attrgetter of a text",
           called(calling("operator", "attrgetter", text("system")), {imported}) + tuple({command()}) + "R",
           "operator.attrgetter"),
       naming("partial of a function",
              called(global("functools", "partial"), {global("os", "system"), command()}),
              "functools.partial"),
       naming("map of a function",
              called(global("builtins", "map"), {global("os", "system"), list({command()})}), "builtins.map"),
       naming("a function made of unmarshalled code",
              called(global("types", "FunctionType"), {calling("marshal", "loads"), "}"}), "marshal.loads"),
       naming("getattr of an allowed name",
              called(global("builtins", "getattr"), {global("collections", "OrderedDict"), text("__init__")}),
              "builtins.getattr"),
       naming("torch.load for a storage", called(rebuild, {calling("torch", "load"), integer(0)}),
              "torch.load"),
       naming("a call as a backward hook", hooked(payload()), "os.system"),
       naming("a function as a backward hook", dict({text("w"), hooked(global("os", "system"))}),
              "os.system"),
       naming("a function as a storage's class",
              tuple({text("storage"), global("os", "system"), text("0"), text("cpu"), integer(6)}) + "Q",
              "os.system"),
       naming("a call in the items of a dictionary",
              called(global("collections", "OrderedDict"), {list({tuple({text("w"), payload()})})}),
              "os.system"),
       naming("a call as a key", dict({payload(), six_floats_tensor()}), "os.system"),
       value("a call of what a call gave", payload() + tuple({command()}) + "R",
             "global 'os.system' is not allowed"),
       value("a call of a text", text("os.system") + tuple({command()}) + "R",
             "REDUCE takes a global and a tuple"),
       value("a name with carriage returns", calling("os\r", "system\r"),
             "global 'os\\x0d.system\\x0d' is not allowed"),
       naming("an encoded text decoded", called(global("_codecs", "encode"), {text("x"), text("latin1")}),
              "_codecs.encode")});
}

PickleKind opcodes() {
  const std::string os = global("os", "system");
  const auto unknown = [](const std::string& opcode, const std::string& made) {
    return value(opcode, made, "opcode " + opcode.substr(0, opcode.find(' ')) + " is not allowed");
  };
  return kind("Opcodes", "opcodes that are not read",
              {unknown("INST of os.system", "(" + command() + "ios\nsystem\n"),
               unknown("INST of builtins.eval", "(" + command() + "ibuiltins\neval\n"),
               unknown("OBJ of os.system", "(" + os + command() + "o"),
               unknown("NEWOBJ_EX of os.system", os + tuple({command()}) + "}\x92"),
               unknown("EXT1", "\x82\x01" + tuple({command()}) + "R"),
               unknown("EXT2", "\x83\x01\x01" + tuple({command()}) + "R"),
               unknown("EXT4", "\x84\x01\x01\x01\x01" + tuple({command()}) + "R"),
               naming("a name registered for EXT1",
                      called(global("copyreg", "add_extension"), {text("os"), text("system"), integer(1)}) +
                          "\x82\x01" + tuple({command()}) + "R",
                      "copyreg.add_extension"),
               unknown("PERSID", "Pos.system\n"),
               unknown("STRING for STACK_GLOBAL", "S'os'\nS'system'\n\x93" + tuple({command()}) + "R"),
               unknown("UNICODE for STACK_GLOBAL", "Vos\nVsystem\n\x93" + tuple({command()}) + "R"),
               unknown("BINUNICODE8 for STACK_GLOBAL", "\x8d" + le64(2) + "os" + text("system") + "\x93"),
               unknown("BINBYTES", "B" + le32(2) + "os"), unknown("DUP of a function", os + "2"),
               unknown("PUT", os + "p0\n"), unknown("GET", "g0\n"), unknown("POP_MARK", "(" + os + "1"),
               unknown("FROZENSET", "(" + os + "\x91"), unknown("NEXT_BUFFER", "\x97")});
}

PickleKind builds() {
  const std::string ordered = global("collections", "OrderedDict") + ")R", os = global("os", "system");
  const std::string state = dict({text("__setstate__"), os}),
                    other = "BUILD of something else than a dictionary";
  const std::string parts = dict(
      {text("_parameters"), "}", text("_buffers"), "}", text("_modules"), "}", text("__setstate__"), os});
  return kind(
      "Objects", "objects and their state",
      {value("BUILD of a dictionary, then with a text", ordered + state + "b" + command() + "b", other),
       naming("BUILD of a dictionary with a __setstate__", ordered + state + "b", "os.system"),
       value("BUILD with slots", ordered + tuple({"N", state}) + "b", other),
       value("BUILD of a number", integer(1) + state + "b", other),
       naming("a module with a __setstate__", global("net", "Net") + ")\x81" + parts + "b", "os.system"),
       naming("NEWOBJ of subprocess.Popen", global("subprocess", "Popen") + tuple({command()}) + "\x81",
              "subprocess.Popen"),
       value("NEWOBJ of os.system without state", os + ")\x81",
             "an object of class 'os.system' is not allowed"),
       value("NEWOBJ of a text", text("os.system") + ")\x81", "NEWOBJ takes a global and a tuple"),
       value("SETITEM on an object", global("net", "Net") + ")\x81" + text("a") + payload() + "s",
             "global 'os.system' is not allowed")});
}

PickleKind memos() {
  const std::string rest = tuple({command()}) + "R\x86";  // beside what was put
  return kind(
      "Memo", "names that lie in the memo",
      {naming("STACK_GLOBAL of two entries",
              tuple({text("os") + "q\1", text("system") + "q\2"}) + "h\1h\2\x93" + rest, "os.system"),
       naming(
           "of an entry that was put twice",
           tuple({text("collections") + "q\1", text("os") + "q\1"}) + "h\1" + text("system") + "\x93" + rest,
           "os.system"),
       naming("of an entry by a long number",
              tuple({text("os") + "r" + le32(70'000)}) + "j" + le32(70'000) + text("system") + "\x93" + rest,
              "os.system"),
       naming("of an entry by MEMOIZE",
              tuple({text("os") + "\x94"}) + "h" + "\0"s + text("system") + "\x93" + rest, "os.system"),
       naming("a function from the memo", tuple({global("os", "system") + "q\1"}) + "h\1" + rest,
              "os.system"),
       naming("arguments from the memo",
              tuple({tuple({command()}) + "q\1"}) + global("os", "system") + "h\1" + "R\x86", "os.system"),
       value("an entry that was never put", "h\x63" + rest, "memo 99 was never put")});
}

PickleKind broken_pickles() {
  const std::string os = "global 'os.system' is not allowed", head = "\x80\x02" + payload();
  const std::string magic = pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"s),
                    protocol = pickle("M" + le16(1001)),
                    machine = pickle(dict({text("little_endian"), "\x88"}));
  return kind(
      "Broken", "pickles that would run before they fail",
      {zipped("without an end", head, os), zipped("a byte that is no opcode behind it", head + "\xff.", os),
       zipped("POP of its result", head + "0N.", os),
       zipped("a missing memo entry behind it", head + "h\x63.", os),
       zipped("a text longer than the file behind it", head + "X\xff\xff\xff\xff", os),
       zipped("a frame longer than the file behind it", head + "\x95" + le64(~0ull), os),
       zipped("values left over", "\x80\x02NN" + payload() + ".", os),
       zipped("bytes behind its end", head + "." + head + ".", os),
       zipped("a byte that is no opcode before it", "\x80\x02\xff" + payload() + ".",
              "opcode 0xff is not allowed"),
       zipped("an unknown protocol", "\x80\x09" + payload() + ".", "protocol 9, expected 2 to 5"),
       zipped("protocol 0", "cos\nsystem\n(S'" + hostile_command() + "'\ntR.",
              "expected a pickle of protocol 2 to 5"),
       corpus_file("protocol 0 as a file", "cos\nsystem\n(S'" + hostile_command() + "'\ntR.",
                   "is no checkpoint (its first bytes are 63 6f 73 0a"),
       corpus_file("INST of protocol 0 as a file", "(S'" + hostile_command() + "'\nios\nsystem\n.",
                   "is no checkpoint (its first bytes are 28 53 27"),
       corpus_file("the second pickle of the format before 1.6", magic + pickle(payload()), os),
       corpus_file("the third", magic + protocol + pickle(payload()), os),
       corpus_file("the fourth", magic + protocol + machine + pickle(payload()), os),
       corpus_file("the fifth", magic + protocol + machine + pickle(small_state_dict()) + pickle(payload()),
                   os)});
}

std::vector<ZipPart> hostile_parts() {
  return {{.name = "archive/data.pkl", .bytes = pickle(payload())},
          {.name = "archive/data/0", .bytes = six_floats()}};
}

// A hostile archive after this change to its data.pkl.
HostilePickle archived(const std::string& name, void (*change)(ZipPart&), const std::string& message) {
  std::vector<ZipPart> parts = hostile_parts();
  change(parts[0]);
  return corpus_file(name, zip_bytes(parts), message);
}

// One with a bit set in the flags of its first local header, or of its first line in the directory.
std::string with_flag(std::size_t header, std::size_t offset) {
  std::string bytes = zip_bytes(hostile_parts());
  bytes[header + offset] = static_cast<char>(bytes[header + offset] | 1);
  return bytes;
}

PickleKind archives() {
  const std::string hostile = zip_bytes(hostile_parts()), sound = zip_bytes(sound_parts());
  const std::string differ = "entry 'archive/data.pkl': its local header and the central directory differ";
  std::vector<ZipPart> two = sound_parts();
  two.push_back({.name = "evil/data.pkl", .bytes = pickle(payload())});
  return kind(
      "Archives", "archives that hide a pickle from a scanner",
      {archived(
           "marked as encrypted", [](ZipPart& part) { part.flags = 1; },
           "entry 'archive/data.pkl' is encrypted"),
       corpus_file("so marked in the directory alone", with_flag(hostile.find("PK\1\2"), 8),
                   "entry 'archive/data.pkl' is encrypted"),
       corpus_file("so marked in the local header alone", with_flag(0, 6), differ),
       archived(
           "a wrong CRC-32", [](ZipPart& part) { part.crc_error = 1; }, "the file is damaged"),
       archived(
           "another local name", [](ZipPart& part) { part.local_name = "archive/data.txt"; }, differ),
       archived(
           "another local size", [](ZipPart& part) { part.local_size = 1; }, differ),
       archived(
           "compressed", [](ZipPart& part) { part.method = 8; },
           "entry 'archive/data.pkl' is compressed, expected stored entries"),
       archived(
           "data.pkl in capitals", [](ZipPart& part) { part.name = "archive/DATA.PKL"; },
           "a zip archive with 0 entries */data.pkl"),
       corpus_file("a second model in another folder", zip_bytes(two),
                   "a zip archive with 2 entries */data.pkl"),
       corpus_file("an archive in an archive", zip_bytes({{.name = "inner.pth", .bytes = hostile}}),
                   "a zip archive with 0 entries */data.pkl"),
       zipped("an archive as data.pkl", hostile, "expected a pickle of protocol 2 to 5"),
       corpus_file("a hostile archive behind a sound one", sound + hostile,
                   "the central directory is not where the end record says"),
       corpus_file("a pickle behind a sound archive", sound + pickle(payload()),
                   "no end-of-directory record"),
       corpus_file("a pickle before a sound archive", pickle(payload()) + sound,
                   "global 'os.system' is not allowed"),
       corpus_file("a program before an archive", "MZ\x90"s + hostile,
                   "is no checkpoint (its first bytes are 4d 5a 90"),
       corpus_file("an array of NumPy that holds objects", "\x93NUMPY\1\0"s + pickle(payload()),
                   "is a NumPy array"),
       corpus_file("several such arrays",
                   zip_bytes({{.name = "arr_0.npy", .bytes = "\x93NUMPY\1\0"s + pickle(payload())}}),
                   "a zip archive with 0 entries */data.pkl"),
       corpus_file("gzip", "\x1f\x8b\x08\0"s + pickle(payload()), "is a gzip archive"),
       corpus_file("bzip2", "BZh9" + pickle(payload()), "is a bzip2 archive"),
       corpus_file("xz", "\xfd\x37zXZ"s + pickle(payload()), "is an xz archive"),
       corpus_file("zlib", "\x78\x9c"s + pickle(payload()), "is no checkpoint (its first bytes are 78 9c"),
       corpus_file("lz4", "\x04\x22\x4d\x18"s + pickle(payload()),
                   "is no checkpoint (its first bytes are 04 22 4d 18")});
}

}  // namespace

std::vector<PickleKind> ways_to_call() {
  return {chains(), opcodes(), builds(), memos(), broken_pickles(), archives()};
}

}  // namespace upbench::test
