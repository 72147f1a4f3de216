"""gpu_check.md from what gpu_check.py measured: every figure next to its floor, every goal met or missed."""
import json

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}

# Vendors' data sheets: dense FLOP/s by precision, bytes/s of device memory.
DATA_SHEETS = {
    "H200": {"fp16": 989e12, "bf16": 989e12, "tf32": 495e12, "fp32": 67e12, "memory": 4.8e12},
    "H100": {"fp16": 989e12, "bf16": 989e12, "tf32": 495e12, "fp32": 67e12, "memory": 3.35e12},
    "A100": {"fp16": 312e12, "bf16": 312e12, "tf32": 156e12, "fp32": 19.5e12, "memory": 2.0e12},
    "RTX 4090": {"fp16": 165e12, "bf16": 165e12, "tf32": 82.6e12, "fp32": 82.6e12, "memory": 1.0e12},
    "RTX 3090": {"fp16": 71e12, "bf16": 71e12, "tf32": 35.6e12, "fp32": 35.6e12, "memory": 0.94e12},
}


def peaks_of(context):
    """(peaks, where from): of the data sheet where the device is known, else as measured in this run."""
    for name, sheet in DATA_SHEETS.items():
        if name in context.get("description", ""):
            return sheet, f"data sheet of {name}"
    measured = json.loads(context.get("peaks", "{}"))
    return {"fp16": measured.get("fp16_flops", 0), "bf16": measured.get("bf16_flops", 0), "tf32": measured.get("tf32_flops", 0),
            "fp32": measured.get("fp32_flops", 0), "memory": measured.get("copy_bytes_per_s", 0)}, "measured in this run"


def precision_of(name):
    """Of a benchmark: what its arithmetic runs in."""
    parts = name.split("/")
    return parts[2] if parts[0] == "network" else "fp32"


def floor_seconds(result, peaks):
    """The time below which nothing can be: arithmetic at the peak or bytes at full bandwidth. None: not known."""
    walls = []
    if result["name"].startswith("copy_"):
        return None  # the bus between host and device, which no data sheet of the GPU tells
    if result.get("flop") and peaks.get(precision_of(result["name"])):
        walls.append(result["flop"] / peaks[precision_of(result["name"])])
    if result.get("bytes") and peaks.get("memory"):
        walls.append(result["bytes"] / peaks["memory"])
    return max(walls) if walls else None


def seconds_of(result):
    return result["real_time"] * SECONDS[result["time_unit"]]


def micro(seconds):
    value = 1e6 * seconds
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def short_name(result):
    return result["name"].removesuffix("/manual_time")


def usable(benchmarks):
    return [result for result in benchmarks if not result.get("error_occurred") and result.get("run_type", "iteration") == "iteration"]


def figures(benchmarks, peaks):
    lines = ["| benchmark | µs | floor µs | floor / measured | rate |", "|---|---:|---:|---:|---|"]
    for result in usable(benchmarks):
        seconds, floor = seconds_of(result), floor_seconds(result, peaks)
        rates = []
        if result.get("flop"):
            rates.append(f"{result['flop'] / seconds / 1e12:.3g} TFLOP/s")
        if result.get("bytes"):
            rates.append(f"{result['bytes'] / seconds / 1e9:.3g} GB/s")
        label = f" ({result['label']})" if result.get("label") else ""
        lines.append(f"| {short_name(result)}{label} | {micro(seconds)} | {micro(floor) if floor else ''} | "
                     f"{f'{100 * floor / seconds:.1f} %' if floor else ''} | {', '.join(rates)} |")
    return lines


def kernels_against_aten(benchmarks):
    """(task, ATen's seconds, the kernel's) for each that has both."""
    by_name = {short_name(result): seconds_of(result) for result in usable(benchmarks)}
    return [(name.replace("/aten", ""), seconds, by_name[name.replace("/aten", "/kernel")])
            for name, seconds in by_name.items() if "/aten" in name and name.replace("/aten", "/kernel") in by_name]


def kernel_table(benchmarks):
    pairs = kernels_against_aten(benchmarks)
    if not pairs:
        return ["Kernels were not measured."]
    lines = ["| task | ATen µs | kernel µs | ratio | verdict |", "|---|---:|---:|---:|---|"]
    for name, aten, kernel in pairs:
        verdict = "faster" if aten / kernel > 1.05 else "slower" if kernel / aten > 1.05 else "equal"
        lines.append(f"| {name} | {micro(aten)} | {micro(kernel)} | {aten / kernel:.2f} | {verdict} |")
    return lines


def best(benchmarks, prefix, value):
    values = [value(result) for result in usable(benchmarks) if result["name"].startswith(prefix)]
    return max(values) if values else None


def goals(report, peaks):
    """(goal, measured, met): met None where it was not measured."""
    benchmarks = report["benchmarks"]["benchmarks"]
    found = []
    for network, text in (("rrdb23", "RRDB23 fp16 at 40 % of the peak"), ("srvgg32", "SRVGG fp16 at 40 % of the peak")):
        rate = best(benchmarks, f"network/{network}/fp16/", lambda result: result["flop"] / seconds_of(result))
        share = rate / peaks["fp16"] if rate and peaks.get("fp16") else None
        found.append((text, f"{100 * share:.1f} %" if share else None, share >= 0.4 if share else None))
    busy = report["sweep"].get("busy")
    found.append(("GPU busy 90 % of a sweep", f"{100 * busy:.0f} %" if busy is not None else None, busy >= 0.9 if busy is not None else None))
    times = [seconds_of(result) for result in usable(benchmarks) if short_name(result).startswith("similarity_u8/") and short_name(result).endswith("/1024")]
    found.append(("SSIM and squared error of 1 MP RGB in 50 µs", f"{1e6 * min(times):.1f} µs" if times else None, min(times) <= 50e-6 if times else None))
    loop, own = report["sweep"].get("loop", {}).get("seconds"), report["sweep"].get("seconds")
    ratio = loop / own if loop and own and report["sweep"].get("exit") == 0 else None
    found.append(("Sweep 5 times as fast as a PyTorch loop", f"{ratio:.2f} x" if ratio else None, ratio >= 5 if ratio else None))
    return found


def goal_table(report, peaks):
    lines = ["| goal | measured | |", "|---|---:|---|"]
    for goal, measured, met in goals(report, peaks):
        lines.append(f"| {goal} | {measured or 'not measured'} | {'' if met is None else 'met' if met else 'missed'} |")
    return lines


def test_lines(tests):
    if tests.get("error"):
        return [f"The test program gave no report (exit {tests['exit']}):", "", "```", tests["error"].strip(), "```"]
    lines = [f"{tests['passed']} passed, {len(tests['failed'])} failed, {len(tests['skipped'])} skipped."]
    lines += [f"- failed: {case['name']}: {case['text'].splitlines()[0]}" for case in tests["failed"]]
    lines += [f"- skipped: {name}: {reason}" for name, reason in tests["skipped"].items()]
    return lines


def sanitizer_lines(sanitizer):
    if not sanitizer["found"]:
        return ["compute-sanitizer: not installed here, not run."]
    return [f"- compute-sanitizer {tool}: {result['summary']} (exit {result['exit']})" for tool, result in sanitizer["tools"].items()]


def sweep_lines(sweep):
    if sweep.get("exit") != 0:
        return [f"The sweep did not end well (exit {sweep.get('exit')}):", "", "```", sweep.get("error", "").strip(), "```"]
    lines = [f"{sweep['trials']} trials in {sweep['seconds']:.1f} s, start-up included."]
    kernels = sweep.get("kernels", {})
    if kernels.get("exit") == 0:
        lines.append(f"With all of our kernels: {kernels['seconds']:.1f} s.")
    elif kernels:
        lines.append(f"With all of our kernels it did not end well (exit {kernels['exit']}): {kernels.get('error', '').strip()[-300:]}")
    loop = sweep.get("loop", {})
    if "seconds" in loop:
        lines.append(f"The PyTorch loop took {loop['seconds']:.1f} s, start-up included, for the same networks, sizes, tiles and metrics "
                     "on random pictures, which it neither decodes nor stores.")
    else:
        lines.append(f"PyTorch loop: {loop.get('error', 'not run')}")
    return lines


def environment_lines(report):
    context, lines = report["benchmarks"]["context"], []
    lines.append(f"- device: {context.get('description', 'not told')}")
    lines.append(f"- CUDA module: {context.get('cuda_module', 'not told')}")
    for check in report["environment"]["doctor"].get("checks", []):
        lines.append(f"- {check['what']}: {check['text']}")
    if report["environment"].get("nvidia_smi"):
        lines.append(f"- nvidia-smi: {report['environment']['nvidia_smi'].strip()}")
    lines.append(f"- {report['when']}, {report['host_processors']} processors, {report['seconds']:.0f} s in all")
    return lines


def render(report):
    peaks, source = peaks_of(report["benchmarks"]["context"])
    benchmarks = report["benchmarks"]["benchmarks"]
    parts = [["# What the GPU did", ""], environment_lines(report),
             ["", "## Goals", ""], goal_table(report, peaks),
             ["", "## Tests of device paths", ""], test_lines(report["tests"]), sanitizer_lines(report["sanitizer"]),
             ["", "## Our kernels against ATen", "", "A kernel may become the default where it is faster.", ""], kernel_table(benchmarks),
             ["", "## A sweep", ""], sweep_lines(report["sweep"]),
             ["", "## Every figure", "", f"Floors: FLOP at the peak or bytes at full bandwidth, whichever takes longer; peaks: {source}. "
              "network/NAME/PRECISION/eager, graph (replayed) or fast (algorithms searched), then tile side / tiles at once.", ""],
             figures(benchmarks, peaks)]
    if report["benchmarks"].get("error"):
        parts.append(["", "The benchmarks did not end well:", "", "```", report["benchmarks"]["error"].strip(), "```"])
    return "\n".join(line for part in parts for line in part) + "\n"
