#pragma once

#include <string>

#include "reports/run_data.h"

namespace upbench::test {

// lanczos and net.pth x tile none and 64 x pictures a, b, c. psnr-y, ssim-y and lpips-alex, the last skipped
// everywhere (no weights). net.pth, none reproduces b (infinite PSNR); net.pth, 64 fails on c; lanczos, 64
// repeats lanczos, none on a.
RunData sample_run();

// The plan of sample_run() with nothing finished.
RunData unfinished_run();

// A run of one model and one picture in which every text that comes from outside is `text`.
RunData hostile_run(const std::string& text);

}  // namespace upbench::test
