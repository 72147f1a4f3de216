#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#ifdef UPBENCH_REPAIR
#include "tests/fuzz/checksums.h"
#endif

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// Does the repair of checksums leave a sound file alone, and undo what a byte of a checksum was changed to?
bool repairs([[maybe_unused]] const std::string& sound) {
#ifdef UPBENCH_REPAIR
  const auto is_sound_after_repair = [&](std::string bytes) {
    upbench::test::UPBENCH_REPAIR({reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()});
    return bytes == sound;
  };
  constexpr std::size_t kLargest = 4096, kChecksum = 4;  // every byte of a file is tried
  if (!is_sound_after_repair(sound)) return false;
  std::size_t undone = 0;
  for (std::size_t i = 0; i < sound.size() && sound.size() <= kLargest; ++i) {
    std::string damaged = sound;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    undone += is_sound_after_repair(damaged) ? 1 : 0;
  }
  return undone >= kChecksum || sound.size() > kLargest;
#else
  return true;
#endif
}

}  // namespace

// Stands in for libFuzzer in an ordinary build: runs every file of a folder, and what each is when it is cut.
int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
    return 2;
  }
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1])) files.insert(entry.path());
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
    std::printf("%s\n", file.filename().c_str());
    std::fflush(stdout);  // the last line names the one that crashes
    LLVMFuzzerTestOneInput(data, bytes.size());
    constexpr std::size_t kCuts = 64;
    if (!repairs(bytes)) {
      std::printf("its checksums are not repaired\n");
      return 1;
    }
    for (std::size_t cut = 1; cut < kCuts; ++cut) LLVMFuzzerTestOneInput(data, bytes.size() * cut / kCuts);
  }
  return files.empty() ? 1 : 0;
}
