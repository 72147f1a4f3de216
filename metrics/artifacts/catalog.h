#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "metrics/artifacts/detector.h"

namespace upbench {

// Every detector, each in the file of its name.
const std::vector<Detector>& detectors();

const Detector* find_detector(std::string_view name);  // nullptr: there is none

inline constexpr std::string_view kAllDetectors = "artifacts";  // in a list of metrics: every detector

// One detection per detector, in order; what several need is worked out once. Pictures on a device are
// brought to the CPU. Throws std::invalid_argument for a subject without output and for a picture that is no
// image; pictures whose sizes contradict each other count as not there.
std::vector<Detection> detect(const Subject& subject, std::span<const Detector* const> which);
Detection detect(const Subject& subject, const Detector& detector);

}  // namespace upbench
