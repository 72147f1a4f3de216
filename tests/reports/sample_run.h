#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reports/headline.h"
#include "reports/plots.h"
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

// Cells named by the value of one axis, pictures p0, p1, ...; one metric a name (psnr-y in dB, lpips: lower
// is better), scored by score(metric, cell, picture).
RunData scored_run(const std::string& axis, const std::vector<std::string>& cells, std::size_t pictures,
                   const std::vector<std::string>& metrics,
                   const std::function<double(std::size_t, std::size_t, std::size_t)>& score);

// A fixed number between -0.5 and 0.5 for a picture and a stream, as good as random.
double noise(std::size_t picture, std::size_t stream = 0);

Headline headline_of(const RunData& data);
std::vector<Plot> plots_of(const RunData& data);

}  // namespace upbench::test
