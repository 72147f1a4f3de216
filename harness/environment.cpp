#include "harness/environment.h"

#include <clocale>
#include <cstdlib>

#include <sys/utsname.h>
#include <unistd.h>

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <torch/version.h>
#include <nlohmann/json.hpp>
#include <opencv2/core/version.hpp>

#include "datasets/codec/decode.h"
#include "harness/version.h"

namespace upbench {
namespace {

// Variables that change how LibTorch computes or how many threads it takes.
constexpr const char* kVariables[] = {
    "OMP_NUM_THREADS",      "MKL_NUM_THREADS",         "OMP_PROC_BIND",           "ATEN_CPU_CAPABILITY",
    "CUDA_VISIBLE_DEVICES", "CUBLAS_WORKSPACE_CONFIG", "PYTORCH_CUDA_ALLOC_CONF", "UPBENCH_DEVICE_KERNELS",
    "UPBENCH_ASSETS",       "UPBENCH_WEIGHTS"};

nlohmann::json variables() {
  nlohmann::json set = nlohmann::json::object();
  for (const char* name : kVariables)
    if (const char* value = std::getenv(name)) set[name] = value;
  return set;
}

}  // namespace

std::string program_version() {
  return fmt::format("{} ({}{})", kVersion, kCommit, kModified ? ", modified" : "");
}

EnvironmentRow describe_environment(const DeviceInfo& device, int threads, const DeviceSettings& settings) {
  utsname system{};
  uname(&system);
  const nlohmann::json json = {
      {"upbench", program_version()},
      {"build", {{"compiler", kCompiler}, {"flags", kFlags}}},
      {"libraries",
       {{"libtorch", TORCH_VERSION},
        {"opencv", CV_VERSION},
        {"sqlite", sqlite3_libversion()},
        {"decoder", kDecoderVersion}}},
      {"device",
       {{"name", device.name}, {"description", device.description}, {"memory_bytes", device.memory_bytes}}},
      {"cudnn", {{"benchmark", settings.search_algorithms}, {"deterministic", settings.deterministic}}},
      {"threads", threads},
      {"processors", sysconf(_SC_NPROCESSORS_ONLN)},
      {"cpu_capability", at::get_cpu_capability()},
      {"system", fmt::format("{} {} {}", system.sysname, system.release, system.machine)},
      {"locale", std::setlocale(LC_ALL, nullptr)},
      {"variables", variables()}};
  EnvironmentRow row;
  row.json = json.dump();
  row.key = sha256(row.json);
  return row;
}

}  // namespace upbench
