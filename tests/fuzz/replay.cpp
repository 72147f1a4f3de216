#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

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
    for (std::size_t cut = 1; cut < kCuts; ++cut) LLVMFuzzerTestOneInput(data, bytes.size() * cut / kCuts);
  }
  return files.empty() ? 1 : 0;
}
