#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reports/analysis.h"

namespace upbench {

// The first screen: what a reader takes away who reads nothing else. Plain text; names in it came from
// outside, so renderers escape it.
struct Headline {
  std::string title;                                       // the run's name
  std::vector<std::pair<std::string, std::string>> facts;  // ("pictures", "5; 228x344 to 512x512")
  std::vector<std::string> findings;                       // one sentence a metric, then speed
  std::vector<std::string> warnings;                       // what limits the findings
};

Headline make_headline(const Analysis& analysis);

}  // namespace upbench
