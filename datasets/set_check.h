#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/image_set.h"

// Everything that is wrong with a set, in one pass. Torch-free.
namespace upbench {

// note: what decoding does to the picture; warning: a run goes through, but is it what was meant?; problem: a
// run would refuse the set or fail the picture.
enum class Severity { note, warning, problem };
std::string_view to_string(Severity severity);

struct SetFinding {
  Severity severity = Severity::problem;
  std::string kind;            // "undecodable", "missing partner", "duplicate", ...: see check_set
  std::string picture;         // the item's name; empty: the set as a whole
  std::filesystem::path file;  // empty: no one file
  std::string text;            // what, where in the file, what was expected; without the file's name
};

struct SetCheck {
  std::vector<SetFinding> findings;             // of the set as a whole, then by picture
  std::map<std::string, std::size_t> left_out;  // files that are not named as pictures, by suffix
  std::size_t pictures = 0, usable = 0;         // items of the set; those without a problem
  std::uint64_t bytes = 0, pixels = 0;          // of all files read, of all decoded
  bool stopped = false;                         // before all was looked at

  std::size_t count(Severity severity) const;
};

struct SetCheckOptions {
  int threads = 1;
  std::function<void(std::size_t done, std::size_t total)> on_progress;  // from the calling thread
  const std::atomic<bool>* stop = nullptr;
};

// Reads and decodes every file. Kinds of problems: "same name" (two files for one), "missing partner",
// "unreadable", "hash mismatch" (with the manifest), "undecodable" (corrupt, unsupported, over a limit: the
// text says which), "size mismatch", "different scales"; of warnings: "wrong extension", "corrupt" (where the
// set is read leniently), "duplicate" (the same bytes under another name: scored once), "too small" (for
// SSIM's window of 11 pixels), "icc ignored"; of notes: "decoding" (grey, alpha, 16 bit, orientation,
// profile, ...), "cut". Throws std::invalid_argument where there is nothing to check: list_set().
SetCheck check_set(const ImageSetSpec& spec, const SetCheckOptions& options = {});

}  // namespace upbench
