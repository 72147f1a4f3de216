// What loading a checkpoint of 67 MB (RRDBNet of 23 blocks in fp32) costs beside reading its bytes: plain
// reads into fresh memory, the reader alone, and everything up to a network that can run (read, recognised,
// hashed, bound). `cold`: the file is dropped from the page cache before each round, so that the disk reads.
// And what listing the tensors of 7 GB costs.
//
//   build/upbench_load_bench --benchmark_repetitions=9 --benchmark_enable_random_interleaving=true
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "models/checkpoint/checkpoint.h"
#include "models/inspect.h"
#include "models/network_upscaler.h"
#include "models/networks/registry.h"
#include "models/networks/rrdb.h"
#include "tests/models/checkpoint/sparse_safetensors.h"

namespace upbench {
namespace {

// A file of the size and names of RRDB_PSNR_x4 with random values; removed at exit.
const std::filesystem::path& file() {
  static const struct File {
    File() {
      at::manual_seed(1);
      NamedTensors tensors;
      for (const auto& [name, expected] : rrdb_layout({}, RrdbSpelling::old_esrgan))
        tensors.emplace(name, at::randn(expected.shape).mul_(0.02));
      write_safetensors(path, tensors);
    }
    ~File() { std::filesystem::remove(path); }
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("upbench_load_bench." + std::to_string(getpid()));
  } made;
  return made.path;
}

void drop_from_page_cache() {
  const int descriptor = open(file().c_str(), O_RDONLY);
  fsync(descriptor);
  posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED);
  close(descriptor);
}

void plain_read() {
  const std::size_t size = std::filesystem::file_size(file());
  const std::unique_ptr<char, decltype(&std::free)> memory(static_cast<char*>(std::malloc(size)), &std::free);
  const int descriptor = open(file().c_str(), O_RDONLY);
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = pread(descriptor, memory.get() + done, size - done, static_cast<off_t>(done));
    if (got <= 0) std::abort();
    done += static_cast<std::size_t>(got);
  }
  close(descriptor);
  benchmark::DoNotOptimize(memory.get()[size - 1]);
}

void read_tensors() {
  benchmark::DoNotOptimize(read_checkpoint(file()).tensors.size());
}

void load() {
  const UpscalerPtr upscaler = make_network_upscaler("RRDB", load_network(read_checkpoint(file())));
  benchmark::DoNotOptimize(upscaler.get());
}

void measure(benchmark::State& state, void (*work)(), bool cold) {
  file();
  for ([[maybe_unused]] auto _ : state) {
    if (cold) {
      state.PauseTiming();
      drop_from_page_cache();
      state.ResumeTiming();
    }
    work();
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(std::filesystem::file_size(file())));
}

void list_7_gb(benchmark::State& state) {
  const std::filesystem::path big = file().string() + ".safetensors";
  const auto tensors = test::shapes_of_7_gb();
  test::write_sparse_safetensors(big, tensors);
  for ([[maybe_unused]] auto _ : state) {
    const nlohmann::json facts = inspect_checkpoint(big, {.param_key = "", .header_only = true});
    if (facts["listing"].size() != tensors.size()) state.SkipWithError("not all tensors are listed");
  }
  std::filesystem::remove(big);
}
BENCHMARK(list_7_gb)->Unit(benchmark::kMillisecond);

BENCHMARK_CAPTURE(measure, plain_read_cold, plain_read, true)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, read_checkpoint_cold, read_tensors, true)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, load_network_cold, load, true)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, plain_read_cached, plain_read, false)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, read_checkpoint_cached, read_tensors, false)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(measure, load_network_cached, load, false)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace upbench

BENCHMARK_MAIN();
