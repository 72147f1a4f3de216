#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "harness/device.h"
#include "harness/environment.h"
#include "harness/timing/machine.h"
#include "harness/timing/peaks.h"
#include "harness/timing/session.h"
#include "metrics/catalog.h"

namespace upbench {
namespace {

struct Finding {
  std::string what;
  bool fine;
  std::string text;
  bool warning = false;  // works, but spoils times
};

Finding check_cuda() {
  try {
    return {"GPU", true, open_device("cuda:0").description};
  } catch (const DeviceError& error) {
    return {"GPU", false, error.what()};
  }
}

Finding check_metric(const Metric& metric) {
  std::string reason;
  const bool fine = static_cast<bool>(metric.make(reason));
  return {"metric " + metric.name, fine, fine ? "ready" : reason};
}

Finding check_disk() {
  const auto space = std::filesystem::space(std::filesystem::current_path());
  return {"disk here", space.available > 1'000'000'000,
          fmt::format("{:.1f} GB free", static_cast<double>(space.available) / 1e9)};
}

Finding check_cuda_module() {
  const CudaModuleStatus status = cuda_module_status();
  return {"CUDA module", status.usable, status.text};
}

// What this machine reaches on plain arithmetic and copies: the yardstick of `run --time`.
void add_peaks(const DeviceInfo& device, std::vector<Finding>& findings) {
  const Peaks peaks = measure_peaks(device.name, available_threads());
  const std::string what = "peak " + device.name;
  for (const char* precision : {"fp32", "tf32", "bf16", "fp16"})
    if (const double flops = peak_flops(peaks, precision); flops > 0)
      findings.push_back({what, true, fmt::format("{:.4g} GFLOP/s ({} arithmetic)", flops / 1e9, precision)});
  findings.push_back(
      {what, true, fmt::format("{:.3g} GB/s (copy, read and written)", peaks.copy_bytes_per_s / 1e9)});
}

// Sentences about what makes times slower or less repeatable than they could be.
void add_timing_warnings(const std::string& device, std::vector<Finding>& findings) {
  std::vector<std::string> warnings = machine_warnings(available_threads());
  for (std::string& warning : build_warnings()) warnings.push_back(std::move(warning));
  if (const int index = gpu_index(device); index >= 0) {
    if (const auto nvml = Nvml::open(index))
      for (std::string& warning : gpu_warnings(nvml->read())) warnings.push_back(std::move(warning));
    else
      warnings.emplace_back("NVML cannot be loaded: the GPU's clock, heat and energy are not seen");
  }
  for (std::string& warning : warnings) findings.push_back({"timing", true, std::move(warning), true});
}

std::vector<Finding> examine() {
  std::vector<Finding> findings = {{"program", true, program_version()},
                                   {"processor", true, open_device("cpu").description},
                                   check_cuda(),
                                   check_cuda_module(),
                                   check_disk()};
  for (const Metric& metric : metrics()) findings.push_back(check_metric(metric));
  const DeviceInfo device = open_device("auto");
  add_timing_warnings(device.name, findings);  // before the probe's own load
  add_peaks(open_device("cpu"), findings);
  if (device.name != "cpu") add_peaks(device, findings);
  return findings;
}

const char* verdict(const Finding& finding) {
  if (!finding.fine) return "absent";
  return finding.warning ? "warn" : "ok";
}

}  // namespace

void add_doctor_command(CLI::App& program, Command& chosen) {
  struct Options {
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand(
      "doctor", "Say what works on this machine, what is missing, and what spoils times");
  command->add_flag("--json", options->json, "Print it as JSON");
  command->footer("Example:\n  upbench doctor");
  command->callback([options, &chosen] {
    chosen = [options] {
      const std::vector<Finding> findings = examine();
      if (options->json) {
        nlohmann::json list = nlohmann::json::array();
        for (const Finding& finding : findings)
          list.push_back({{"what", finding.what},
                          {"ok", finding.fine},
                          {"warning", finding.warning},
                          {"text", finding.text}});
        fmt::print(
            "{}\n",
            nlohmann::json{
                {"checks", list},
                {"environment",
                 nlohmann::json::parse(describe_environment(open_device("cpu"), available_threads()).json)}}
                .dump(2));
      } else {
        for (const Finding& finding : findings)
          fmt::print("{:<6} {:<22} {}\n", verdict(finding), finding.what, finding.text);
      }
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
