#!/usr/bin/env python3
"""Compares the rounds of scripts/bench_vs_python.sh: scores, wall time, parts.

  compare_with_loop.py FOLDER [--precision fp32]

FOLDER holds for each round N: loop-N.tsv, loop-N.txt (what the loop prints), loop-N.seconds, run-N.csv (upbench report
--csv), run-N.db, run-N.seconds, and under --sharing stages-N.seconds, again-N.seconds, rescore-N.seconds. Standard library only. Prints Markdown. Exit 1: scores differ by more than 0.001 dB or
1e-4 at fp32, of whole pictures or in tiles.
"""
import argparse
import csv
import re
import sqlite3
import statistics
import sys
from pathlib import Path

TOLERANCE = {"psnr": 1e-3, "ssim": 1e-4, "lpips": 1e-4}
COLUMN = {"psnr": "psnr-rgb@b0", "ssim": "ssim-rgb@b0", "lpips": "lpips-alex"}
# Parts of the two programs that do the same.
PARTS = (
    ("networks", ("upscale whole", "upscale tiled"), ("upscale",)),
    ("metrics", ("psnr", "ssim", "lpips"), ("trial.score",)),
    ("reading pictures", ("read images",), ("trial.decode",)),
    ("8 bit, digest", ("to 8 bit",), ("trial.keep",)),
    ("imports, loading", ("imports", "load lpips", "load model"), ()),
)


# Sweeps that share work, and how many runs of the loop they stand for.
SHARING = (
    ("stages", 6, "six later stages of each upscaled picture"),
    ("rescore", 1, "three more metrics of the kept outputs"),
    ("again", 1, "the same sweep again"),
)


def rounds(folder):
    return sorted(int(file.stem.split("-")[1]) for file in folder.glob("run-*.seconds"))


def loop_scores(file):
    with file.open() as lines:
        return {(Path(row["checkpoint"]).name, row["tile"], row["image"].removesuffix("x4")): row
                for row in csv.DictReader(lines, delimiter="\t")}


def run_scores(file):
    with file.open() as lines:
        return {(row["upscale.model"], "0" if row["upscale.tile"] == "none" else "64", row["picture"].removesuffix("x4")): row
                for row in csv.DictReader(lines)}


def differences(folder, number, tiled):
    loop, run = loop_scores(folder / f"loop-{number}.tsv"), run_scores(folder / f"run-{number}.csv")
    if loop.keys() != run.keys():
        sys.exit(f"compare_with_loop.py: not the same outputs: {sorted(loop.keys() ^ run.keys())}")
    keys = [key for key in loop if (key[1] != "0") == tiled]
    return {name: max(abs(float(loop[key][name]) - float(run[key][COLUMN[name]])) for key in keys) for name in TOLERANCE}


def loop_parts(file):
    found = re.findall(r"^(\S.*?)\s+wall\s+([\d.]+) s", file.read_text(), re.M)
    return {name: float(seconds) for name, seconds in found}


def run_parts(file):
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
        return dict(store.execute("SELECT stage, SUM(seconds) FROM timings WHERE clock = 'sweep' GROUP BY stage"))


def seconds(folder, program, number):
    return float((folder / f"{program}-{number}.seconds").read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--precision", default="fp32")
    args = parser.parse_args()
    numbers = rounds(args.folder)
    apart = False
    for tiled in (True, False):
        found = [differences(args.folder, n, tiled) for n in numbers]
        worst = {name: max(one[name] for one in found) for name in TOLERANCE}
        apart = apart or any(worst[name] > TOLERANCE[name] for name in TOLERANCE)
        print(f"largest score difference, {'tiles' if tiled else 'whole pictures'}: " +
              ", ".join(f"{name} {value:.2g}" for name, value in worst.items()))

    loop = [seconds(args.folder, "loop", n) for n in numbers]
    run = [seconds(args.folder, "run", n) for n in numbers]
    ratios = [a / b for a, b in zip(loop, run)]
    print(f"wall time, start-up included, {len(numbers)} rounds in turns: loop median {statistics.median(loop):.2f} s "
          f"(least {min(loop):.2f}), upbench {statistics.median(run):.2f} s (least {min(run):.2f})")
    print(f"loop / upbench: median {statistics.median(ratios):.2f} (least {min(ratios):.2f}, most {max(ratios):.2f}), "
          f"of the least times {min(loop) / min(run):.2f}\n")

    print("| part | loop, wall s | upbench, s of its threads | times less |\n|---|---:|---:|---:|")
    of_loop = [loop_parts(args.folder / f"loop-{n}.txt") for n in numbers]
    of_run = [run_parts(args.folder / f"run-{n}.db") for n in numbers]
    for title, theirs, ours in PARTS:
        a = statistics.median(sum(parts.get(name, 0) for name in theirs) for parts in of_loop)
        b = statistics.median(sum(parts.get(name, 0) for name in ours) for parts in of_run)
        print(f"| {title} | {a:.2f} | " + (f"{b:.2f} | {a / b:.2f} |" if ours else "in no trial | |"))
    for name, times, title in SHARING:
        if (args.folder / f"{name}-{numbers[0]}.seconds").exists():
            ours = [seconds(args.folder, name, n) for n in numbers]
            ratios = [times * a / b for a, b in zip(loop, ours)]
            print(f"\n{title}: {statistics.median(ours):.2f} s; {times} x loop / upbench: median {statistics.median(ratios):.1f} "
                  f"(least {min(ratios):.1f})")
    if args.precision == "fp32" and apart:
        sys.exit(1)


if __name__ == "__main__":
    main()
