#pragma once

#include <string>
#include <string_view>

// A user's own judgements, made on the page that `upbench review` writes.
namespace upbench {

// The calibration file with sensitivity, specificity and those of the union as they are on the user's
// pictures, from a labels file: {"labels": [{"output", "detector", "calibration", "flagged", "label":
// "accept" | "reject", "weight"}]}. A label of weight w stands for w judgements, because unflagged results
// are sampled (Begg, Greenes, Assessment of diagnostic tests when disease verification is subject to
// selection bias, 1983). Counts are scaled back to the number of labels. Thresholds and which detectors gate
// stay. The version becomes that of the calibration with "+labels". Throws std::invalid_argument for a file
// that is none, naming `source`.
std::string calibration_with_labels(std::string_view calibration, std::string_view labels,
                                    std::string_view source);

}  // namespace upbench
