// What a device does with pixels and networks: our kernels beside ATen's operators, ways to compute parts of
// networks, networks of random weights with and without graphs, whole pictures in tiles.
//   build/upbench_device_bench --device cuda:0 --benchmark_out=device.json
// Own options, beside Google Benchmark's:
//   --device D             cuda:0 (default) or cpu
//   --group NAME           that group alone; --list-groups prints their names and opens no device
//   --seconds N            no benchmark begins later
//   --no-peaks             the device's own rates are not measured
//   --write-networks DIR   writes the networks as checkpoints and measures nothing
// Counters: bytes, flop and bus_bytes that one call needs at least; of networks peak_bytes and least_bytes.
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "harness/device.h"
#include "harness/timing/peaks.h"
#include "tests/bench/device_groups.h"
#include "tests/bench/device_measure.h"

namespace upbench::bench {
namespace {

using Group = std::pair<std::string, std::function<void()>>;

std::vector<Group> groups() {
  std::vector<Group> all{{"pixels", add_pixels}, {"metrics", add_metrics}, {"layers", add_layers}};
  for (const std::string& name : network_names()) all.emplace_back(name, [name] { add_network(name); });
  all.emplace_back("pipeline", add_pipeline);
  return all;
}

struct Options {
  std::string group, networks_folder;
  bool list = false, peaks = true;
  std::vector<char*> rest;  // of Google Benchmark, the program's name first
};

Options parse(int argc, char** argv) {
  Options options;
  options.rest.push_back(argv[0]);
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--list-groups")
      options.list = true;
    else if (option == "--no-peaks")
      options.peaks = false;
    else if (option == "--device" && has_value)
      choose_device(argv[++i]);
    else if (option == "--group" && has_value)
      options.group = argv[++i];
    else if (option == "--seconds" && has_value)
      limit_time(std::stod(argv[++i]));
    else if (option == "--write-networks" && has_value)
      options.networks_folder = argv[++i];
    else
      options.rest.push_back(argv[i]);
  }
  return options;
}

void describe(const DeviceInfo& info, bool with_peaks) {
  benchmark::AddCustomContext("device", info.name);
  benchmark::AddCustomContext("description", info.description);
  benchmark::AddCustomContext("cuda_module", on_gpu() ? cuda_module_status().text : "not asked for");
  if (with_peaks)
    benchmark::AddCustomContext("peaks", to_json(measure_peaks(device(), available_threads())).dump());
}

bool add_groups(const std::string& wanted) {
  bool found = false;
  for (const auto& [name, add_group] : groups()) {
    if (!wanted.empty() && name != wanted) continue;
    add_group();
    found = true;
  }
  return found;
}

int run(Options options) {
  if (options.list) {
    for (const Group& group : groups()) fmt::print("{}\n", group.first);
    return 0;
  }
  if (!options.networks_folder.empty()) {
    write_networks(options.networks_folder);
    return 0;
  }
  int count = static_cast<int>(options.rest.size());
  benchmark::Initialize(&count, options.rest.data());
  if (benchmark::ReportUnrecognizedArguments(count, options.rest.data())) return 2;
  describe(open_device(device()), options.peaks);
  if (!add_groups(options.group)) {
    fmt::print(stderr, "unknown group '{}'; --list-groups names them\n", options.group);
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace upbench::bench

int main(int argc, char** argv) {
  try {
    return upbench::bench::run(upbench::bench::parse(argc, argv));
  } catch (const upbench::DeviceError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 4;
  } catch (const std::exception& error) {
    fmt::print(stderr, "upbench_device_bench: {}\n", error.what());
    return 2;
  }
}
