#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Null where the target has none of its own (mutator.cpp).
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                                             std::size_t max_size, unsigned seed);

namespace {

constexpr std::size_t kNone = SIZE_MAX;
std::size_t changed_byte = kNone;  // by the next mutation

// Does a mutation with repaired checksums leave a sound file alone when it changes nothing, and undo what a
// byte of a checksum was changed to?
bool repairs(const std::string& sound) {
  if (!LLVMFuzzerCustomMutator) return true;
  const auto is_sound_after = [&](std::size_t changed) {
    changed_byte = changed;
    std::string bytes = sound;
    LLVMFuzzerCustomMutator(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size(), bytes.size(), 1);
    return bytes == sound;
  };
  constexpr std::size_t kLargest = 4096, kChecksum = 4;  // every byte of a file is tried
  if (!is_sound_after(kNone)) return false;
  std::size_t undone = 0;
  for (std::size_t i = 0; i < sound.size() && sound.size() <= kLargest; ++i)
    undone += is_sound_after(i) ? 1 : 0;
  return undone >= kChecksum || sound.size() > kLargest;
}

}  // namespace

// libFuzzer's own mutation, for mutator.cpp.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t /*max_size*/) {
  if (changed_byte < size) data[changed_byte] ^= 1;
  return size;
}

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
