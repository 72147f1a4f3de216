"""How the cost of metrics and networks grows with the picture: measured by upbench_growth_bench, as tables of docs/performance.md
(scripts/performance_page.py)."""
import json
import subprocess
from pathlib import Path

import bench_peers

SIDES = (256, 512, 1024, 2048, 4096)
TOLERANCE = 0.15

# Why a curve leaves the straight line: shown with it. One that is not here and not straight is marked.
LEAVES_CACHE = "the pair (24 bytes a pixel) outgrows the last cache near 1 MP, where the time depends on where its pages lie"
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
    """{name: {side: {"s": CPU seconds, "bytes": peak}}}, the best of three repetitions, in random order: the machine's speed drifts."""
    program = Path(build) / "upbench_growth_bench"
    options = ["--benchmark_format=json", "--benchmark_min_time=0.05", f"--benchmark_repetitions={1 if quick else 3}",
               "--benchmark_enable_random_interleaving=true"]
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
    for name, points in sorted(curves.items()):
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
