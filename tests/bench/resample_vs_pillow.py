#!/usr/bin/env python3
"""Resizing a 1 MP RGB picture on one thread: Pillow against the pil-* kernels of upbench_resample_bench, run in turns; prints
the ratios.

  resample_vs_pillow.py [--bench build/upbench_resample_bench] [--rounds 5]      (needs Pillow)

Each side's figure is the median of its rounds, in processor time. Pillow gets packed 8-bit RGB; upbench's figure includes the
way from and to float32 planes, four times as many bytes.
"""
import argparse
import json
import statistics
import subprocess
import time

import PIL
from PIL import Image

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
TARGETS = (2048, 256, 600)  # as resample_bench.cpp


def seconds_of_pillow(picture, name, side):
    start = time.process_time()
    picture.resize((side, side), getattr(Image.Resampling, name.upper()))
    return time.process_time() - start


def seconds_of_ours(bench):
    command = [bench, "--benchmark_filter=^pil-", "--benchmark_min_time=0.05", "--benchmark_format=json"]
    results = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"]
    return {result["name"]: result["cpu_time"] / 1e3 for result in results}  # milliseconds there


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/upbench_resample_bench")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    picture = Image.effect_noise((1024, 1024), 64).convert("RGB")
    peer, ours = {}, {}
    for _ in range(args.rounds):
        for name, seconds in seconds_of_ours(args.bench).items():
            ours.setdefault(name, []).append(seconds)
        for name in FILTERS:
            for side in TARGETS:
                peer.setdefault(f"pil-{name}/{side}", []).append(seconds_of_pillow(picture, name, side))
    print(f"Pillow {PIL.__version__}, 1024x1024 RGB, one thread, median of {args.rounds}")
    for key, samples in peer.items():
        a, b = statistics.median(samples), statistics.median(ours[key])
        print(f"{key:18} Pillow {a * 1e3:7.2f} ms, upbench {b * 1e3:7.2f} ms, ratio {a / b:.1f}")


if __name__ == "__main__":
    main()
