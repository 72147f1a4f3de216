#!/usr/bin/env python3
"""SSIM of a 1 MP RGB pair on one thread: scikit-image against upbench_metrics_bench, run in turns; prints the ratio.

  ssim_vs_skimage.py [--bench build/upbench_metrics_bench] [--rounds 7]      (needs scikit-image)

Each side's figure is the median of its rounds. scikit-image gets the same convention: Gaussian window of sigma 1.5,
population covariance, data range 255, float64 pictures.
"""
import argparse
import os

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import json
import statistics
import subprocess
import time

import numpy as np
import skimage
from skimage.metrics import structural_similarity


def pair(side):
    """The same kind of picture as in ssim_bench.cpp: random 8-bit values, the output a mixture."""
    random = np.random.default_rng(1)
    reference = random.integers(0, 256, (side, side, 3)).astype(np.float64)
    output = np.floor((3 * reference + random.integers(0, 256, (side, side, 3))) / 4)
    return output, reference


def seconds_of_skimage(output, reference):
    start = time.perf_counter()
    structural_similarity(output, reference, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5,
                          use_sample_covariance=False)
    return time.perf_counter() - start


def seconds_of_ours(bench, side):
    command = [bench, f"--benchmark_filter=^ssim_ours/{side}$", "--benchmark_format=json"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["benchmarks"][0]
    return result["real_time"] / {"ns": 1e9, "us": 1e6, "ms": 1e3, "s": 1}[result["time_unit"]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/upbench_metrics_bench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--side", type=int, default=1024, choices=(1024, 2048, 4096))
    args = parser.parse_args()

    pictures = pair(args.side)
    peer, ours = [], []
    for _ in range(args.rounds):
        peer.append(seconds_of_skimage(*pictures))
        ours.append(seconds_of_ours(args.bench, args.side))
    a, b = statistics.median(peer), statistics.median(ours)
    print(f"{args.side}x{args.side} RGB, one thread, median of {args.rounds}: scikit-image {skimage.__version__} "
          f"{a * 1e3:.1f} ms, upbench {b * 1e3:.2f} ms, ratio {a / b:.1f}")


if __name__ == "__main__":
    main()
