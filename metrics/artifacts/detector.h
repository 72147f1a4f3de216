#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/image_fwd.h"

// What an artifact detector is given and what it gives back. Torch-free: an Image is only pointed to.
namespace upbench {

// Where two tiles meet, in pixels of the output: the transition covers position +- half_width across the
// whole picture. Position x is the line between the pixels x - 1 and x.
struct TileBoundary {
  bool vertical = true;  // a vertical line: position is an x
  double position = 0;
  double half_width = 0;
};

// A picture and what is known of how it came about. Images are RGB [3, H, W], borrowed; nullptr: not known.
struct Subject {
  const Image* output = nullptr;     // as the pipeline left it: unclamped, NaN allowed. Never nullptr
  const Image* reference = nullptr;  // the true picture
  const Image* input = nullptr;      // what was upscaled, smaller than the output (or of its size)
  const Image* base = nullptr;       // the upscaled picture before a refine stage
  const Image* fidelity = nullptr;   // an upscaling of the same input by a network trained on squared error
  std::vector<TileBoundary> boundaries = {};
  bool boundaries_known = false;                // with no boundaries: it was made in one piece
  int expected_width = 0, expected_height = 0;  // 0: any size will do
};

// Detector's unit at each cell of a grid that covers the picture evenly, rows top to bottom.
struct ArtifactMap {
  int width = 0, height = 0;  // in cells
  std::vector<float> values = {};
  bool empty() const { return values.empty(); }
};

struct ArtifactBox {
  int x = 0, y = 0, width = 0, height = 0;  // pixels of the output
  double value = 0;                         // largest in it, in the detector's unit
};

inline constexpr std::size_t kMostBoxes = 8;

// A figure that went into the value, for people.
struct ArtifactPart {
  std::string name, unit;
  double value = 0;
};

struct Detection {
  double value = 0;     // in the detector's unit: larger is worse, a clean picture is at or near 0
  std::string missing;  // not empty: the detector does not apply here, and why; nothing else is then filled
  // Not empty: found in a way that calibration does not cover, and which: never gates. Left to who knows what
  // the subject stands for.
  std::string uncalibrated = {};
  std::vector<ArtifactPart> parts = {};
  ArtifactMap map = {};                 // empty: the detector has none, or found nothing
  std::vector<ArtifactBox> boxes = {};  // the worst regions, worst first, at most kMostBoxes
};

// The pictures of a subject with what several detectors need of them (metrics/artifacts/prepared.h).
class Prepared;

struct Detector {
  std::string name;            // kebab-case, never renamed: "colour-shift"
  std::string unit;            // "%", "px", "DeltaE", ...
  std::string convention;      // printed with every number: what is measured
  std::string needs;           // for people: "reference or input"; empty: nothing but the output
  int version = 1;             // rises whenever the value of any subject may change
  int decimals = 3;            // for reports
  bool by_fidelity = false;    // without a reference, judges by the result of a fidelity model
  bool by_boundaries = false;  // looks at tile boundaries; where these are unknown it never gates
  // Pure; never throws for what a picture holds.
  Detection (*detect)(const Prepared& subject) = nullptr;
};

}  // namespace upbench
