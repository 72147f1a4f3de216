#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "harness/device.h"
#include "harness/environment.h"
#include "metrics/catalog.h"

namespace upbench {
namespace {

struct Finding {
  std::string what;
  bool fine;
  std::string text;
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

}  // namespace

void add_doctor_command(CLI::App& program, Command& chosen) {
  struct Options {
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* command = program.add_subcommand("doctor", "Say what works on this machine, and what is missing");
  command->add_flag("--json", options->json, "Print it as JSON");
  command->footer("Example:\n  upbench doctor");
  command->callback([options, &chosen] {
    chosen = [options] {
      const DeviceInfo cpu = open_device("cpu");
      std::vector<Finding> findings = {{"program", true, program_version()},
                                       {"processor", true, cpu.description},
                                       check_cuda(),
                                       check_disk()};
      for (const Metric& metric : metrics()) findings.push_back(check_metric(metric));
      if (options->json) {
        nlohmann::json list = nlohmann::json::array();
        for (const Finding& finding : findings)
          list.push_back({{"what", finding.what}, {"ok", finding.fine}, {"text", finding.text}});
        fmt::print(
            "{}\n",
            nlohmann::json{
                {"checks", list},
                {"environment", nlohmann::json::parse(describe_environment(cpu, available_threads()).json)}}
                .dump(2));
      } else {
        for (const Finding& finding : findings)
          fmt::print("{:<6} {:<22} {}\n", finding.fine ? "ok" : "absent", finding.what, finding.text);
      }
      return static_cast<int>(exit_ok);
    };
  });
}

}  // namespace upbench
