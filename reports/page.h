#pragma once

#include <string>

#include "reports/decision/decisions.h"
#include "reports/history.h"
#include "reports/pictures/gallery.h"

namespace upbench {

// One self-contained HTML page: works from disk, without network, and (tables) without script. Its policy
// allows no script but the ones in it, by their hashes; text from files, models and prompts appears as text
// only. history: plots of results over many versions, where there is one.
std::string make_page(const Analysis& analysis, const Decisions& decisions, const GalleryOptions& pictures,
                      const HistoryReport* history = nullptr);

}  // namespace upbench
