#pragma once

#include <string>

#include "reports/decision/decisions.h"
#include "reports/pictures/gallery.h"

namespace upbench {

// One self-contained HTML page: works from disk, without network, and (tables) without script. Its policy
// allows no script but the ones in it, by their hashes; text from files, models and prompts appears as text
// only.
std::string make_page(const Analysis& analysis, const Decisions& decisions, const GalleryOptions& pictures);

}  // namespace upbench
