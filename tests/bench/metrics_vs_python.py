#!/usr/bin/env python3
"""PSNR, SSIM and LPIPS (AlexNet) of a 1 MP RGB pair: scikit-image and lpips against upbench_lpips_bench, one process each, run in
turns on the same cores; prints the ratios of wall time, above 1 where upbench is faster.

  UPBENCH_ASSETS=DIR metrics_vs_python.py [--bench build/upbench_lpips_bench] [--rounds 7] [--threads 1] [--side 1024]
                                          (needs scikit-image, lpips, torch; the weights of AlexNet under DIR/weights/lpips)

Both sides score the same pair of 8-bit pictures from memory, conventions equal: scikit-image gets Gaussian windows of sigma 1.5,
population covariance, data range 255; lpips the two pictures in [-1, 1] without gradients. "pair" makes the features of the
reference every time, as lpips does; "kept" finds them, as in a sweep. Figures are medians (smallest) of the rounds.
"""
import argparse
import os
import sys


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/upbench_lpips_bench")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=int, default=1024, choices=(256, 1024))
    return parser.parse_args()


args = arguments()
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(args.threads)

import json
import pathlib
import statistics
import subprocess
import time

import lpips
import numpy as np
import skimage
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def lpips_network():
    weights = pathlib.Path(os.environ["UPBENCH_ASSETS"]) / "weights/lpips/alexnet_features.pth"
    state = torch.load(weights, weights_only=True)
    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
    network.net.load_state_dict({key: state["features." + key.split(".", 1)[1]] for key in network.net.state_dict()})
    return network


def of_python(network, output, reference):
    """Seconds of each metric."""
    def tensor(picture):
        return torch.from_numpy(picture).permute(2, 0, 1).float().div(127.5).sub(1).unsqueeze(0)

    def seconds_of(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    with torch.inference_mode():
        return {
            "psnr": seconds_of(lambda: peak_signal_noise_ratio(reference, output, data_range=255)),
            "ssim": seconds_of(lambda: structural_similarity(
                output, reference, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5,
                use_sample_covariance=False)),
            "lpips": seconds_of(lambda: network(tensor(output), tensor(reference)).item()),
        }


def of_ours():
    command = [args.bench, f"--benchmark_filter=^(lpips|metrics)_.*/{args.side}/", "--benchmark_min_time=0.3",
               "--benchmark_format=json"]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    results = json.loads(run.stdout)["benchmarks"]
    if any(result.get("error_occurred") for result in results):
        sys.exit(results[0]["error_message"])
    return {result["name"].split("/")[0]: result["real_time"] / 1e3 for result in results}  # milliseconds there


def main():
    torch.set_num_threads(args.threads)
    random = np.random.default_rng(1)
    reference = random.integers(0, 256, (args.side, args.side, 3), dtype=np.uint8)
    output = ((3 * reference.astype(np.uint16) + random.integers(0, 256, reference.shape)) // 4).astype(np.uint8)
    network = lpips_network()
    of_python(network, output, reference)
    peer, ours = {}, {}
    for _ in range(args.rounds):
        for samples, seconds in ((peer, of_python(network, output, reference)), (ours, of_ours())):
            for name, value in seconds.items():
                samples.setdefault(name, []).append(value)
    peer["all"] = [sum(parts) for parts in zip(peer["psnr"], peer["ssim"], peer["lpips"])]

    print(f"scikit-image {skimage.__version__}, lpips on torch {torch.__version__}; {args.side}x{args.side} RGB, "
          f"{args.threads} thread(s), median (smallest) of {args.rounds}, ms")
    for name in ("psnr", "ssim"):
        print(f"Python {name}: {statistics.median(peer[name]) * 1e3:.0f} ({min(peer[name]) * 1e3:.0f})")
    for title, theirs, mine in (("LPIPS, pair", "lpips", "lpips_pair"),
                                ("LPIPS, kept", "lpips", "lpips_kept_reference"),
                                ("PSNR + SSIM + LPIPS, pair", "all", "metrics_pair"),
                                ("PSNR + SSIM + LPIPS, kept", "all", "metrics_kept_reference")):
        a, b = peer[theirs], ours[mine]
        print(f"{title:26} Python {statistics.median(a) * 1e3:6.0f} ({min(a) * 1e3:.0f}), upbench "
              f"{statistics.median(b) * 1e3:6.0f} ({min(b) * 1e3:.0f}), ratio "
              f"{statistics.median(a) / statistics.median(b):.2f} ({min(a) / min(b):.2f})")


if __name__ == "__main__":
    main()
