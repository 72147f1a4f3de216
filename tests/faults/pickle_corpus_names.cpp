#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/faults/pickle_corpus.h"

// Functions that pickles were found to call.
namespace upbench::test {
namespace {

using namespace std::string_literals;

using Function = std::pair<const char*, const char*>;  // module, name in it

// Protocol 4: texts and STACK_GLOBAL instead of GLOBAL, in a frame.
std::string framed_call(const Function& function) {
  const auto brief = [](const std::string& word) {
    return "\x8c"s + static_cast<char>(word.size()) + word + "\x94";
  };
  const std::string body = brief(function.first) + brief(function.second) + "\x93\x94" +
                           brief(hostile_command()) + "\x85\x94R\x94.";
  return "\x80\x04\x95" + le64(body.size()) + body;
}

PickleKind calls(const char* name, const char* what, const std::vector<Function>& functions) {
  PickleKind all{.name = name, .input = {}, .files = {}};
  std::vector<std::string> named;
  for (const Function& function : functions) {
    const std::string full = fmt::format("{}.{}", function.first, function.second),
                      message = fmt::format("global '{}' is not allowed", full);
    named.push_back(fmt::format("`{}`", full));
    all.files.push_back(corpus_file(full, torch_zip_of(calling(function.first, function.second)), message));
    all.files.push_back(corpus_file(full + " by STACK_GLOBAL",
                                    torch_zip_bytes(framed_call(function), six_floats()), message));
  }
  all.input = fmt::format("{}: {}", what, fmt::join(named, ", "));
  return all;
}

PickleKind programs() {
  return calls("Programs", "functions that start programs",
               {{"os", "system"},
                {"os", "popen"},
                {"os", "execv"},
                {"os", "spawnv"},
                {"os", "posix_spawn"},
                {"os", "startfile"},
                {"posix", "system"},
                {"nt", "system"},
                {"subprocess", "Popen"},
                {"subprocess", "run"},
                {"subprocess", "check_output"},
                {"subprocess", "getoutput"},
                {"commands", "getoutput"},
                {"pty", "spawn"},
                {"platform", "popen"},
                {"distutils.spawn", "spawn"},
                {"multiprocessing.util", "spawnv_passfds"},
                {"asyncio.unix_events", "_UnixSubprocessTransport._start"},
                {"test.support.script_helper", "assert_python_ok"},
                {"uuid", "_get_command_stdout"},
                {"_osx_support", "_read_output"},
                {"_aix_support", "_read_cmd_output"},
                {"_pyrepl.pager", "pipe_pager"},
                {"imaplib", "IMAP4_stream"},
                {"ctypes", "CDLL"}});
}

PickleKind evaluation() {
  return calls("Evaluation", "functions that evaluate text",
               {{"builtins", "eval"},
                {"builtins", "exec"},
                {"builtins", "compile"},
                {"__builtin__", "eval"},
                {"__builtin__", "execfile"},
                {"__builtin__", "apply"},
                {"runpy", "run_path"},
                {"runpy", "_run_code"},
                {"code", "InteractiveInterpreter.runcode"},
                {"timeit", "timeit"},
                {"profile", "run"},
                {"cProfile", "runctx"},
                {"trace", "Trace.run"},
                {"pdb", "run"},
                {"bdb", "Bdb.run"},
                {"doctest", "debug_script"},
                {"idlelib.run", "Executive.runcode"},
                {"idlelib.pyshell", "ModifiedInterpreter.runcode"},
                {"idlelib.autocomplete", "AutoComplete.get_entity"},
                {"idlelib.calltip", "Calltip.fetch_tip"},
                {"lib2to3.pgen2.pgen", "ParserGenerator.make_label"}});
}

PickleKind imports() {
  return calls("Imports", "functions that import or install code",
               {{"importlib", "import_module"},
                {"builtins", "__import__"},
                {"imp", "load_source"},
                {"pkgutil", "resolve_name"},
                {"zipimport", "zipimporter"},
                {"runpy", "run_module"},
                {"pip", "main"},
                {"pip._internal", "main"},
                {"pip._internal.cli.main", "main"},
                {"ensurepip", "_run_pip"},
                {"venv", "create"},
                {"logging.config", "_resolve"},
                {"site", "execsitecustomize"}});
}

PickleKind detours() {
  return calls("Detours", "functions that reach others",
               {{"builtins", "getattr"},
                {"builtins", "setattr"},
                {"builtins", "map"},
                {"builtins", "vars"},
                {"operator", "attrgetter"},
                {"operator", "itemgetter"},
                {"operator", "methodcaller"},
                {"functools", "partial"},
                {"functools", "reduce"},
                {"itertools", "starmap"},
                {"types", "FunctionType"},
                {"types", "CodeType"},
                {"copyreg", "_reconstructor"},
                {"copyreg", "add_extension"},
                {"atexit", "register"},
                {"threading", "Thread"},
                {"signal", "signal"},
                {"sys", "settrace"}});
}

PickleKind loaders() {
  return calls("Loaders", "functions that load another pickle",
               {{"torch", "load"},
                {"torch.serialization", "load"},
                {"torch.jit", "load"},
                {"torch.hub", "load"},
                {"torch.hub", "load_state_dict_from_url"},
                {"torch.storage", "_load_from_bytes"},
                {"torch.utils._config_module", "load_config"},
                {"pickle", "loads"},
                {"_pickle", "Unpickler"},
                {"cPickle", "loads"},
                {"marshal", "loads"},
                {"dill", "loads"},
                {"cloudpickle", "loads"},
                {"joblib", "load"},
                {"shelve", "open"},
                {"pandas", "read_pickle"},
                {"numpy", "load"},
                {"lib2to3.pgen2.grammar", "Grammar.loads"}});
}

PickleKind libraries() {
  return calls("Libraries", "functions of PyTorch and NumPy that run something",
               {{"torch.utils.collect_env", "run"},
                {"torch.utils.cpp_extension", "load_inline"},
                {"torch.utils.bottleneck.__main__", "run_cprofile"},
                {"torch.utils.data.datapipes.utils.decoder", "basichandlers"},
                {"torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression"},
                {"torch._dynamo.guards", "GuardBuilder.get"},
                {"torch._inductor.codecache", "compile_file"},
                {"torch.distributed.rpc", "rpc_sync"},
                {"torch._utils", "_rebuild_qtensor"},
                {"numpy.f2py.crackfortran", "myeval"},
                {"numpy.f2py.crackfortran", "getlincoef"},
                {"numpy.testing._private.utils", "runstring"},
                {"numpy.core.multiarray", "_reconstruct"},
                {"numpy.distutils.exec_command", "exec_command"}});
}

PickleKind network() {
  return calls("Network", "functions that connect to other machines",
               {{"socket", "socket"},
                {"socket", "create_connection"},
                {"webbrowser", "open"},
                {"urllib.request", "urlopen"},
                {"urllib", "urlretrieve"},
                {"http.client", "HTTPSConnection"},
                {"httplib", "HTTPSConnection"},
                {"requests.api", "get"},
                {"aiohttp.client", "ClientSession"},
                {"smtplib", "SMTP"},
                {"ftplib", "FTP"},
                {"logging.config", "listen"}});
}

PickleKind files() {
  return calls("Files", "functions that write or remove files",
               {{"builtins", "open"},
                {"io", "FileIO"},
                {"os", "remove"},
                {"shutil", "rmtree"},
                {"shutil", "copyfile"},
                {"pathlib", "Path.unlink"},
                {"tempfile", "mkstemp"},
                {"distutils.file_util", "write_file"}});
}

PickleKind look_alikes() {
  return calls("LookAlikes", "names that look like others",
               {{"OS", "system"},
                {"\xd0\xbes", "system"},  // a Cyrillic o
                {"posixpath", "os.system"},
                {"torch.serialization", "os.system"},
                {"collections", "OrderedDict.fromkeys"},
                {"collections", "abc.sys.modules"},
                {"torch._utils", "_rebuild_tensor_v2.__globals__"}});
}

}  // namespace

std::vector<PickleKind> named_functions() {
  return {programs(),  evaluation(), imports(), detours(),    loaders(),
          libraries(), network(),    files(),   look_alikes()};
}

}  // namespace upbench::test
