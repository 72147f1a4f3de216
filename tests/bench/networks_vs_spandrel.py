#!/usr/bin/env python3
"""Speed of each network on the CPU: spandrel + PyTorch against upbench_network_bench, run in turns.

  networks_vs_spandrel.py [--bench build/upbench_network_bench] [--assets ../shared/assets] [--side 256]
                          [--threads 1,2] [--rounds 7] [--only NAME,NAME...] [--seconds 60] [--functions FILE]

Needs torch and spandrel. Prints for each checkpoint the rate relative to plain float32 arithmetic measured in the same
process right afterwards (a product of two 2048 x 2048 matrices or a 3x3 convolution of 128 channels, whichever is
faster; 2 x the published multiply-accumulates per second on both sides), peer and ours, and how many times as fast ours
is: medians over the rounds, and the least of the rounds' ratios. One thread is timed by processor time, which other
programs change little; several by wall time.

Networks that spandrel refuses are left out, unless --functions names a Python file whose load(path) gives
[(architecture, scale, function), ...] with them as plain PyTorch functions. After --seconds a network takes no further
round than the third.
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

PRODUCT_SIDE, CHANNELS = 2048, 128  # as network_bench.cpp


def load_peer(path, functions):
    import spandrel
    try:
        return spandrel.ModelLoader(device="cpu").load_from_file(path).eval().float()
    except Exception:  # spandrel's own errors and the unpickler's alike
        if functions is None:
            return None
    try:
        return functions.load(path)[-1][2]
    except LookupError:
        return None


def seconds_of(threads, work):
    clock = time.process_time if threads == 1 else time.perf_counter
    start = clock()
    work()
    return clock() - start


class Arithmetic:
    """Plain float32 arithmetic: a product of matrices and a 3x3 convolution."""

    def __init__(self):
        self.matrix = torch.rand(PRODUCT_SIDE, PRODUCT_SIDE)
        self.features, self.weight = (torch.rand(shape).contiguous(memory_format=torch.channels_last)
                                      for shape in ((1, CHANNELS, CHANNELS, CHANNELS), (CHANNELS, CHANNELS, 3, 3)))

    def flops(self, threads):
        """FLOP/s of the faster."""
        product = 2 * PRODUCT_SIDE**3 / seconds_of(threads, lambda: torch.mm(self.matrix, self.matrix))
        convolution = 18 * CHANNELS**4 / seconds_of(threads, lambda: torch.conv2d(self.features, self.weight, padding=1))
        return max(product, convolution)


class Peer:
    def __init__(self, network, side):
        self.network, self.picture = network, torch.rand(1, 3, side, side)
        self.arithmetic = Arithmetic()
        self.warm = False

    def measure(self, threads):
        """Seconds of a pass over the picture, FLOP/s of plain arithmetic."""
        torch.set_num_threads(threads)
        with torch.inference_mode():
            if not self.warm:
                self.network(self.picture)
                self.arithmetic.flops(threads)
                self.warm = True
            seconds = seconds_of(threads, lambda: self.network(self.picture))
            return seconds, self.arithmetic.flops(threads)


def measure_ours(args, name, threads):
    """Seconds, FLOP/s of plain arithmetic, and FLOP of a pass as upbench counts them."""
    pattern = f"^{args.precision}/{name}/side:{args.side}/threads:{threads}/"
    command = [args.bench, f"--benchmark_filter={pattern}", "--benchmark_format=json", "--benchmark_min_time=0.001"]
    environment = dict(os.environ, UPBENCH_ASSETS=str(args.assets))
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    result = json.loads(done.stdout)["benchmarks"][0]
    seconds = args.side**2 / result["pixels/s"]
    return seconds, result["peak"], result["FLOP/s"] * seconds


def compare(args, path, network, threads):
    peer, ours = Peer(network, args.side), []
    theirs, start = [], time.monotonic()
    for done in range(args.rounds):
        if done >= 3 and time.monotonic() - start > args.seconds:
            break
        theirs.append(peer.measure(threads))
        ours.append(measure_ours(args, path.stem.replace(".", r"\."), threads))
    work = ours[0][2]
    shares = [statistics.median(work / seconds / peak for seconds, peak, *_ in side) for side in (theirs, ours)]
    ratios = [a[0] / b[0] for a, b in zip(theirs, ours)]
    return shares, statistics.median(ratios), min(ratios), len(ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/upbench_network_bench")
    parser.add_argument("--assets", type=Path, default=Path(os.environ.get("UPBENCH_ASSETS", "../shared/assets")))
    parser.add_argument("--side", type=int, default=256, choices=(64, 128, 256))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"), help="of ours; the peer's is fp32")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--only", help="parts of file names")
    parser.add_argument("--functions", type=Path)
    args = parser.parse_args()

    functions = None
    if args.functions:
        spec = importlib.util.spec_from_file_location("functions", args.functions)
        functions = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(functions)
    files = sorted(p for p in (args.assets / "weights/upscalers").rglob("*")
                   if p.suffix in (".pth", ".pt", ".safetensors"))
    print(f"{'network':34} threads  peer share  our share  peer time / ours  (least)  rounds")
    for path in files:
        if args.only and not any(part in path.name for part in args.only.split(",")):
            continue
        network = load_peer(path, functions)
        if network is None:
            print(f"{path.stem:34} no peer")
            continue
        for threads in (int(t) for t in args.threads.split(",")):
            (theirs, ours), ratio, least, rounds = compare(args, path, network, threads)
            print(f"{path.stem:34} {threads:7}  {theirs:10.2f}  {ours:9.2f}  {ratio:16.2f}  {least:7.2f}  {rounds:6}",
                  flush=True)


if __name__ == "__main__":
    sys.exit(main())
