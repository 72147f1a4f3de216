#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reports/decision/decisions.h"

namespace upbench {

struct GalleryOptions {
  std::size_t embed_limit = 32'000'000;  // bytes of pictures in the page, as it holds them (base64)
  // Also every picture whole, as files in this folder beside the page; empty: no. Links are relative to its
  // parent.
  std::filesystem::path full_pictures;
};

// Pictures of a run to be judged by eye: outputs of several cells, the reference and what the pipeline got.
// Whole pictures where all fit into the limit, else crops: first where cells are worst, then of every other
// picture.
struct Gallery {
  nlohmann::json data;               // what viewer.js reads, without pixels: see gallery.cpp
  std::vector<std::string> sources;  // lossless pictures, "data:image/webp;base64,..."
  std::vector<std::string> notes;    // what is left out, and why; sentences
};

// Nothing where the stores kept no pictures. Writes the full pictures that the options ask for; throws
// std::system_error where that fails.
std::optional<Gallery> make_gallery(const Analysis& analysis, const Decisions& decisions,
                                    const GalleryOptions& options);

}  // namespace upbench
