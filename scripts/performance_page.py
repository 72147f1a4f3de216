#!/usr/bin/env python3
"""Measures and writes docs/performance.md: floors, peers and upbench on the CPU, and how cost grows with the picture.

  performance_page.py [--build DIR] [--rounds 7] [--quick] [--functions FILE] [--loop FILE] [--json FILE] [--only PART,PART...] [-o FILE]

Half an hour on two cores (--quick: about two minutes, for trying it out), a quarter more with --loop, the Python loop that
scripts/bench_vs_python.sh runs beside a sweep. Needs a built project (scripts/build.sh) and numpy; peers and weights as
scripts/bench_peers.py says: what is absent is left out of the page and named there. The machine should have nothing else to do.
--json keeps what was measured; --only measures some parts (peers, growth, lpips, two-threads, bf16, metrics, loop) and takes the
others from that file: they should be of the same machine and of the same state of what they measure.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # nothing beside the sources
import bench_peers
import performance_growth
import performance_sections as sections

ROOT = Path(__file__).resolve().parent.parent


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


OTHER_PAGE = "A processor without AVX-512: [performance-avx2.md](performance-avx2.md)."
BF16_TEXT = ("`precision: bf16`, one thread, in turns with fp32, and what it costs in quality. \"Of peak\": of plain arithmetic in bf16. oneDNN "
             "computes bf16 by the definition; fp32 needs 2.25 times fewer multiplications (Winograd), which would round bf16 once more than "
             "the definition does and change its scores.")

PAGE = """# Performance

Written by `scripts/performance_page.py`, which measured every figure below. The machine is shared and noisy; trust ratios within
a row, not absolute times.

Machine: {machine} {other_page}

## Floor, peer, upbench (CPU, one thread)

Processor time, median of {rounds} rounds in which the two sides take turns. 1 MP is 1024 x 1024. Floor: the greater of
plain float32 arithmetic ({product:.0f} GFLOP/s: a matrix product of 2048 x 2048 or a 3x3 convolution of 128 channels,
whichever is faster) and traffic at the rate of a copy ({copy:.1f} GB/s), both on this thread; "–" where no floor is known.
Networks are float32, as shares of the arithmetic's rate in the same second; 1 is the floor, and algorithms that need fewer
multiplications (Winograd) may pass it.

{peers}

{left_out}`scripts/bench.sh` prints this table after those of all benchmark programs; `scripts/bench_peers.py` prints it alone.

{sections}## How cost grows

One thread, best of three runs in random order; networks enlarge four times and are given by their output. "Spread" compares the cheapest and
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
- In the same session plain arithmetic and a copy are measured (`cost_peak_share` is against that arithmetic), and what disturbs:
  other processes, stolen time, clock changes, throttling; on NVIDIA GPUs clock, temperature, power and throttle reasons
  through NVML. Doubts are shown in the report's table "Model time".
- `cost_peak_bytes`: tensors alive at once during one lap plus the weights, on the device. Energy: NVML on a GPU, the
  processor packages' counters (RAPL) on a CPU, where the system lets the program read them.

The GPU side of this (NVML, device memory, synchronisation) is tested against a stand-in library and is untested on hardware
unless docs/measurements/ says otherwise.
"""


# Parts in the order in which they are measured.
PARTS = ("peers", "growth", "lpips", "two-threads", "bf16", "metrics", "loop")
THREADS = {"peers": "1", "growth": "1", "lpips": "1", "two-threads": "2", "bf16": "2"}  # $OMP_NUM_THREADS; the others' programs choose
SIDE = 256


def measure_part(part, args, said):
    """Figures of peers and growth; of the others what stands in the page."""
    rounds, side = (1, 64) if args.quick else (args.rounds, SIDE)
    os.environ.pop("OMP_NUM_THREADS", None)
    if part in THREADS:
        os.environ["OMP_NUM_THREADS"] = THREADS[part]
    if part == "loop":
        return sections.python_loop(args.loop, 1 if args.quick else 3, said) if args.loop else {}
    return {"peers": lambda: bench_peers.compare(args.build, rounds, args.quick, args.functions, said),
            "growth": lambda: performance_growth.growth(args.build, args.quick, said),
            "lpips": lambda: sections.lpips_beside_trunk(args.build, rounds, said),
            "two-threads": lambda: sections.two_threads(args.build, rounds, side, args.functions, said),
            "bf16": lambda: sections.bf16(args.build, rounds, side, said),
            "metrics": lambda: sections.metrics_alone(args.build, rounds, said)}[part]()


def measure(args, known):
    """{part: {"measured": ..., "left_out": [...]}}, of `known` those that are not to be measured."""
    parts = dict(known)
    for part in args.only:
        notes = []

        def said(text, notes=notes):
            print(f"upbench: {text}", file=sys.stderr)
            note = text.removeprefix("left out: ")
            if note != text and note not in notes:
                notes.append(note)

        measured = measure_part(part, args, said)
        parts[part] = json.loads(json.dumps({"measured": measured, "left_out": notes}))  # as from the file: sides are texts
    return parts


def sections_of(parts):
    """What each measured, under its heading."""
    measured = {name: part["measured"] for name, part in parts.items()}
    trunk, loop = measured.get("lpips"), measured.get("loop") or {}
    bodies = [
        ("Networks on two threads", "Shares of the peak as above, on two threads by the clock.", measured.get("two-threads")),
        ("Networks in bf16", BF16_TEXT, measured.get("bf16")),
        ("LPIPS beside its network", "",
         trunk and f"A pair of 1 MP takes {trunk} times as long as two passes through AlexNet's convolutions (`build/upbench_lpips_bench`)."),
        ("Metrics alone", "`tests/bench/metrics_vs_python.py`, one thread: PSNR, SSIM and LPIPS of 1 MP; *kept* has the reference's features, as a sweep does.",
         measured.get("metrics")),
        ("A sweep beside a plain Python loop",
         "`scripts/bench_vs_python.sh --sharing`: 3 networks x Set5 x 2 tilings x 3 metrics, two threads, start-up included.", loop.get("fp32")),
        ("The same sweep in bf16", "`scripts/bench_vs_python.sh --precision bf16`; the loop stays in fp32.", loop.get("bf16"))]
    return "".join(f"## {title}\n\n" + (f"{text}\n\n" if text else "") + f"{body}\n\n" for title, text, body in bodies if body)


def page_of(parts, machine_text):
    comparison = parts["peers"]["measured"]
    curves = {name: {int(side): point for side, point in points.items()} for name, points in parts["growth"]["measured"].items()}
    notes = list(dict.fromkeys(note for part in parts.values() for note in part["left_out"]))
    return PAGE.format(machine=machine_text, other_page=OTHER_PAGE, rounds=comparison.get("rounds", 0), product=comparison.get("product_flops", 0) / 1e9,
                       copy=comparison.get("copy_bytes_per_s", 0) / 1e9, peers=bench_peers.table(comparison), sections=sections_of(parts),
                       left_out=f"Not measured: {'; '.join(notes)}.\n\n" if notes else "",
                       time=performance_growth.growth_table(curves, "s", "milliseconds", 1e3),
                       memory=performance_growth.growth_table(curves, "bytes", "MB", 1e-6))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--functions", type=Path, help="as scripts/bench_peers.py takes it")
    parser.add_argument("--loop", type=Path, help="as scripts/bench_vs_python.sh takes it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", type=lambda text: [part for part in text.split(",") if part], default=list(PARTS))
    parser.add_argument("-o", "--output", default=str(ROOT / "docs/performance.md"))
    args = parser.parse_args()
    if unknown := [part for part in args.only if part not in PARTS]:
        parser.error(f"--only has no part {unknown[0]}: expected {', '.join(PARTS)}")
    known = json.loads(args.json.read_text()) if args.json and args.json.exists() and args.only != list(PARTS) else {}
    if missing := [part for part in PARTS if part not in args.only and part not in known]:
        parser.error(f"{', '.join(missing)}: neither in --only nor in the file of --json")
    parts = measure(args, known)
    if args.json:
        args.json.write_text(json.dumps(parts, indent=1) + "\n")
    Path(args.output).write_text(page_of(parts, machine(args.build)))
    print(f"upbench: wrote {args.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
