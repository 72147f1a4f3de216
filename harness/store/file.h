#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

// What is settled about the store's file before SQLite touches it. All throw StoreError naming the file and
// what to do.
namespace upbench {

inline constexpr std::uint32_t kApplicationId = 0x5550424E;  // "UPBN", at byte 68 of every store

// `file`, or what it points to: log, lock and output folder lie beside the real file.
std::filesystem::path real_file(const std::filesystem::path& file);

std::filesystem::path beside(const std::filesystem::path& file, std::string_view suffix);  // FILE + suffix

// The name of a file system on which SQLite's shared log cannot be trusted, by the magic number of statfs(2).
std::optional<std::string_view> unsafe_filesystem(long magic);

// For a file to be written: refuses a missing or read-only folder, a read-only file and unsafe file systems
// (unless UPBENCH_ALLOW_ANY_FILESYSTEM=1).
void require_writable(const std::filesystem::path& file);

// Refuses what is not a store: a folder or device, an empty file, no SQLite file, a SQLite file of another
// program.
void require_store(const std::filesystem::path& file);

// A log without its store would be replayed into a new one of that name.
void require_no_orphaned_log(const std::filesystem::path& file);

std::string sqlite_uri(const std::filesystem::path& file, std::string_view parameters);

// How a reader opens the file: beside a writer where the folder allows the shared log, as an unchanging file
// where it does not.
std::string reader_uri(const std::filesystem::path& file);

// Held by the one writer of a store; the system frees it when the process dies. A second one: StoreError 2
// with its process id.
class WriterLock {
 public:
  explicit WriterLock(const std::filesystem::path& file);  // locks FILE.lock, which stays
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace upbench
