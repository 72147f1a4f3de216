#include "reports/report.h"

#include <clocale>
#include <filesystem>
#include <fstream>
#include <locale>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Report, MarkdownOfTheSample) {
  EXPECT_EQ(report_markdown(test::sample_run()), R"md(# sample

- psnr-y: lanczos · tile none is best with a mean of 32.00 dB; next is lanczos · tile 64, 1.00 dB behind on average and beaten on 2 of 3 pictures.
- ssim-y: net.pth · tile none is best with a mean of 0.950; next is lanczos · tile none, 0.100 behind on average and beaten on 3 of 3 pictures.
- lpips-alex: no score.
- Fastest: lanczos · tile none with 2.00 ms a picture (model time, median).

What limits this:

- 1 of 12 trials failed; see “Failed and skipped trials”.
- Only 3 pictures: small differences may not hold for others (fewer than 20).
- psnr-y: net.pth · tile none, net.pth · tile 64 did not score every picture (failed, missing or infinite); shown, but not called best.
- ssim-y: net.pth · tile 64 did not score every picture (failed, missing or infinite); shown, but not called best.
- 1 infinite score (output identical to the reference) left out of the means.

The run:

- started: 2025-03-01T10:00:00Z
- finished: 2025-03-01T10:05:00Z
- upbench: 0.1.0
- device: a CPU
- pictures: 3, input 32x24 px
- scale: x4
- cells: 4
- trials: 12 (11 ok, 1 failed, 0 skipped, 0 to do; 1 repeat another, 0 gave another cell's pixels by themselves)
- conventions: psnr-y: BT.601 Y, peak 255, 4 px border cut · ssim-y: Gaussian 11x11, 4 px border cut · lpips-alex: v0.1

## Ranking

Best first by psnr-y. Mean ± standard deviation over n pictures; bold: best mean to the printed digit, among cells that scored every picture. Times: median of a picture; model time on 1 of 3.

| model | tile | n | psnr-y \[dB\] ↑ | ssim-y ↑ | lpips-alex ↓ | model time | sweep time | peak memory | failed |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| lanczos | none | 3 | **32.00 ± 2.00** | 0.850 ± 0.050 | – | 2.00 ms | 4.00 ms | – | 0 |
| lanczos | 64 | 3 | 31.00 ± 1.00 | 0.840 ± 0.040 | – | 2.00 ms | 4.00 ms | – | 0 |
| net.pth | none | 3 | 34.00 ± 1.41 (without 1 ∞) | **0.950 ± 0.050** | – | 4.00 s | 8.00 s | 3.00 MiB | 0 |
| net.pth | 64 | 2 | 33.50 ± 0.71 | 0.940 ± 0.057 | – | 4.00 s | 8.00 s | – | 1 |

## Axes

Mean ± standard deviation over pictures of all cells with the value. Δ: mean difference from the axis's first value on the same picture, between cells that differ in this axis alone.

| axis | value | cells | psnr-y \[dB\] ↑ | Δ psnr-y | ssim-y ↑ | Δ ssim-y | lpips-alex ↓ | Δ lpips-alex |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| model | lanczos | 2 | 31.50 ± 1.50 | – | 0.845 ± 0.045 | – | – | – |
| model | net.pth | 2 | 34.00 ± 1.00 | 2.50 | 0.947 ± 0.045 | 0.100 | – | – |
| tile | none | 2 | 32.67 ± 1.61 | – | 0.900 ± 0.050 | – | – | – |
| tile | 64 | 2 | 32.00 ± 0.50 | -0.75 | 0.873 ± 0.049 | -0.010 | – | – |

## Failed and skipped trials

| status | cell | reason | trials | pictures |
| --- | --- | --- | ---: | --- |
| failed | net.pth · tile 64 | out of memory | 1 | c |

## Scores without a value

Of trials that are ok otherwise.

| metric | status | reason | trials | pictures |
| --- | --- | --- | ---: | --- |
| lpips-alex | skipped | no weights | 11 | a, b, c |

## Every trial

| model | tile | picture | psnr-y \[dB\] ↑ | ssim-y ↑ | lpips-alex ↓ | status | reason | same as | model time | sweep time | peak memory |
| --- | --- | --- | ---: | ---: | ---: | --- | --- | --- | ---: | ---: | ---: |
| lanczos | none | a | 30.00 | 0.800 | – | ok |  |  | 2.00 ms | 4.00 ms | – |
| lanczos | none | b | 32.00 | 0.900 | – | ok |  |  | – | 4.00 ms | – |
| lanczos | none | c | 34.00 | 0.850 | – | ok |  |  | – | 4.00 ms | – |
| lanczos | 64 | a | 30.00 | 0.800 | – | ok |  | lanczos · tile none, a, seed 0 | – | – | – |
| lanczos | 64 | b | 31.00 | 0.880 | – | ok |  |  | – | 4.00 ms | – |
| lanczos | 64 | c | 32.00 | 0.840 | – | ok |  |  | – | 4.00 ms | – |
| net.pth | none | a | 33.00 | 0.900 | – | ok |  |  | 4.00 s | 8.00 s | 3.00 MiB |
| net.pth | none | b | ∞ | 1.000 | – | ok |  |  | – | 8.00 s | 3.00 MiB |
| net.pth | none | c | 35.00 | 0.950 | – | ok |  |  | – | 8.00 s | 3.00 MiB |
| net.pth | 64 | a | 33.00 | 0.900 | – | ok |  |  | 4.00 s | 8.00 s | – |
| net.pth | 64 | b | 34.00 | 0.980 | – | ok |  |  | – | 8.00 s | – |
| net.pth | 64 | c | – | – | – | failed | out of memory |  | – | 8.00 s | – |

## Left out

Cells that the spec or the plan excluded.

| cell | reason | trials |
| --- | --- | ---: |
| upscale.model = net_x2.pth | scale 2, but the pictures ask for 4 | 6 |

## Repeated cells

Trials whose settings compute the same pixels as another's: computed once, shown in both.

| cell | same as | trials | pictures |
| --- | --- | ---: | --- |
| lanczos · tile 64 | lanczos · tile none | 1 | a |

## Notes on pictures

| picture | note |
| --- | --- |
| c | reference cut from 130x97 to 128x96 |

## Conventions

What each metric means here; figures under other conventions are not comparable.

| metric | unit | better | border | convention | version |
| --- | --- | --- | --- | --- | --- |
| psnr-y | dB | higher | 4 px | BT.601 Y, peak 255 | 1 |
| ssim-y | none | higher | 4 px | Gaussian 11x11 | 1 |
| lpips-alex | none | lower | 0 px | v0.1 | 1 |

## Fixed settings

Settings with one value in all cells, defaults included.

| setting | value |
| --- | --- |
| upscale.overlap | 16 |

## Environment

Where the run was started.

| what | value |
| --- | --- |
| device.description | a CPU |
| device.name | cpu |
| threads | 2 |
| upbench | 0.1.0 |
| command | \["upbench","run","sample.yaml"\] |
| run key | acba25512100f80b56fc3ccd14c65be55d94800cda77585c5f41a887e398f9be |
)md");
}

TEST(Report, CsvOfTheSample) {
  std::string csv = report_csv(test::sample_run());
  std::erase(csv, '\r');
  EXPECT_EQ(
      csv,
      R"csv(upscale.model,upscale.tile,picture,seed,psnr-y,ssim-y,lpips-alex,status,reason,flags,same_as,cost_model_s,cost_sweep_s,cost_peak_bytes
lanczos,none,a,0,30,0.8,,ok,lpips-alex skipped: no weights,,,0.002,0.004,
lanczos,none,b,0,32,0.9,,ok,lpips-alex skipped: no weights,,,,0.004,
lanczos,none,c,0,34,0.85,,ok,lpips-alex skipped: no weights,,,,0.004,
lanczos,64,a,0,30,0.8,,ok,lpips-alex skipped: no weights,,"lanczos · tile none, a, seed 0",,,
lanczos,64,b,0,31,0.88,,ok,lpips-alex skipped: no weights,,,,0.004,
lanczos,64,c,0,32,0.84,,ok,lpips-alex skipped: no weights,,,,0.004,
net.pth,none,a,0,33,0.9,,ok,lpips-alex skipped: no weights,,,4,8,3145728
net.pth,none,b,0,inf,1,,ok,lpips-alex skipped: no weights,,,,8,3145728
net.pth,none,c,0,35,0.95,,ok,lpips-alex skipped: no weights,,,,8,3145728
net.pth,64,a,0,33,0.9,,ok,lpips-alex skipped: no weights,,,4,8,
net.pth,64,b,0,34,0.98,,ok,lpips-alex skipped: no weights,,,,8,
net.pth,64,c,0,,,,failed,out of memory,,,,8,
)csv");
}

TEST(Report, LatexOfTheSample) {
  EXPECT_EQ(report_latex(test::sample_run()), R"tex(% upbench report of sample; needs \usepackage{booktabs}
\begin{table}
\centering
\caption{Best first by psnr-y. Mean $\pm$ standard deviation over n pictures; bold: best mean to the printed digit, among cells that scored every picture. Times: median of a picture; model time on 1 of 3.}
\label{tab:ranking}
\begin{tabular}{llrrrrrrrr}
\toprule
model & tile & n & psnr-y [dB] $\uparrow$ & ssim-y $\uparrow$ & lpips-alex $\downarrow$ & model time & sweep time & peak memory & failed \\
\midrule
lanczos & none & 3 & \textbf{32.00 $\pm$ 2.00} & 0.850 $\pm$ 0.050 & -- & 2.00 ms & 4.00 ms & -- & 0 \\
lanczos & 64 & 3 & 31.00 $\pm$ 1.00 & 0.840 $\pm$ 0.040 & -- & 2.00 ms & 4.00 ms & -- & 0 \\
net.pth & none & 3 & 34.00 $\pm$ 1.41 (without 1 $\infty$) & \textbf{0.950 $\pm$ 0.050} & -- & 4.00 s & 8.00 s & 3.00 MiB & 0 \\
net.pth & 64 & 2 & 33.50 $\pm$ 0.71 & 0.940 $\pm$ 0.057 & -- & 4.00 s & 8.00 s & -- & 1 \\
\bottomrule
\end{tabular}
\end{table}
\begin{table}
\centering
\caption{Mean $\pm$ standard deviation over pictures of all cells with the value. $\Delta$: mean difference from the axis's first value on the same picture, between cells that differ in this axis alone.}
\label{tab:axes}
\begin{tabular}{llrrrrrrr}
\toprule
axis & value & cells & psnr-y [dB] $\uparrow$ & $\Delta$ psnr-y & ssim-y $\uparrow$ & $\Delta$ ssim-y & lpips-alex $\downarrow$ & $\Delta$ lpips-alex \\
\midrule
model & lanczos & 2 & 31.50 $\pm$ 1.50 & -- & 0.845 $\pm$ 0.045 & -- & -- & -- \\
model & net.pth & 2 & 34.00 $\pm$ 1.00 & 2.50 & 0.947 $\pm$ 0.045 & 0.100 & -- & -- \\
tile & none & 2 & 32.67 $\pm$ 1.61 & -- & 0.900 $\pm$ 0.050 & -- & -- & -- \\
tile & 64 & 2 & 32.00 $\pm$ 0.50 & -0.75 & 0.873 $\pm$ 0.049 & -0.010 & -- & -- \\
\bottomrule
\end{tabular}
\end{table}
)tex");
}

TEST(Report, TextOfTheSample) {
  EXPECT_EQ(
      report_ranking_text(test::sample_run()),
      R"txt(model    tile  n               psnr-y [dB] ↑        ssim-y ↑  lpips-alex ↓  model time  sweep time  peak memory  failed
lanczos  none  3               32.00 ± 2.00*   0.850 ± 0.050             –     2.00 ms     4.00 ms            –       0
lanczos  64    3                31.00 ± 1.00   0.840 ± 0.040             –     2.00 ms     4.00 ms            –       0
net.pth  none  3  34.00 ± 1.41 (without 1 ∞)  0.950 ± 0.050*             –      4.00 s      8.00 s     3.00 MiB       0
net.pth  64    2                33.50 ± 0.71   0.940 ± 0.057             –      4.00 s      8.00 s            –       1
)txt");
}

TEST(Report, JsonOfTheSample) {
  const nlohmann::json json = nlohmann::json::parse(report_json(test::sample_run()));
  EXPECT_EQ(json["tables"]["ranking"].dump(1), R"json([
 {
  "cost_model_s": 0.002,
  "cost_peak_bytes": null,
  "cost_sweep_s": 0.004,
  "failed": 0,
  "flags_of_values": {
   "lpips-alex": "undefined"
  },
  "lpips-alex": null,
  "lpips-alex_sd": null,
  "n": 3,
  "psnr-y": 32.0,
  "psnr-y_sd": 2.0,
  "ssim-y": 0.8500000000000001,
  "ssim-y_sd": 0.04999999999999999,
  "upscale.model": "lanczos",
  "upscale.tile": "none"
 },
 {
  "cost_model_s": 0.002,
  "cost_peak_bytes": null,
  "cost_sweep_s": 0.004,
  "failed": 0,
  "flags_of_values": {
   "lpips-alex": "undefined"
  },
  "lpips-alex": null,
  "lpips-alex_sd": null,
  "n": 3,
  "psnr-y": 31.0,
  "psnr-y_sd": 1.0,
  "ssim-y": 0.84,
  "ssim-y_sd": 0.03999999999999998,
  "upscale.model": "lanczos",
  "upscale.tile": "64"
 },
 {
  "cost_model_s": 4.0,
  "cost_peak_bytes": 3145728,
  "cost_sweep_s": 8.0,
  "failed": 0,
  "flags_of_values": {
   "lpips-alex": "undefined"
  },
  "lpips-alex": null,
  "lpips-alex_sd": null,
  "n": 3,
  "psnr-y": 34.0,
  "psnr-y_sd": 1.4142135623730951,
  "ssim-y": 0.9499999999999998,
  "ssim-y_sd": 0.04999999999999999,
  "upscale.model": "net.pth",
  "upscale.tile": "none"
 },
 {
  "cost_model_s": 4.0,
  "cost_peak_bytes": null,
  "cost_sweep_s": 8.0,
  "failed": 1,
  "flags_of_values": {
   "lpips-alex": "undefined"
  },
  "lpips-alex": null,
  "lpips-alex_sd": null,
  "n": 2,
  "psnr-y": 33.5,
  "psnr-y_sd": 0.7071067811865476,
  "ssim-y": 0.94,
  "ssim-y_sd": 0.056568542494923775,
  "upscale.model": "net.pth",
  "upscale.tile": "64"
 }
])json");
  EXPECT_EQ(json["trials"][7].dump(1), R"json({
 "cost_model_s": null,
 "cost_peak_bytes": 3145728,
 "cost_sweep_s": 8.0,
 "flags": "",
 "flags_of_values": {
  "lpips-alex": "skipped",
  "psnr-y": "inf"
 },
 "lpips-alex": null,
 "picture": "b",
 "psnr-y": null,
 "reason": "lpips-alex skipped: no weights",
 "same_as": "",
 "seed": "0",
 "ssim-y": 1.0,
 "status": "ok",
 "upscale.model": "net.pth",
 "upscale.tile": "none"
})json");
  EXPECT_EQ(json["trials"].size(), 12U);
  EXPECT_EQ(json["name"], "sample");
}

TEST(Report, CostColumnsAreTheOnlyOnesThatMayDiffer) {
  // The contract of the CSV: without its cost_ columns it is the same for the same spec.
  const std::string csv = report_csv(test::sample_run());
  const std::string header = csv.substr(0, csv.find("\r\n"));
  EXPECT_EQ(header,
            "upscale.model,upscale.tile,picture,seed,psnr-y,ssim-y,lpips-alex,status,reason,"
            "flags,same_as,cost_model_s,"
            "cost_sweep_s,cost_peak_bytes");
}

TEST(Report, NothingFinished) {
  const RunData data = test::unfinished_run();
  const std::string markdown = report_markdown(data);
  EXPECT_THAT(markdown, HasSubstr("- No trial has finished."));
  EXPECT_THAT(markdown, HasSubstr("12 of 12 trials are still to do"));
  EXPECT_THAT(report_csv(data), HasSubstr("lanczos,none,a,0,,,,pending,,,,,,"));
  EXPECT_TRUE(nlohmann::json::accept(report_json(data)));
}

TEST(Report, AllFailed) {
  RunData data;
  data.plan = test::sample_run().plan;
  for (std::uint32_t cell = 0; cell < 4; ++cell)
    for (std::uint32_t image = 0; image < 3; ++image)
      data.add({.cell = cell,
                .image = image,
                .finished = true,
                .status = Status::failed,
                .reason = "no such device"});
  const std::string markdown = report_markdown(data);
  EXPECT_THAT(markdown, HasSubstr("- No trial succeeded."));
  EXPECT_THAT(markdown, HasSubstr("| failed | lanczos · tile none | no such device | 3 | a, b, c |"));
  EXPECT_THAT(markdown, Not(HasSubstr("nan")));
  EXPECT_THAT(report_html(data), HasSubstr("<tr data-status=\"failed\">"));
}

TEST(Report, EmptyPlan) {
  const RunData data;
  for (const auto& report :
       {report_markdown(data), report_csv(data), report_json(data), report_latex(data), report_html(data)})
    EXPECT_THAT(report, Not(HasSubstr("nan")));
}

TEST(Report, WithoutReferenceSaysSo) {
  RunData data = test::sample_run();
  for (ImageRow& image : data.plan.images) image.reference = {};
  EXPECT_THAT(report_markdown(data), HasSubstr("3 of 3 pictures have no reference"));
}

// What a German locale does to numbers, whether or not the machine has one installed.
struct German : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

TEST(Report, DoesNotDependOnTheLocale) {
  const RunData data = test::sample_run();
  const std::string before[] = {report_markdown(data), report_csv(data), report_json(data),
                                report_latex(data), report_html(data)};
  const std::locale old = std::locale::global(std::locale(std::locale::classic(), new German));
  std::setlocale(LC_ALL, "de_DE.UTF-8");
  const std::string after[] = {report_markdown(data), report_csv(data), report_json(data), report_latex(data),
                               report_html(data)};
  std::locale::global(old);
  std::setlocale(LC_ALL, "C");
  for (std::size_t i = 0; i < std::size(before); ++i) EXPECT_EQ(before[i], after[i]);
}

TEST(Report, WritesOneSpecificationAPlot) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "upbench_report_plots";
  std::filesystem::remove_all(folder);
  write_plots(test::sample_run(), folder);
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_TRUE(entry.path().filename().string().ends_with(".vl.json"));
    std::ifstream file(entry.path());
    EXPECT_EQ(nlohmann::json::parse(file)["$schema"], "https://vega.github.io/schema/vega-lite/v6.json");
    ++count;
  }
  EXPECT_EQ(count, 8U);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace upbench
