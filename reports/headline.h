#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reports/decision/decisions.h"

namespace upbench {

// Plain text; names in it came from outside, so renderers escape it. `evidence`: id of the table that shows
// more; empty: none.
struct Sentence {
  std::string text;
  std::string evidence;
};

// The first screen: what a reader takes away who reads nothing else.
struct Headline {
  std::string title;                                       // the run's name
  std::vector<std::pair<std::string, std::string>> facts;  // ("pictures", "5; 228x344 to 512x512")
  std::vector<Sentence> findings;  // do metrics agree, one a metric, what it hangs on, speed
  std::vector<Sentence> warnings;  // what limits the findings
};

Headline make_headline(const Analysis& analysis, const Decisions& decisions);

// Parts of it.
std::vector<Sentence> make_findings(const Analysis& analysis, const Decisions& decisions);
std::vector<Sentence> make_warnings(const Analysis& analysis, const Decisions& decisions);

}  // namespace upbench
