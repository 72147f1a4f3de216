#!/usr/bin/env python3
"""Measures and writes docs/performance.md: floors, peers and upbench on the CPU, and how cost grows with the picture.

  performance_page.py [--build DIR] [--rounds 7] [--quick] [--functions FILE] [--loop FILE] [--json FILE] [-o FILE]

Half an hour on two cores (--quick: about two minutes, for trying it out), a quarter more with --loop, the Python loop that
scripts/bench_vs_python.sh runs beside a sweep. Needs a built project (scripts/build.sh) and numpy; peers and weights as
scripts/bench_peers.py says: what is absent is left out of the page and named there. --json keeps the figures.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing beside the sources
import bench_peers
import performance_sections as sections

ROOT = Path(__file__).resolve().parent.parent
SIDES = (256, 512, 1024, 2048, 4096)
TOLERANCE = 0.15

# Why a curve leaves the straight line: shown with it. One that is not here and not straight is marked.
LEAVES_CACHE = "the pair (24 bytes a pixel) leaves the last cache above 1 MP"
REASONS = {
    ("s", "metric/mse"): LEAVES_CACHE,
    ("s", "metric/psnr-rgb"): LEAVES_CACHE,
    ("s", "metric/psnr-y"): LEAVES_CACHE,
    ("s", "metric/ssim-rgb"): LEAVES_CACHE,
    ("s", "metric/ssim-y"): LEAVES_CACHE,
    ("s", "tiles/compact-x4"): "8 pixels of context around each tile are read twice: (1 + (n - 1) / 8n)^2 of the pixels with "
                               "n x n tiles; n is 1 up to 0.26 MP, 8 at 17 MP",
    ("s", "metric/shift"): "of a large picture the middle 1024 x 1024 are looked at",
    ("s", "metric/broken"): "copies are looked for in a table of all windows of 16 x 16, which outgrows the caches",
    ("bytes", "tiles/compact-x4"): "the tile does not grow with the picture, the output does",
}


def megapixels(side):
    return side * side / 1e6


def growth(build, quick, said):
    """{name: {side: {"s": CPU seconds, "bytes": peak}}}, the better of two repetitions."""
    program = Path(build) / "upbench_growth_bench"
    options = ["--benchmark_format=json", "--benchmark_min_time=0.05", f"--benchmark_repetitions={1 if quick else 2}"]
    if quick:
        options.append("--benchmark_filter=/(256|512)$")
    said("measuring how cost grows")
    output = subprocess.run([program, *options], check=True, capture_output=True, text=True).stdout
    curves = {}
    for result in json.loads(output)["benchmarks"]:
        if result["run_type"] != "iteration" or result.get("error_occurred"):
            continue
        name, side = result["run_name"].rsplit("/", 1)
        seconds = result["cpu_time"] * bench_peers.SECONDS[result["time_unit"]]
        point = curves.setdefault(name, {}).setdefault(int(side), {"s": seconds, "bytes": result["peak_bytes"]})
        point["s"] = min(point["s"], seconds)
    return curves


def spread(points, key):
    """Greatest over least cost of a megapixel, minus one."""
    costs = [point[key] / megapixels(side) for side, point in points.items()]
    return max(costs) / min(costs) - 1 if min(costs) > 0 else 0


def fixed_part(points, key):
    """a >= 0 where a + b megapixels describes the curve within the tolerance, by least squares of the relative errors; else nothing."""
    sizes, costs = [megapixels(side) for side in points], [point[key] for point in points.values()]
    ones, slopes = [1 / cost for cost in costs], [size / cost for size, cost in zip(sizes, costs)]
    aa, ab, bb = (sum(x * y for x, y in zip(*pair)) for pair in ((ones, ones), (ones, slopes), (slopes, slopes)))
    a, b = ((bb * sum(ones) - ab * sum(slopes)) / (aa * bb - ab * ab), (aa * sum(slopes) - ab * sum(ones)) / (aa * bb - ab * ab))
    fits = all(abs((a + b * size) / cost - 1) <= TOLERANCE for size, cost in zip(sizes, costs))
    return a if fits and a >= 0 and len(points) > 3 else None


def levels_off(points):
    """The least size from which, and from no smaller one, a megapixel costs the same, where all smaller ones are cheaper; else nothing."""
    costs = {side: point["s"] / megapixels(side) for side, point in sorted(points.items())}
    for side in list(costs)[:-1]:
        from_here = [cost for other, cost in costs.items() if other >= side]
        if max(from_here) / min(from_here) - 1 <= TOLERANCE:
            return side if all(cost < max(from_here) for other, cost in costs.items() if other < side) else None
    return None


def growth_table(curves, key, unit, scale):
    lines = ["| what | " + " | ".join(f"{megapixels(side):.2g} MP" for side in SIDES) + " | spread | |",
             "|---|" + "---:|" * (len(SIDES) + 1) + "---|"]
    for name, points in curves.items():
        cells = [f"{points[side][key] * scale / megapixels(side):.3g}" if side in points else "" for side in SIDES]
        deviation = spread(points, key)
        remark = "linear" if deviation <= TOLERANCE else REASONS.get((key, name))
        if remark is None and (fixed := fixed_part(points, key)) is not None:
            remark = f"linear but for {fixed * scale:.2g} {unit} a call"
        if remark is None and key == "s" and (side := levels_off(points)) is not None:
            remark = f"linear from {megapixels(side):.2g} MP on; smaller pictures stay in the caches"
        remark = remark or "**not linear, unexplained**"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {deviation * 100:.0f} % | {remark} |")
    return f"Cost of one megapixel, {unit}:\n\n" + "\n".join(lines)


def machine(build):
    output = subprocess.run([Path(build) / "upbench", "doctor", "--json"], capture_output=True, text=True).stdout
    doctor = json.loads(output)
    environment = doctor["environment"]
    peaks = "; ".join(check["text"] for check in doctor["checks"] if check["what"].startswith("peak"))
    warnings = "; ".join(check["text"] for check in doctor["checks"] if check.get("warning"))
    libraries = environment["libraries"]
    return (f"{environment['device']['description']}, {environment['cpu_capability']}, LibTorch {libraries['libtorch']}, "
            f"{environment['build']['compiler']} {environment['build']['flags']}. All threads: {peaks}."
            + (f" Said by `upbench doctor` at that time: {warnings}." if warnings else ""))


PAGE = """# Performance

Written by `scripts/performance_page.py`: every figure below was measured by it, in one go. The machine is shared and noisy;
trust ratios within a row, not absolute times.

Machine: {machine} A processor without AVX-512: [performance-avx2.md](performance-avx2.md).

## Floor, peer, upbench (CPU, one thread)

Processor time, median of {rounds} rounds in which the two sides take turns. 1 MP is 1024 x 1024. Floor: the greater of
arithmetic at the rate of a float32 matrix product ({product:.0f} GFLOP/s) and traffic at the rate of a copy
({copy:.1f} GB/s), both on this thread; "–" where no floor is known. Networks are float32, as shares of the rate that a
matrix product of 2048 x 2048 reached in the same second; 1 is the floor, and algorithms that need fewer multiplications
(Winograd) may pass it.

{peers}

{left_out}`scripts/bench.sh` prints this table after those of all benchmark programs; `scripts/bench_peers.py` prints it alone.

{sections}## How cost grows

One thread, better of two runs; networks enlarge four times and are given by their output. "Spread" compares the cheapest and
the dearest megapixel of a row: up to 15 % counts as linear.

{time}

Memory: tensors alive at once during the call, beside the pictures given and the weights (what LibTorch's allocator hands
out; scratch memory inside a library's kernels is not in it).

{memory}

Tiles bound what a network needs: the row `tiles/compact-x4` keeps the output and one tile of 128 x 128, so that its cost of a
megapixel falls towards the output's own 12 MB while the untiled call keeps several layers of the whole picture.

The memory of a sweep does not grow with the number of its pictures: `tests/cli/memory_test.cpp` runs sweeps over few and many
and compares their peaks; caches (decoded pictures, networks, shared stages) are bounded, and records are written in batches.

## How model time is measured

`upbench run SPEC --time` (harness/timing/), after the sweep and with nothing else running in the program:

- Every cell of a picture is warmed up until three laps lie within 2 % (at most 30 laps or half of `--time-budget`), then at
  least 9 samples are taken in turns (A B C A B C ...), so that a drift of the machine reaches all alike. Nothing is cached.
- A lap during which the clock was held down (heat, power) is discarded, taken again and counted.
- Every other sample is kept; median, median absolute deviation and a 95 % bootstrap interval are shown. `cost_model_*` in CSV.
- The 8-bit output of every lap is compared with the scored one by its hash. A different output is no measurement.
- Self-check after MLPerf's TEST04: a lap on the same picture may not be more than 10 % faster than one on a new picture.
- In the same session a matrix product and a copy are measured (`cost_peak_share` is against that product), and what disturbs:
  other processes, stolen time, clock changes, throttling; on NVIDIA GPUs clock, temperature, power and throttle reasons
  through NVML. Doubts are shown in the report's table "Model time".
- `cost_peak_bytes`: tensors alive at once during one lap plus the weights, on the device. Energy: NVML on a GPU, the
  processor packages' counters (RAPL) on a CPU, where the system lets the program read them.

The GPU side of this (NVML, device memory, synchronisation) is tested against a stand-in library and is untested on hardware
unless docs/measurements/ says otherwise.
"""


def all_sections(args, trunk, said):
    """What each measured, under its heading."""
    rounds, side = (1, 64) if args.quick else (args.rounds, 256)
    os.environ["OMP_NUM_THREADS"] = "2"
    parts = [("Networks on two threads", "Shares of the product's rate on two threads, by the clock.", sections.two_threads(args.build, rounds, side, args.functions, said)),
             ("Networks in bf16", "`precision: bf16`, one thread, in turns with fp32, and what it costs in quality.", sections.bf16(args.build, rounds, side, said))]
    del os.environ["OMP_NUM_THREADS"]
    if trunk:
        parts.append(("LPIPS beside its network", "", f"A pair of 1 MP takes {trunk} times as long as two passes through AlexNet's convolutions (`build/upbench_lpips_bench`)."))
    parts.append(("Metrics alone", "`tests/bench/metrics_vs_python.py`, one thread: PSNR, SSIM and LPIPS of 1 MP; *kept* has the reference's features, as a sweep does.",
                  sections.metrics_alone(args.build, rounds, said)))
    if args.loop:
        loop = sections.python_loop(args.loop, 1 if args.quick else 3, said)
        parts += [("A sweep beside a plain Python loop",
                   "`scripts/bench_vs_python.sh --sharing`: 3 networks x Set5 x 2 tilings x 3 metrics, two threads, start-up included.", loop["fp32"]),
                  ("The same sweep in bf16", "`scripts/bench_vs_python.sh --precision bf16`; the loop stays in fp32.", loop["bf16"])]
    return "".join(f"## {title}\n\n" + (f"{text}\n\n" if text else "") + f"{body}\n\n" for title, text, body in parts if body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--functions", type=Path, help="as scripts/bench_peers.py takes it")
    parser.add_argument("--loop", type=Path, help="as scripts/bench_vs_python.sh takes it")
    parser.add_argument("--json")
    parser.add_argument("-o", "--output", default=str(ROOT / "docs/performance.md"))
    args = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    notes = []

    def said(text):
        print(f"upbench: {text}", file=sys.stderr)
        if "left out" in text:
            note = text.removeprefix("left out: ")
            notes.extend([note] if note not in notes else [])

    comparison = bench_peers.compare(args.build, 1 if args.quick else args.rounds, args.quick, args.functions, said)
    curves = growth(args.build, args.quick, said)
    trunk = sections.lpips_beside_trunk(args.build, 1 if args.quick else args.rounds, said)
    del os.environ["OMP_NUM_THREADS"]
    if args.json:
        Path(args.json).write_text(json.dumps({"peers": comparison, "growth": curves}, indent=1) + "\n")
    page = PAGE.format(machine=machine(args.build), rounds=comparison.get("rounds", 0),
                       product=comparison.get("product_flops", 0) / 1e9, copy=comparison.get("copy_bytes_per_s", 0) / 1e9,
                       peers=bench_peers.table(comparison), sections=all_sections(args, trunk, said), left_out=f"Not measured: {'; '.join(notes)}.\n\n" if notes else "",
                       time=growth_table(curves, "s", "milliseconds", 1e3),
                       memory=growth_table(curves, "bytes", "MB", 1e-6))
    Path(args.output).write_text(page)
    said(f"wrote {args.output}")


if __name__ == "__main__":
    main()
