#pragma once

#include "metrics/artifacts/detector.h"

// One function per detector, each in the file of its name; listed in metrics/artifacts/catalog.cpp.
namespace upbench {

Detector colour_shift_detector();

}  // namespace upbench
