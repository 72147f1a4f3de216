#!/usr/bin/env python3
"""Resizing a 1 MP RGB picture on one thread: Pillow and OpenCV against upbench_resample_bench, run in turns; prints two markdown
tables with the ratios, above 1 where upbench is faster.

  resample_vs_peers.py [--bench build/upbench_resample_bench] [--rounds 7]      (needs Pillow, numpy)

Each side's figure is the median of its rounds, in processor time. Pillow against the pil-* kernels:

  8 bit   8 bit to 8 bit, the resizing alone: Pillow on its own picture (four bytes a pixel), upbench on three planes.
  float   what a program pays whose pictures are float32 planes in [0, 1]: Pillow with the way there and back through numpy,
          upbench's whole call.

OpenCV, as the benchmark program links it: float32 planes on both sides; of the cv2-* kernels, for which upbench calls OpenCV
itself, OpenCV's 8-bit call alone against upbench's with the conversions from and to float32.

The environment goes to both: give both the memory policy that the program sets for itself (and both one thread) with
  OMP_NUM_THREADS=1 MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=68719476736 MALLOC_TOP_PAD_=67108864 taskset -c 1 python3 ...
"""
import argparse
import json
import statistics
import subprocess
import time

import numpy as np
import PIL
from PIL import Image

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
TARGETS = (2048, 256, 600)  # as resample_bench.cpp


def resized(picture, name, side):
    return picture.resize((side, side), getattr(Image.Resampling, name.upper()))


def resized_planes(planes, name, side):
    levels = np.rint(np.clip(planes, 0, 1) * np.float32(255)).astype(np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)))
    made = np.asarray(resized(picture, name, side)).transpose(2, 0, 1)
    return np.ascontiguousarray(made, dtype=np.float32) / np.float32(255)


def seconds_of(work, *arguments):
    """Per call, over at least 50 ms."""
    work(*arguments)
    calls, start = 0, time.process_time()
    while (passed := time.process_time() - start) < 0.05:
        work(*arguments)
        calls += 1
    return passed / calls


def seconds_of_ours(bench):
    """Of all its kernels, those of OpenCV among them."""
    command = [bench, "--benchmark_min_time=0.05", "--benchmark_enable_random_interleaving=true", "--benchmark_format=json"]
    results = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    return {result["run_name"]: result["cpu_time"] / 1e3 for result in results}  # milliseconds there


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/upbench_resample_bench")
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()

    picture = Image.effect_noise((1024, 1024), 64).convert("RGB")
    planes = np.ascontiguousarray(np.asarray(picture).transpose(2, 0, 1), dtype=np.float32) / np.float32(255)
    peer, ours = {}, {}
    for _ in range(args.rounds):
        for name, seconds in seconds_of_ours(args.bench).items():
            ours.setdefault(name, []).append(seconds)
        for name in FILTERS:
            for side in TARGETS:
                peer.setdefault(f"pil-{name}/levels/{side}", []).append(seconds_of(resized, picture, name, side))
                peer.setdefault(f"pil-{name}/ours/{side}", []).append(seconds_of(resized_planes, planes, name, side))

    def figures(theirs, own):
        a, b = statistics.median(theirs), statistics.median(own)
        return f"{a * 1e3:.2f} | {b * 1e3:.2f} | {a / b:.2f}"

    print(f"1024 x 1024 RGB to SIDE x SIDE, one thread, median of {args.rounds}, milliseconds; Pillow {PIL.__version__}\n")
    print("| kernel, side | Pillow, 8 bit | upbench | ratio | Pillow, float | upbench | ratio |\n|---|---:|---:|---:|---:|---:|---:|")
    for name in FILTERS:
        for side in TARGETS:
            columns = [figures(peer[key], ours[key]) for key in (f"pil-{name}/levels/{side}", f"pil-{name}/ours/{side}")]
            print(f"| pil-{name}, {side} | " + " | ".join(columns) + " |")
    print("\n| kernel, side | OpenCV | upbench | ratio |\n|---|---:|---:|---:|")
    for key in sorted(key for key in ours if "/opencv/" in key):
        kernel, _, side = key.split("/")
        print(f"| {kernel}, {side} | " + figures(ours[key], ours[f"{kernel}/ours/{side}"]) + " |")


if __name__ == "__main__":
    main()
