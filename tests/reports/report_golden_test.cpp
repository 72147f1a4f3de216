// The sample run in every form, as a whole.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reports/report.h"
#include "tests/reports/sample_run.h"

namespace upbench {
namespace {

TEST(ReportGolden, MarkdownOfTheSample) {
  EXPECT_EQ(report_markdown(test::sample_run()), R"md(# sample

- psnr-y: no cell can be called best: lanczos · tile none has the best mean, 32.00 dB; next is lanczos · tile 64, 1.00 dB \[0.00, 2.00\] behind and beaten on 2 of 3 pictures. 3 pictures cannot show any difference between 2 cells: at least 6 are needed, about 10 for these two. → Compared with the best
- ssim-y: no cell can be called best: net.pth · tile none has the best mean, 0.950; next is lanczos · tile none, 0.100 \[0.100, 0.100\] behind and beaten on 3 of 3 pictures. 3 pictures cannot show any difference between 3 cells: at least 7 are needed. → Compared with the best
- lpips-alex: no score. → Scores without a value
- Fastest: lanczos · tile none with 2.00 ms a picture (model time, median). → Quality for the time

What limits this:

- 1 of 12 trials failed. → Failed and skipped trials
- psnr-y: net.pth · tile none, net.pth · tile 64 did not score every picture (failed, missing or infinite); shown, but not called best. → Failed and skipped trials
- ssim-y: net.pth · tile 64 did not score every picture (failed, missing or infinite); shown, but not called best. → Failed and skipped trials
- 1 infinite score (output identical to the reference) left out of the means. → Every trial
- Only 3 pictures: small differences may not hold for others (fewer than 20). → Compared with the best

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

Best first by psnr-y. Mean ± standard deviation over n pictures; bold: not shown to be worse than the best (none where nothing can be told). Times: median of a picture; model time on 1 of 3.

| model | tile | n | psnr-y \[dB\] ↑ | ssim-y ↑ | lpips-alex ↓ | model time | sweep time | peak memory | failed |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| lanczos | none | 3 | 32.00 ± 2.00 | 0.850 ± 0.050 | – | 2.00 ms | 4.00 ms | – | 0 |
| lanczos | 64 | 3 | 31.00 ± 1.00 | 0.840 ± 0.040 | – | 2.00 ms | 4.00 ms | – | 0 |
| net.pth | none | 3 | 34.00 ± 1.41 (without 1 ∞) | 0.950 ± 0.050 | – | 4.00 s | 8.00 s | 3.00 MiB | 0 |
| net.pth | 64 | 2 | 33.50 ± 0.71 | 0.940 ± 0.057 | – | 4.00 s | 8.00 s | – | 1 |

## Compared with the best

Paired by picture. Rank with the interval and share of first places over resampled pictures; mean distance to the cell with the best mean, with its 95 % bootstrap interval; p: Wilcoxon signed rank, adjusted for all pairs of cells of the metric (Holm, Shaffer); pictures on which the best is better; effect: mean over standard deviation of the distance. Worse: p at most 0.05 and interval above 0.

| metric | cell | n | mean | rank | first places | behind the best | p | beaten on | effect | verdict |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
| psnr-y | lanczos · tile none | 3 | 32.00 | 1 \[1, 2\] | 98 % | – | – | – | – | best mean |
| psnr-y | lanczos · tile 64 | 3 | 31.00 | 2 \[1, 2\] | 2 % | 1.00 \[0.00, 2.00\] | 0.5000 | 2 | 1.00 | not told from it |
| ssim-y | net.pth · tile none | 3 | 0.950 | 1 \[1, 1\] | 100 % | – | – | – | – | best mean |
| ssim-y | lanczos · tile none | 3 | 0.850 | 2 \[2, 3\] | 0 % | 0.100 \[0.100, 0.100\] | 0.7500 | 3 | – | not told from it |
| ssim-y | lanczos · tile 64 | 3 | 0.840 | 3 \[2, 3\] | 0 % | 0.110 \[0.100, 0.120\] | 0.7500 | 3 | 11.00 | not told from it |

## Quality for the time

Cells that are better than every faster one, and how often they are over resampled pictures (model time, median of a picture; the times are taken as they are). Cells below 1 % are left out.

| metric | cell | mean | time | on the front | of resamples |
| --- | --- | ---: | ---: | --- | ---: |
| psnr-y | lanczos · tile none | 32.00 | 2.00 ms | yes | 100 % |
| psnr-y | lanczos · tile 64 | 31.00 | 2.00 ms | no | 4 % |
| ssim-y | lanczos · tile none | 0.850 | 2.00 ms | yes | 100 % |
| ssim-y | lanczos · tile 64 | 0.840 | 2.00 ms | no | 4 % |
| ssim-y | net.pth · tile none | 0.950 | 4.00 s | yes | 100 % |

## Agreement of the metrics

Kendall's tau of the cells' order: 1 the same, 0 unrelated, -1 opposite; and the cells that each metric does not tell from its best.

| metric | and | cells | tau | best by the one | by the other |
| --- | --- | ---: | ---: | --- | --- |
| psnr-y | ssim-y | 2 | 1.00 | nothing can be told | nothing can be told |

## Axes

Mean ± standard deviation over pictures of all cells with the value. Δ: mean difference from the axis's first value on the same picture, between cells that differ in this axis alone.

| axis | value | cells | psnr-y \[dB\] ↑ | Δ psnr-y | ssim-y ↑ | Δ ssim-y | lpips-alex ↓ | Δ lpips-alex |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| model | lanczos | 2 | 31.50 ± 1.50 | – | 0.845 ± 0.045 | – | – | – |
| model | net.pth | 2 | 34.00 ± 1.00 | 2.50 | 0.947 ± 0.045 | 0.100 | – | – |
| tile | none | 2 | 32.67 ± 1.61 | – | 0.900 ± 0.050 | – | – | – |
| tile | 64 | 2 | 32.00 ± 0.50 | -0.75 | 0.873 ± 0.049 | -0.010 | – | – |

## What the axes explain

Share of the differences between the cells' means that an axis explains beyond the others, and two axes together beyond each alone.

| axis | ssim-y |
| --- | ---: |
| model | 67.6 % |
| tile | 0.7 % |
| model × tile | 0.0 % |

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
| (the set) | hr: 1 file left out that is not named as a picture: 1 .txt |
| c | reference cut from 130x97 to 128x96 |

## Conventions

What each metric means here; figures under other conventions are not comparable.

| metric | unit | better | border | convention | version |
| --- | --- | --- | --- | --- | --- |
| psnr-y | dB | higher | 4 px | BT.601 Y, peak 255 | 1 |
| ssim-y | none | higher | 4 px | Gaussian 11x11 | 1 |
| lpips-alex | none | lower | 0 px | v0.1 | 1 |

## How to reproduce

With the weights and settings listed below. A store that is there already is resumed: name another with --store. The same spec over the same pictures has the same run key, acba25512100.

| step | command |
| --- | --- |
| the run | upbench run sample.yaml |
| this report | upbench report sample.db --html report.html |
| is it the same? | upbench compare sample.db NEW.db |

## Plan

| what | count |
| --- | ---: |
| cells (settings) | 4 |
| cells left out by the spec or the plan | 1 |
| pictures | 3 |
| seeds | 1 |
| trials | 12 |
| trials that repeat another (same pixels by their settings) | 1 |
| outputs computed and scored | 10 |

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

TEST(ReportGolden, CsvOfTheSample) {
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

TEST(ReportGolden, LatexOfTheSample) {
  EXPECT_EQ(report_latex(test::sample_run()), R"tex(% upbench report of sample; needs \usepackage{booktabs}
\begin{table}
\centering
\caption{Best first by psnr-y. Mean $\pm$ standard deviation over n pictures; bold: not shown to be worse than the best (none where nothing can be told). Times: median of a picture; model time on 1 of 3.}
\label{tab:ranking}
\begin{tabular}{llrrrrrrrr}
\toprule
model & tile & n & psnr-y [dB] $\uparrow$ & ssim-y $\uparrow$ & lpips-alex $\downarrow$ & model time & sweep time & peak memory & failed \\
\midrule
lanczos & none & 3 & 32.00 $\pm$ 2.00 & 0.850 $\pm$ 0.050 & -- & 2.00 ms & 4.00 ms & -- & 0 \\
lanczos & 64 & 3 & 31.00 $\pm$ 1.00 & 0.840 $\pm$ 0.040 & -- & 2.00 ms & 4.00 ms & -- & 0 \\
net.pth & none & 3 & 34.00 $\pm$ 1.41 (without 1 $\infty$) & 0.950 $\pm$ 0.050 & -- & 4.00 s & 8.00 s & 3.00 MiB & 0 \\
net.pth & 64 & 2 & 33.50 $\pm$ 0.71 & 0.940 $\pm$ 0.057 & -- & 4.00 s & 8.00 s & -- & 1 \\
\bottomrule
\end{tabular}
\end{table}
\begin{table}
\centering
\caption{Paired by picture. Rank with the interval and share of first places over resampled pictures; mean distance to the cell with the best mean, with its 95 \% bootstrap interval; p: Wilcoxon signed rank, adjusted for all pairs of cells of the metric (Holm, Shaffer); pictures on which the best is better; effect: mean over standard deviation of the distance. Worse: p at most 0.05 and interval above 0.}
\label{tab:comparison}
\begin{tabular}{llrrrrrrrrl}
\toprule
metric & cell & n & mean & rank & first places & behind the best & p & beaten on & effect & verdict \\
\midrule
psnr-y & lanczos $\cdot$ tile none & 3 & 32.00 & 1 [1, 2] & 98 \% & -- & -- & -- & -- & best mean \\
psnr-y & lanczos $\cdot$ tile 64 & 3 & 31.00 & 2 [1, 2] & 2 \% & 1.00 [0.00, 2.00] & 0.5000 & 2 & 1.00 & not told from it \\
ssim-y & net.pth $\cdot$ tile none & 3 & 0.950 & 1 [1, 1] & 100 \% & -- & -- & -- & -- & best mean \\
ssim-y & lanczos $\cdot$ tile none & 3 & 0.850 & 2 [2, 3] & 0 \% & 0.100 [0.100, 0.100] & 0.7500 & 3 & -- & not told from it \\
ssim-y & lanczos $\cdot$ tile 64 & 3 & 0.840 & 3 [2, 3] & 0 \% & 0.110 [0.100, 0.120] & 0.7500 & 3 & 11.00 & not told from it \\
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

TEST(ReportGolden, TextOfTheSample) {
  EXPECT_EQ(
      report_ranking_text(test::sample_run()),
      R"txt(model    tile  n               psnr-y [dB] ↑       ssim-y ↑  lpips-alex ↓  model time  sweep time  peak memory  failed
lanczos  none  3                32.00 ± 2.00  0.850 ± 0.050             –     2.00 ms     4.00 ms            –       0
lanczos  64    3                31.00 ± 1.00  0.840 ± 0.040             –     2.00 ms     4.00 ms            –       0
net.pth  none  3  34.00 ± 1.41 (without 1 ∞)  0.950 ± 0.050             –      4.00 s      8.00 s     3.00 MiB       0
net.pth  64    2                33.50 ± 0.71  0.940 ± 0.057             –      4.00 s      8.00 s            –       1

- psnr-y: no cell can be called best: lanczos · tile none has the best mean, 32.00 dB; next is lanczos · tile 64, 1.00 dB [0.00, 2.00] behind and beaten on 2 of 3 pictures. 3 pictures cannot show any difference between 2 cells: at least 6 are needed, about 10 for these two.
- ssim-y: no cell can be called best: net.pth · tile none has the best mean, 0.950; next is lanczos · tile none, 0.100 [0.100, 0.100] behind and beaten on 3 of 3 pictures. 3 pictures cannot show any difference between 3 cells: at least 7 are needed.
- lpips-alex: no score.
- Fastest: lanczos · tile none with 2.00 ms a picture (model time, median).
)txt");
}

TEST(ReportGolden, JsonOfTheSample) {
  const nlohmann::json parsed = nlohmann::json::parse(report_json(test::sample_run()));
  EXPECT_EQ(parsed["tables"]["ranking"].dump(1), R"json([
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
  EXPECT_EQ(parsed["trials"][7].dump(1), R"json({
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
  EXPECT_EQ(parsed["trials"].size(), 12U);
  EXPECT_EQ(parsed["name"], "sample");
}

}  // namespace
}  // namespace upbench
