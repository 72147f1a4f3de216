"""Parts of docs/performance.md beside the table of peers: networks on two threads and in bf16, LPIPS beside its trunk, metrics alone, and a
sweep beside a plain Python loop. Each gives markdown, or nothing and says why (scripts/performance_page.py puts them together)."""
import csv
import io
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import bench_peers

ROOT = Path(__file__).resolve().parent.parent
BF16 = ("srvgg/realesr-animevideov3.pth", "srvgg/realesr-general-x4v3.safetensors", "rrdb/RealESRGAN_x4plus_anime_6B.pth",
        "rrdb/RRDB_PSNR_x4.fp16.safetensors")


def two_threads(build, rounds, side, functions, said):
    """Networks as in the table of peers, on two threads by the clock."""
    rows = bench_peers.network_rows(build, rounds, side, functions, said, threads=2)
    lines = ["| network | spandrel | upbench | times as fast |", "|---|---:|---:|---:|"]
    for row in rows:
        lines.append(f"| {row['task']} | {row['peer']:.2f} | {row['upbench']:.2f} | {row['times_as_fast']:.2f} |")
    return "\n".join(lines) if rows else ""


def _score_differences(build, file):
    """Mean PSNR-Y of Set5 in bf16 less that in fp32, dB."""
    assets = Path(os.environ["UPBENCH_ASSETS"])
    spec = f"""name: bf16
images: {{hr: {assets}/images/Set5/HR, lr: {assets}/images/Set5/LR_bicubic/X4}}
pipeline: [{{upscale: {{model: {Path(file).stem}, precision: [fp32, bf16]}}}}]
metrics: [psnr-y]
timing: none
"""
    program = Path(build).resolve() / "upbench"
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bf16.yaml").write_text(spec, encoding="utf-8")
        quiet = {"cwd": folder, "check": True, "capture_output": True, "text": True}
        subprocess.run([program, "run", "bf16.yaml", "--store", "s.db", "--models", assets / "weights/upscalers" / Path(file).parent], **quiet)
        rows = list(csv.DictReader(io.StringIO(subprocess.run([program, "report", "s.db", "--csv", "-"], **quiet).stdout)))
    mean = {precision: statistics.mean(float(row["psnr-y"]) for row in rows if row["upscale.precision"] == precision) for precision in ("fp32", "bf16")}
    return mean["bf16"] - mean["fp32"]


def has_bf16(said):
    """What oneDNN asks of a processor before it computes in bfloat16; without it convolutions are many times as slow."""
    if "avx512bw" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split():
        return True
    said("left out: bf16 (the processor has no AVX-512)")
    return False


def bf16(build, rounds, side, said):
    """Ours in bf16 beside ours in fp32, in turns on one thread."""
    if not has_bf16(said):
        return ""
    if not os.environ.get("UPBENCH_ASSETS"):
        said("left out: bf16 ($UPBENCH_ASSETS is needed)")
        return ""
    bench = bench_peers.Bench(build, "network", True)
    lines = ["| network | fp32 | bf16 | of peak | times as fast | PSNR-Y of Set5, bf16 less fp32 |", "|---|---:|---:|---:|---:|---:|"]
    for file in BF16:
        name = Path(file).stem.replace(".", r"\.")
        seconds, shares = {"fp32": [], "bf16": []}, []
        for _ in range(min(rounds, 3) if "RRDB_PSNR" in file else rounds):
            for precision, samples in seconds.items():
                result = bench.run(f"{precision}/{name}/side:{side}/threads:1/manual_time")
                samples.append(side**2 / result["pixels/s"])
                if precision == "bf16":
                    shares.append(result["share"])
        ratio = statistics.median(a / b for a, b in zip(*seconds.values()))
        said(f"{file} in bf16: {ratio:.2f} times as fast as in fp32")
        lines.append(f"| {file.rsplit('.', 1)[0]} | {statistics.median(seconds['fp32']):.3g} s | {statistics.median(seconds['bf16']):.3g} s | {statistics.median(shares):.2f} | {ratio:.2f} | "
                     f"{_score_differences(build, file):+.4f} dB |")
    return "\n".join(lines)


def lpips_beside_trunk(build, rounds, said):
    """Of a pair of 1 MP, neither side's features known: 1 is two passes through the network's convolutions and nothing else."""
    if not os.environ.get("UPBENCH_WEIGHTS"):
        said("left out: LPIPS beside its trunk ($UPBENCH_ASSETS is needed)")
        return ""
    bench = bench_peers.Bench(build, "lpips", False)
    ratios = [bench.seconds("lpips_pair/1024/process_time/real_time") / bench.seconds("trunk_twice/channels_last/1024/process_time/real_time")
              for _ in range(rounds)]
    return f"{statistics.median(ratios):.2f}"


def output_of(script, *arguments, said):
    """What a comparison prints, as a block; nothing where it fails."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "OMP_", "OPENBLAS_", "MKL_"))}  # set by bench_peers
    run = subprocess.run([*map(str, [*script, *arguments])], capture_output=True, text=True, env=own)
    if run.returncode != 0:
        said(f"left out: {Path(script[-1]).name}: {(run.stderr.strip().splitlines() or ['failed'])[-1]}")
        return ""
    return f"```\n{run.stdout.strip()}\n```"


def metrics_alone(build, rounds, said):
    return output_of([sys.executable, ROOT / "tests/bench/metrics_vs_python.py"], "--bench", Path(build) / "upbench_lpips_bench", "--rounds", rounds, said=said)


def python_loop(loop, rounds, said):
    """Same sweep, in turns; fp32 with what sweeps share, and bf16."""
    script = [ROOT / "scripts/bench_vs_python.sh"]
    common = ["--python", sys.executable, "--loop", loop, "--rounds", rounds]
    return {"fp32": output_of(script, *common, "--sharing", said=said),
            "bf16": output_of(script, *common, "--precision", "bf16", said=said) if has_bf16(said) else ""}
