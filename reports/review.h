#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "harness/store.h"

namespace upbench {

struct ReviewOptions {
  std::size_t most_flagged = 300;  // of each detector; more are sampled
  std::size_t unflagged = 30;      // of each detector, sampled: they say what it misses
  std::uint64_t seed = 1;
};

struct ReviewSummary {
  std::size_t flagged = 0, unflagged = 0;  // on the page
  std::size_t without_picture = 0;         // left out: their outputs were not kept
};

// A page on which somebody accepts or rejects what the artifact detectors decided: result, reference or
// input, and map of each region, by keys, with undo; it exports the labels that `upbench calibrate --labels`
// reads. Pictures lie in the folder PAGE_files beside the page. A sampled decision has the weight of those
// that it stands for. Throws std::system_error where something cannot be written.
ReviewSummary write_review(const Store& store, const Digest& run, const std::filesystem::path& page,
                           const ReviewOptions& options);

}  // namespace upbench
