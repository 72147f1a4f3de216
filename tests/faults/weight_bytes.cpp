#include "tests/faults/weight_bytes.h"

#include <algorithm>

#include <fmt/format.h>

namespace upbench::test {
namespace {

using namespace std::string_literals;

HostilePickle value(int row, const char* name, const char* input, const std::string& made,
                    const char* message) {
  return {row, name, input, [=] { return torch_zip_of(made); }, message};
}

// A chain that reaches a function over a detour: deny-lists of scanners have missed each of them.
HostilePickle chain(const char* name, const char* module, const char* function, const char* input,
                    const char* message) {
  return value(62, name, input, calling(module, function), message);
}

std::vector<HostilePickle> chains() {
  return {
      chain("Getattr", "builtins", "getattr", "builtins.getattr", "global 'builtins.getattr' is not allowed"),
      chain("Eval", "builtins", "eval", "builtins.eval", "global 'builtins.eval' is not allowed"),
      chain("Exec", "__builtin__", "exec", "exec by its name in Python 2",
            "global '__builtin__.exec' is not allowed"),
      chain("Attrgetter", "operator", "attrgetter", "operator.attrgetter",
            "global 'operator.attrgetter' is not allowed"),
      chain("Partial", "functools", "partial", "functools.partial",
            "global 'functools.partial' is not allowed"),
      chain("CollectEnv", "torch.utils.collect_env", "run", "a function of torch that runs programs",
            "global 'torch.utils.collect_env.run' is not allowed"),
      chain("Spawn", "multiprocessing.util", "spawnv_passfds", "multiprocessing.util.spawnv_passfds",
            "global 'multiprocessing.util.spawnv_passfds' is not allowed"),
      chain("F2py", "numpy.f2py.crackfortran", "getlincoef", "a function of NumPy that evaluates text",
            "global 'numpy.f2py.crackfortran.getlincoef' is not allowed"),
      chain("Pip", "pip", "main", "pip.main", "global 'pip.main' is not allowed"),
      chain("TorchLoad", "torch", "load", "torch.load of another file", "global 'torch.load' is not allowed"),
      chain("TorchHub", "torch.hub", "load", "torch.hub.load", "global 'torch.hub.load' is not allowed"),
      chain("Reconstructor", "copy_reg", "_reconstructor", "copy_reg._reconstructor",
            "global 'copy_reg._reconstructor' is not allowed"),
      value(62, "Getattribute", "an attribute of an allowed name",
            text("collections") + text("OrderedDict.__init__.__globals__") + "\x93",
            "global 'collections.OrderedDict.__init__.__globals__' is not allowed"),
      value(62, "UncalledName", "a forbidden name beside the tensors, never called",
            dict({text("w"), six_floats_tensor(), text("x"), global("os", "system")}),
            "global 'os.system' is not allowed"),
  };
}

std::vector<HostilePickle> objects() {
  const std::string posix = global("posix", "system");
  const std::string state = dict({text("__setstate__"), posix}), command = text(hostile_command());
  return {
      value(58, "Inst", "INST of os.system", "(" + command + "ios\nsystem\n", "opcode INST is not allowed"),
      value(58, "Obj", "OBJ of os.system", "(" + global("os", "system") + command + "o",
            "opcode OBJ is not allowed"),
      value(59, "SetStateOfATensor", "BUILD of a tensor with a __setstate__ of its own",
            six_floats_tensor() + state + "b", "BUILD of something else than a dictionary"),
      value(59, "BuildOfAFunction", "BUILD of a function", posix + state + "b", "BUILD of something else"),
      value(59, "StateThatIsAFunction", "BUILD with a function as state", "}" + posix + "b",
            "BUILD of something else"),
      value(59, "ObjectOfAnotherClass", "an object that is no module",
            dict({text("w"), six_floats_tensor(), text("x"), posix + ")\x81" + state + "b"}),
            "an object of class 'posix.system' is not allowed: it is no torch.nn.Module"),
      value(59, "ObjectWithoutState", "an object without state",
            dict({text("w"), six_floats_tensor(), text("x"), posix + ")\x81"}),
            "an object of class 'posix.system' is not allowed: it is no torch.nn.Module"),
      value(59, "ObjectWithArguments", "an object made with arguments", posix + tuple({command}) + "\x81",
            "global 'posix.system' is not allowed"),
      value(59, "CalledModule", "a module of which one name is called",
            module("net.Net", {"w", six_floats_tensor()}, {"m", calling("os", "system")}),
            "global 'os.system' is not allowed"),
      value(60, "Ext1", "EXT1, a name by number", "\x82\x01)R", "opcode EXT1 is not allowed"),
      value(60, "Ext2", "EXT2", "\x83\x01\x01)R", "opcode EXT2 is not allowed"),
      value(60, "Ext4", "EXT4", "\x84\x01\x01\x01\x01)R", "opcode EXT4 is not allowed"),
      value(61, "NewobjEx", "NEWOBJ_EX of os.system", global("os", "system") + tuple({command}) + "}\x92",
            "opcode NEWOBJ_EX is not allowed"),
      value(61, "Persid", "PERSID, an identity as text", "Pos.system\n", "opcode PERSID is not allowed"),
      value(61, "ModuleIdentity", "a persistent identity that names a function",
            tuple({text("module"), posix, text("m.py"), text("")}) + "Q" + tuple({command}) + "R",
            "global 'posix.system' is not allowed"),
  };
}

}  // namespace

std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets,
                       std::size_t buffer) {
  return safetensors_bytes(
      R"({"w":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}",
      buffer);
}

std::string two_tensors(const std::string& first, const std::string& second, std::size_t buffer) {
  const auto entry = [](const char* name, const std::string& offsets) {
    return "\""s + name + R"(":{"dtype":"F32","shape":[2],"data_offsets":)" + offsets + "}";
  };
  return safetensors_bytes("{" + entry("a", first) + "," + entry("b", second) + "}", buffer);
}

std::string torch_zip_of(const std::string& value) {
  return torch_zip_bytes(pickle(value), six_floats());
}

std::vector<ZipPart> sound_parts() {
  return {{.name = "archive/data.pkl", .bytes = pickle(small_state_dict())},
          {.name = "archive/data/0", .bytes = six_floats()}};
}

std::string six_floats_tensor() {
  return tensor(storage("FloatStorage", "0", integer(6)), integer(0), {integer(6)}, {integer(1)});
}

std::string nested_state_dict() {
  const std::string inner = dict({text("w"), six_floats_tensor()});
  return dict({text("params_ema"), inner, text("params"), inner});
}

std::string module(const std::string& type, const std::vector<std::string>& parameter,
                   const std::vector<std::string>& child, const std::string& memo) {
  const auto held = [](const std::vector<std::string>& item) {
    return item.empty() ? "}"s : dict({text(item[0]), item[1]});
  };
  const std::size_t dot = type.rfind('.');
  return global(type.substr(0, dot), type.substr(dot + 1)) + ")\x81" + memo +
         dict({text("training"), "\x89", text("_parameters"), held(parameter), text("_buffers"), "}",
               text("_modules"), held(child)}) +
         "b";
}

std::string many_references() {
  std::string bytes = "\x80\x02]q\1(";
  for (int i = 0; i < 9'000'000; ++i) bytes += "h\1";
  return bytes + "e.";
}

std::string big_endian_legacy() {
  return pickle("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"s) + pickle("M" + le16(1001)) +
         pickle(dict({text("little_endian"), "\x89"})) + pickle(small_state_dict()) +
         pickle(list({text("0")})) + le64(6) + six_floats();
}

std::string hostile_command() {
  return fmt::format("touch {}", kTrace);
}
std::string calling(const std::string& module, const std::string& name, const std::string& argument) {
  return global(module, name) + tuple({argument}) + "R";
}
std::string calling(const std::string& module, const std::string& name) {
  return calling(module, name, text(hostile_command()));
}

std::vector<HostilePickle> hostile_pickles() {
  std::vector<HostilePickle> all = {
      value(56, "OsSystem", "a pickle that calls os.system", calling("os", "system"),
            "global 'os.system' is not allowed: nothing in a checkpoint is executed"),
      value(56, "Subprocess", "subprocess.Popen", calling("subprocess", "Popen"),
            "global 'subprocess.Popen' is not allowed"),
      {56, "OsSystemLegacy", "the same in the format before 1.6",
       [] { return torch_legacy_bytes(calling("os", "system"), six_floats(), 6); },
       "global 'os.system' is not allowed"},
      {56, "OsSystemFirst", "the same instead of the magic number",
       [] { return pickle(calling("os", "system")); }, "global 'os.system' is not allowed"},
      value(57, "StackGlobal", "STACK_GLOBAL posix.system",
            text("posix") + text("system") + "\x93" + tuple({text(hostile_command())}) + "R",
            "global 'posix.system' is not allowed"),
      {57, "ProtocolFour", "the same with protocol 4",
       [] {
         const std::string command = hostile_command();
         const std::string body = "\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c"s +
                                  static_cast<char>(command.size()) + command + "\x94\x85\x94R\x94.";
         return torch_zip_bytes("\x80\x04\x95" + le64(body.size()) + body, six_floats());
       },
       "global 'posix.system' is not allowed"},
      value(63, "MemoOfTwoMinds", "one memo entry put twice, then called",
            global("collections", "OrderedDict") + "q\1" + global("os", "system") + "q\1\x94" + "h\1" +
                tuple({text(hostile_command())}) + "R",
            "global 'os.system' is not allowed"),
      {64, "BrokenTail", "a payload before a broken tail",
       [] { return torch_zip_bytes("\x80\x02" + calling("os", "system") + "\xff\xff", six_floats()); },
       "global 'os.system' is not allowed"},
  };
  for (const auto& part : {objects(), chains()}) all.insert(all.end(), part.begin(), part.end());
  std::ranges::stable_sort(all, {}, &HostilePickle::row);
  return all;
}

}  // namespace upbench::test
