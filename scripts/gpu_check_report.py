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
# PCI Express: bytes/s of a lane, each way, by generation.
LANE_RATES = {1: 0.25e9, 2: 0.5e9, 3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.563e9}
# Benchmarks named TASK/WAY/..., whose ways compute the same.
TASKS_WITH_WAYS = ("dense", "rectify")


def peaks_of(report):
    """(peaks, where from): of the data sheet where the device is known, else as measured in this run."""
    context = report["benchmarks"].get("context", {})
    bus, of_bus = bus_rate(report)
    for name, sheet in DATA_SHEETS.items():
        if name in context.get("description", ""):
            return {**sheet, "bus": bus}, f"data sheet of {name}; {of_bus}"
    measured = json.loads(context.get("peaks", "{}"))
    return {"fp16": measured.get("fp16_flops", 0), "bf16": measured.get("bf16_flops", 0), "tf32": measured.get("tf32_flops", 0),
            "fp32": measured.get("fp32_flops", 0), "memory": measured.get("copy_bytes_per_s", 0),
            "bus": bus}, f"measured in this run; {of_bus}"


def bus_rate(report):
    """(bytes/s each way between host and device, where from): of the link as named, else the fastest copy of this run."""
    generation, lanes = report["environment"].get("pcie_link") or (0, 0)
    if generation in LANE_RATES:
        return LANE_RATES[generation] * lanes, f"bus: PCIe {generation}.0 x{lanes}"
    rates = [result["bus_bytes"] / seconds_of(result) for result in usable(report) if result.get("bus_bytes")]
    return max(rates, default=0), "bus: the fastest copy of this run"


def precision_of(name):
    """Of a benchmark: what its arithmetic runs in."""
    return next((part for part in name.split("/") if part in ("fp16", "bf16", "tf32")), "fp32")


def floor_seconds(result, peaks):
    """The time below which nothing can be: arithmetic at the peak, bytes at full bandwidth. None: not known."""
    walls = [result[need] / peaks[peak] for need, peak in (("flop", precision_of(result["name"])), ("bytes", "memory"), ("bus_bytes", "bus"))
             if result.get(need) and peaks.get(peak)]
    return max(walls) if walls else None


def seconds_of(result):
    return result["real_time"] * SECONDS[result["time_unit"]]


def micro(seconds):
    value = 1e6 * seconds
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def short_name(result):
    return result["name"].removesuffix("/manual_time").removesuffix("/iterations:1")


def usable(report):
    """The benchmarks that gave a figure."""
    return [result for result in report["benchmarks"].get("benchmarks", [])
            if not result.get("error_occurred") and result.get("run_type", "iteration") == "iteration" and result["real_time"] > 0]


def figures(report, peaks):
    lines = ["| benchmark | µs | floor µs | floor / measured | rate |", "|---|---:|---:|---:|---|"]
    for result in usable(report):
        seconds, floor = seconds_of(result), floor_seconds(result, peaks)
        rates = []
        if result.get("flop"):
            rates.append(f"{result['flop'] / seconds / 1e12:.3g} TFLOP/s")
        rates += [f"{result[need] / seconds / 1e9:.3g} GB/s" for need in ("bytes", "bus_bytes") if result.get(need)]
        label = f" ({result['label']})" if result.get("label") else ""
        lines.append(f"| {short_name(result)}{label} | {micro(seconds)} | {micro(floor) if floor else ''} | "
                     f"{f'{100 * floor / seconds:.1f} %' if floor else ''} | {', '.join(rates)} |")
    return lines


def memory_table(report):
    lines = ["| benchmark | peak MB | least MB | least / peak |", "|---|---:|---:|---:|"]
    for result in usable(report):
        if result.get("peak_bytes"):
            peak, least = result["peak_bytes"], result["least_bytes"]
            lines.append(f"| {short_name(result)} | {peak / 1e6:.1f} | {least / 1e6:.1f} | {100 * least / peak:.1f} % |")
    return lines if len(lines) > 2 else ["Memory was not measured."]


def ways_table(report):
    tasks = {}
    for result in usable(report):
        task, way, *rest = short_name(result).split("/")
        if task in TASKS_WITH_WAYS:
            tasks.setdefault("/".join([task, *rest]), []).append((seconds_of(result), way))
    if not tasks:
        return ["Ways were not measured."]
    lines = ["| task | fastest | all, µs |", "|---|---|---|"]
    for task, ways in tasks.items():
        ways.sort()
        lines.append(f"| {task} | {ways[0][1]} | {', '.join(f'{way} {micro(seconds)}' for seconds, way in ways)} |")
    return lines


def kernels_against_aten(report):
    """(task, ATen's seconds, the kernel's) for each that has both."""
    by_name = {short_name(result): seconds_of(result) for result in usable(report)}
    return [(name.replace("/aten", ""), seconds, by_name[name.replace("/aten", "/kernel")])
            for name, seconds in by_name.items() if "/aten" in name and name.replace("/aten", "/kernel") in by_name]


def kernel_table(report):
    pairs = kernels_against_aten(report)
    if not pairs:
        return ["Kernels were not measured."]
    lines = ["| task | ATen µs | kernel µs | ratio | verdict |", "|---|---:|---:|---:|---|"]
    for name, aten, kernel in pairs:
        verdict = "faster" if aten / kernel > 1.05 else "slower" if kernel / aten > 1.05 else "equal"
        lines.append(f"| {name} | {micro(aten)} | {micro(kernel)} | {aten / kernel:.2f} | {verdict} |")
    return lines


def best(report, prefix, value):
    values = [value(result) for result in usable(report) if result["name"].startswith(prefix)]
    return max(values) if values else None


def goals(report, peaks):
    """(goal, measured, met): met None where it was not measured."""
    found, sweep = [], report.get("sweep", {})
    for network, text in (("rrdb23", "RRDB23 fp16 at 40 % of the peak"), ("srvgg32", "SRVGG fp16 at 40 % of the peak")):
        rate = best(report, f"network/{network}/fp16/", lambda result: result["flop"] / seconds_of(result))
        share = rate / peaks["fp16"] if rate and peaks.get("fp16") else None
        found.append((text, f"{100 * share:.1f} %" if share else None, share >= 0.4 if share else None))
    busy = sweep.get("busy")
    found.append(("GPU busy 90 % of a sweep", f"{100 * busy:.0f} %" if busy is not None else None, busy >= 0.9 if busy is not None else None))
    times = [seconds_of(result) for result in usable(report) if short_name(result).startswith("similarity_u8/") and short_name(result).endswith("/1024")]
    found.append(("SSIM and squared error of 1 MP RGB in 50 µs", f"{1e6 * min(times):.1f} µs" if times else None, min(times) <= 50e-6 if times else None))
    loop, own = sweep.get("loop", {}).get("seconds"), sweep.get("seconds")
    ratio = loop / own if loop and own and sweep.get("exit") == 0 else None
    found.append(("Sweep 5 times as fast as a PyTorch loop", f"{ratio:.2f} x" if ratio else None, ratio >= 5 if ratio else None))
    return found


def goal_table(report, peaks):
    lines = ["| goal | measured | |", "|---|---:|---|"]
    for goal, measured, met in goals(report, peaks):
        lines.append(f"| {goal} | {measured or 'not measured'} | {'' if met is None else 'met' if met else 'missed'} |")
    return lines


def test_lines(tests):
    if not tests:
        return ["Not run."]
    lines = [f"{tests['passed']} passed, {len(tests['failed'])} failed, {len(tests['skipped'])} skipped."]
    if tests.get("error"):
        lines += [f"The test program gave no report (exit {tests['exit']}); counted is what it said until then. Its last words:",
                  "", "```", tests["error"].strip(), "```", ""]
    lines += [f"- failed: {case['name']}: {case['text'].splitlines()[0]}" for case in tests["failed"]]
    lines += [f"- skipped: {name}: {reason}" for name, reason in tests["skipped"].items()]
    return lines


def sanitizer_lines(sanitizer):
    if not sanitizer.get("found"):
        return ["compute-sanitizer: not installed here, not run."]
    return [f"- compute-sanitizer {tool}: {result['summary']} (exit {result['exit']})" for tool, result in sanitizer["tools"].items()]


def sweep_floor(report, peaks):
    """Seconds of the sweep's networks alone at the peak. None: not known."""
    sweep, flop = report["sweep"], 0
    for name in sweep.get("networks", []):
        of_picture = best(report, f"network/{name}/fp16/", lambda result: result["flop"] / pictures_of(result) / side_of(result) ** 2)
        if not of_picture:
            return None
        flop += of_picture * sweep["input_side"] ** 2 * sweep["trials"] / len(sweep["networks"])
    return flop / peaks["fp16"] if flop and peaks.get("fp16") else None


def side_of(result):
    return int(short_name(result).split("/")[-2])


def pictures_of(result):
    return int(short_name(result).split("/")[-1])


def sweep_lines(report, peaks):
    sweep = report.get("sweep")
    if sweep is None:
        return ["Not run."]
    if sweep.get("exit") != 0:
        return [f"The sweep did not end well (exit {sweep.get('exit')}):", "", "```", sweep.get("error", "").strip(), "```"]
    lines = [f"{sweep['trials']} trials in {sweep['seconds']:.1f} s, start-up included."]
    if floor := sweep_floor(report, peaks):
        lines.append(f"Floor: {floor:.2f} s, its networks alone at the peak of fp16, without what tiles compute twice.")
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
    context, lines = report["benchmarks"].get("context", {}), []
    lines.append(f"- device: {context.get('description', 'not told')}")
    lines.append(f"- CUDA module: {context.get('cuda_module', 'not told')}")
    for check in report["environment"]["doctor"].get("checks", []):
        lines.append(f"- {check['what']}: {check['text']}")
    if report["environment"].get("nvidia_smi"):
        lines.append(f"- nvidia-smi: {report['environment']['nvidia_smi'].strip()}")
    lines.append(f"- {report['when']}, {report['host_processors']} processors, {report['seconds']:.0f} s in all")
    return lines


def missing_lines(report):
    """What was to be measured and was not."""
    lines = [f"- {short_name(result)}: {result.get('error_message', 'failed')}"
             for result in report["benchmarks"].get("benchmarks", []) if result.get("error_occurred")]
    for problem in report["benchmarks"].get("problems", []):
        lines += [f"- group {problem['group']} did not end well (exit {problem['exit']}):", "", "```", problem["text"].strip(), "```", ""]
    return ["", "## Not measured", "", *lines] if lines else []


def render(report):
    peaks, source = peaks_of(report)
    parts = [["# What the GPU did", ""], environment_lines(report),
             ["", "## Goals", ""], goal_table(report, peaks),
             ["", "## Tests of device paths", ""], test_lines(report.get("tests")), sanitizer_lines(report.get("sanitizer", {})),
             ["", "## Our kernels against ATen", "", "A kernel may become the default where it is faster.", ""], kernel_table(report),
             ["", "## Ways to compute the same", "", "The fastest one is to be used.", ""], ways_table(report),
             ["", "## A sweep", ""], sweep_lines(report, peaks),
             ["", "## Every figure", "", "Floors: FLOP at the peak, bytes at full bandwidth of the memory or of the bus, whichever takes "
              f"longest; peaks: {source}. network/NAME/PRECISION/eager, graph (replayed) or fast (algorithms searched), then tile side / "
              "tiles at once; tiled/NAME/PRECISION/TILE/SIDE: a whole picture.", ""],
             figures(report, peaks),
             ["", "## Memory", "", "Tensors alive at once in one call, weights and input included; least: weights, input and output.", ""],
             memory_table(report), missing_lines(report)]
    return "\n".join(line for part in parts for line in part) + "\n"
