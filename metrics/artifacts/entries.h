#pragma once

#include "metrics/artifacts/detector.h"

// One function per detector, each in the file of its name; listed in metrics/artifacts/catalog.cpp.
namespace upbench {

Detector seam_detector();
Detector halo_detector();
Detector ringing_detector();
Detector hallucination_detector();
Detector drift_detector();
Detector colour_shift_detector();
Detector texture_loss_detector();
Detector noise_residue_detector();
Detector banding_detector();
Detector blocking_detector();
Detector broken_detector();
Detector text_damage_detector();

}  // namespace upbench
