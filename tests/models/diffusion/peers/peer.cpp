#include "tests/models/diffusion/peers/peer.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "datasets/digest.h"

namespace upbench::test {
namespace {

std::string python() {
  const char* chosen = std::getenv("UPBENCH_PEER_PYTHON");
  return chosen ? chosen : UPBENCH_PYTHON;
}

// Its exit code, and what it said in `said`.
int run_python(std::vector<std::string> arguments, const std::string& said) {
  arguments.insert(arguments.begin(), python());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t files{};
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t process = 0;
  const int failed = posix_spawnp(&process, argv[0], &files, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  if (failed != 0 || waitpid(process, &status, 0) != process) return 127;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path file_of(const std::string& script) {
  return fmt::format("{}/tests/models/diffusion/peers/{}.py", UPBENCH_SOURCE_DIR, script);
}

void compute(const std::string& script, const std::filesystem::path& folder) {
  const std::filesystem::path said = folder / "said.txt";
  const int code = run_python({"-B", file_of(script).string(), folder.string()}, said.string());
  if (code != 0)
    throw std::runtime_error(fmt::format("peer {} ended with {}: {}", script, code, text_of(said)));
}

// Held while one process computes what the others wait for.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& file) : file_(open(file.c_str(), O_RDWR | O_CREAT, 0600)) {
    if (file_ < 0 || flock(file_, LOCK_EX) != 0)
      throw std::runtime_error(fmt::format("{}: cannot be locked", file.string()));
  }
  ~Lock() { close(file_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int file_;
};

// Answers are kept in the build folder, as importing the packages takes seconds and every test is a process;
// another script or interpreter is another answer.
NamedTensors answer_of(const std::string& script) {
  const std::string key = Hasher()
                              .add_field(python())
                              .add_field(text_of(file_of(script)))
                              .add_field(text_of(file_of("peer")))
                              .finish()
                              .short_hex();
  const std::filesystem::path all = UPBENCH_PEER_FOLDER, folder = all / (script + "-" + key);
  std::filesystem::create_directories(all);
  {
    const Lock lock(all / (script + ".lock"));
    if (!std::filesystem::exists(folder)) {
      const std::filesystem::path making = folder.string() + ".making";
      std::filesystem::remove_all(making);
      std::filesystem::create_directories(making);
      compute(script, making);
      std::filesystem::rename(making, folder);
    }
  }
  std::printf("%s", text_of(folder / "said.txt").c_str());
  return read_checkpoint(folder / "out.safetensors").tensors;
}

// For scripts/parity_page.py: the test that asks, and the error.
void write_down(double error) {
  const char* file = std::getenv("UPBENCH_PARITY_FILE");
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  if (file == nullptr || test == nullptr) return;
  std::ofstream(file, std::ios::app) << fmt::format("{}.{}\t{:e}\n", test->test_suite_name(), test->name(),
                                                    error);
}

}  // namespace

bool has_peer_packages(const std::string& packages) {
  // Found, not imported: that takes seconds.
  const std::string check = fmt::format(
      "import importlib.util as u; raise SystemExit(not all(u.find_spec(p.strip()) for p in "
      "'{}'.split(',')))",
      packages);
  return run_python({"-c", check}, "/dev/null") == 0;
}

const NamedTensors& run_peer(const std::string& script) {
  static std::map<std::string, NamedTensors> answers;
  const auto known = answers.find(script);
  return known != answers.end() ? known->second : answers.emplace(script, answer_of(script)).first->second;
}

NamedTensors below(const NamedTensors& tensors, const std::string& prefix) {
  NamedTensors found;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) found.emplace(name.substr(prefix.size()), tensor);
  return found;
}

double relative_error(const at::Tensor& ours, const at::Tensor& expected) {
  double error = std::numeric_limits<double>::infinity();
  if (ours.sizes() == expected.sizes() && at::isfinite(ours).all().item<bool>()) {
    const at::Tensor wanted = expected.to(at::kDouble);
    error = ((ours.to(at::kDouble) - wanted).abs().max() / wanted.abs().max()).item<double>();
  }
  write_down(error);
  return error;
}

}  // namespace upbench::test
