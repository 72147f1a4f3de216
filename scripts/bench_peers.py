#!/usr/bin/env python3
"""upbench beside the programs that do the same in Python, on one thread and in turns; prints a markdown table.

  bench_peers.py [--build DIR] [--rounds 7] [--quick] [--functions FILE] [--json FILE]

Each row: the physical floor, the peer, upbench. Processor time, median of the rounds; in each round both sides run once, one
after the other. Networks are given as the share of the rate of plain float32 arithmetic (a product of matrices or a 3x3
convolution, whichever is faster) that the same process reached in the same second, so that a slow moment of the machine slows both. A peer that this Python does not have is named and left out
(Pillow, cv2, skimage, lpips, torch with spandrel); networks and LPIPS need $UPBENCH_ASSETS. --functions: plain PyTorch functions
of networks that spandrel lacks. --json adds the rows to FILE.

Floor: the greater of operations / product rate and bytes / copy rate, both measured here; operations and bytes of the task by
hand (in the code). Decoders and encoders have none that is known.
"""
import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
# What upbench sets for itself, so that neither side maps and zeroes large buffers anew.
os.environ.update(MALLOC_MMAP_MAX_="0", MALLOC_TRIM_THRESHOLD_="68719476736", MALLOC_TOP_PAD_="67108864")

if assets := os.environ.get("UPBENCH_ASSETS"):
    os.environ.setdefault("UPBENCH_WEIGHTS", os.path.join(assets, "weights/lpips"))

SIDE = 1024
PIXELS = SIDE * SIDE
ROOT = Path(__file__).resolve().parent.parent
SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
NETWORKS = ("srvgg/realesr-animevideov3.pth", "srvgg/realesr-general-x4v3.safetensors",
            "rrdb/RealESRGAN_x4plus_anime_6B.pth", "rrdb/RRDB_PSNR_x4.fp16.safetensors", "span/team46_span.pth",
            "span/team38_span_ch28_slim.pth", "rlfn/rlfn_x4.pth", "pan/PANx4_DF2K.pth", "bsrn/net_g_BSRN_x4.pth",
            "dctlsa/X4.pt", "craft/team34_craft.pth", "hitsr/team54_HITSR.pth")


def module(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def seconds_of(work):
    """Processor time of one call, over at least 30 ms."""
    calls, start = 0, time.process_time()
    while (passed := time.process_time() - start) < 0.03 or calls == 0:
        work()
        calls += 1
    return passed / calls


class Bench:
    """A benchmark program of the build."""

    def __init__(self, build, name, quick):
        self.program, self.quick = Path(build) / f"upbench_{name}_bench", quick

    def run(self, benchmark):
        command = [self.program, f"--benchmark_filter=^{benchmark}$", "--benchmark_format=json",
                   "--benchmark_min_time=" + ("0.01" if self.quick else "0.05")]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        results = json.loads(output)["benchmarks"]
        if not results or results[0].get("error_occurred"):
            raise RuntimeError(results[0]["error_message"] if results else f"{self.program.name} has no {benchmark}")
        return results[0]

    def seconds(self, benchmark):
        result = self.run(benchmark)
        return result["cpu_time"] * SECONDS[result["time_unit"]]


def networks_vs_spandrel():
    """The module tests/bench/networks_vs_spandrel.py, which needs torch."""
    sys.dont_write_bytecode = True  # nothing beside the sources
    sys.path.insert(0, str(ROOT / "tests/bench"))
    return importlib.import_module("networks_vs_spandrel")


def machine_rates(numpy):
    """FLOP/s of plain float32 arithmetic, bytes/s of a copy (read and written)."""
    a = numpy.random.default_rng(0).random((SIDE, SIDE), dtype=numpy.float32)
    product = 2 * SIDE**3 / min(seconds_of(lambda: a @ a) for _ in range(5))
    if module("torch"):  # the product of a NumPy may be far from what the processor does
        arithmetic = networks_vs_spandrel().Arithmetic()
        product = max(product, *(arithmetic.flops(threads=1) for _ in range(5)))
    big = numpy.ones(1 << 25, dtype=numpy.float32)
    target = numpy.empty_like(big)
    copy = 2 * big.nbytes / min(seconds_of(lambda: numpy.copyto(target, big)) for _ in range(5))
    return product, copy


def codec_tasks(bench, folder):
    subprocess.run([bench.program, "--write", folder], check=True)
    files = {name: (Path(folder) / f"picture.{name}").read_bytes() for name in ("png", "jpeg", "webp")}
    tasks = []
    if image := module("PIL.Image"):
        import io
        for name, data in files.items():
            tasks.append((f"decode {name}", "Pillow", lambda data=data: image.open(io.BytesIO(data)).load(),
                          f"decode_picture/{name}"))
        picture = image.open(io.BytesIO(files["png"])).convert("RGB")
        for level in (1, 6):
            tasks.append((f"encode png, level {level}", "Pillow",
                          lambda level=level: picture.save(io.BytesIO(), "png", compress_level=level),
                          f"encode_picture/level:{level}"))
    if (cv2 := module("cv2")) and (numpy := module("numpy")):
        for name, data in files.items():
            array = numpy.frombuffer(data, numpy.uint8)
            tasks.append((f"decode {name}", "OpenCV", lambda array=array: cv2.imdecode(array, cv2.IMREAD_COLOR),
                          f"decode_picture/{name}"))
    return [(name, peer, work, lambda benchmark=benchmark: bench.seconds(benchmark), 0, 0)
            for name, peer, work, benchmark in tasks]


def resize_tasks(bench):
    image = module("PIL.Image")
    if not image:
        return []
    picture = image.effect_noise((SIDE, SIDE), 60).convert("RGB")
    to = 2 * SIDE
    # Two passes, 6 taps each in a lanczos enlargement; a byte a sample read and written.
    work, moved = 3 * 2 * 6 * (to * SIDE + to * to), 3 * (SIDE * SIDE + to * to)
    return [("resize 1 MP to 4 MP, lanczos, 8 bit", "Pillow", lambda: picture.resize((to, to), image.Resampling.LANCZOS),
             lambda: bench.seconds(f"pil-lanczos/levels/{to}"), work, moved)]


def metric_tasks(bench):
    numpy, tasks = module("numpy"), []
    random = numpy.random.default_rng(1)
    reference = random.integers(0, 256, (SIDE, SIDE, 3)).astype(numpy.uint8)
    output = ((3 * reference.astype(numpy.uint16) + random.integers(0, 256, reference.shape)) // 4).astype(numpy.uint8)
    ours = lambda name: lambda: bench.seconds(f"metric/{name}/{SIDE}")
    if metrics := module("skimage.metrics"):
        tasks.append(("PSNR, RGB", "scikit-image",
                      lambda: metrics.peak_signal_noise_ratio(reference, output, data_range=255), ours("psnr-rgb"),
                      9 * PIXELS, 6 * PIXELS))
        tasks.append(("SSIM, RGB", "scikit-image",
                      lambda: metrics.structural_similarity(output, reference, data_range=255, channel_axis=2,
                                                            gaussian_weights=True, sigma=1.5,
                                                            use_sample_covariance=False),
                      ours("ssim-rgb"), 735 * PIXELS, 6 * PIXELS))
    lpips, torch = module("lpips"), module("torch")
    if lpips and torch and os.environ.get("UPBENCH_ASSETS"):
        torch.set_num_threads(1)
        network = lpips.LPIPS(net="alex", pretrained=False, pnet_rand=True, verbose=False)  # its speed, not its scores
        pair = [torch.from_numpy(p.astype(numpy.float32).transpose(2, 0, 1)[None] / 127.5 - 1) for p in (output, reference)]

        def score():
            with torch.no_grad():
                network(*pair)
        tasks.append(("LPIPS, AlexNet", "lpips", score, ours("lpips-alex"), 2 * 2 * 14259 * PIXELS, 24 * PIXELS))
    return tasks


def network_rows(build, rounds, side, functions, said, threads=1):
    """Shares of the rate of plain arithmetic, peer and upbench in turns: tests/bench/networks_vs_spandrel.py."""
    assets = os.environ.get("UPBENCH_ASSETS")
    if not (module("torch") and module("spandrel") and assets):
        said("left out: networks (torch and spandrel are needed, and $UPBENCH_ASSETS)")
        return []
    networks, rows = networks_vs_spandrel(), []
    own = None
    if functions:
        spec = importlib.util.spec_from_file_location("functions", functions)
        own = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(own)
    settings = argparse.Namespace(bench=Path(build) / "upbench_network_bench", assets=assets, side=side, rounds=rounds,
                                  precision="fp32", seconds=60)
    for file in NETWORKS:
        path = Path(assets) / "weights/upscalers" / file
        network = networks.load_peer(path, own) if path.exists() else None
        if network is None:
            said(f"left out: {path.stem}: " + ("no peer loads it" if path.exists() else "not in the assets"))
            continue
        (theirs, ours), ratio, _, _ = networks.compare(settings, path, network, threads)
        rows.append({"task": f"{path.parent.name}/{path.stem}, {side}x{side}", "peer_name": "spandrel", "unit": "share", "floor": 1,
                     "peer": theirs, "upbench": ours, "times_as_fast": ratio})
        said(text_of(rows[-1]))
    return rows


def text_of(entry):
    return f"{entry['task']}: {entry['times_as_fast']:.2f} times as fast as {entry['peer_name']}"


def compare(build, rounds, quick, functions, said):
    numpy = module("numpy")
    if not numpy:
        said("no comparison: numpy is needed")
        return {"rows": []}
    product, copy = machine_rates(numpy)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        tasks = (codec_tasks(Bench(build, "codec", quick), folder) + resize_tasks(Bench(build, "resample", quick))
                 + metric_tasks(Bench(build, "growth", quick)))
        for package in ("PIL", "cv2", "skimage", "lpips"):
            if not module(package):
                said(f"left out: this Python has no {package}")
        for name, peer_name, work, ours_of, operations, moved in tasks:
            peer, ours = [], []
            try:
                work()
                for _ in range(rounds):
                    ours.append(ours_of())
                    peer.append(seconds_of(work))
            except (RuntimeError, OSError) as error:
                said(f"left out: {name}: {error}")
                continue
            floor = max(operations / product, moved / copy) * 1e3 or None
            ratio = statistics.median(a / b for a, b in zip(peer, ours))
            rows.append({"task": name, "peer_name": peer_name, "unit": "ms", "floor": floor,
                         "peer": statistics.median(peer) * 1e3, "upbench": statistics.median(ours) * 1e3,
                         "times_as_fast": ratio})
            said(text_of(rows[-1]))
    rows += network_rows(build, rounds, 64 if quick else 256, functions, said)
    return {"product_flops": product, "copy_bytes_per_s": copy, "rounds": rounds, "rows": rows}


def table(comparison):
    def shown(entry, key):
        if entry[key] is None:
            return "–"
        return f"{entry[key]:.2f} of peak" if entry["unit"] == "share" else f"{entry[key]:.3g} ms"
    lines = ["| task | floor | peer | upbench | times as fast |", "|---|---:|---:|---:|---:|"]
    for entry in comparison["rows"]:
        lines.append(f"| {entry['task']} | {shown(entry, 'floor')} | {entry['peer_name']} {shown(entry, 'peer')} | "
                     f"{shown(entry, 'upbench')} | {entry['times_as_fast']:.2f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--functions", type=Path, help="as tests/bench/networks_vs_spandrel.py takes it")
    parser.add_argument("--json")
    args = parser.parse_args()
    comparison = compare(args.build, 1 if args.quick else args.rounds, args.quick, args.functions,
                         lambda text: print(f"upbench: {text}", file=sys.stderr))
    print(table(comparison))
    if args.json:
        file = Path(args.json)
        known = json.loads(file.read_text()) if file.exists() else {}
        file.write_text(json.dumps(known | {"peers": comparison}, indent=1) + "\n")


if __name__ == "__main__":
    main()
