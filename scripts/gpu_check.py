#!/usr/bin/env python3
"""The work of gpu_check.sh.

  gpu_check.py run --programs DIR --out DIR --minutes N    measures, then renders
  gpu_check.py render FOLDER                               gpu_check.md again from FOLDER/gpu_check.json
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from gpu_check_busy import Busy, bus_address, libraries
from gpu_check_report import render

KERNEL_TESTS = "Cuda/*Kernel*:Cuda/DeviceScoring*"
SWEEP_PICTURES, SWEEP_SIDE, SWEEP_SCALE = 24, 1024, 4
NETWORKS = ("rrdb23", "srvgg32")
DEVICE = 0  # cuda:0
BENCHMARK_SHARE = 0.6  # of the time that tests leave; the sweep and the sanitizer have the rest
SWEEP_SHARE = 0.65  # of that rest, where there is a sanitizer; else all of it
SANITIZER_KINDS = ("memcheck", "racecheck")
NOT_STARTED = 127  # as shells have it


class Programs:
    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.runner = self.folder / "run.sh"

    def command(self, name, *arguments):
        if self.runner.exists():
            return [str(self.runner), name, *arguments]
        return [str(self.folder / name), *arguments]

    def missing(self):
        where = self.folder / "bin" if self.runner.exists() else self.folder
        names = ("upbench", "upbench_gpu_test", "upbench_device_bench", "libupbench_cuda.so")
        return [name for name in names if not (where / name).exists()]


class Clock:
    """Hands each step the time that is left for it."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def for_step(self, most=float("inf")):
        """Seconds; 0: there is no time for it."""
        seconds = min(most, self.end - time.monotonic())
        return seconds if seconds >= 5 else 0

    def part(self, share):
        return Clock(share * (self.end - time.monotonic()))


def run_step(name, command, seconds, **options):
    """(exit code, output); code None: it ran out of time, or there was none."""
    if seconds <= 0:
        return None, "not run: no time was left"
    print(f"gpu_check: {name} (at most {seconds:.0f} s)", file=sys.stderr, flush=True)
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                   start_new_session=True, **options)
    except OSError as error:
        return NOT_STARTED, str(error)
    try:
        output, _ = process.communicate(timeout=seconds)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # what it started as well: it holds the output open
        return None, f"stopped after {seconds:.0f} s\n{process.communicate()[0]}"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def read_json(file):
    try:
        return json.loads(Path(file).read_text())
    except (OSError, ValueError):
        return None


def environment(programs, clock):
    code, text = run_step("doctor", programs.command("upbench", "doctor", "--json"), clock.for_step(60))
    try:
        doctor = json.loads(text[text.index("{"):])
    except ValueError:
        doctor = {"checks": [], "error": text[-500:], "exit": code}
    found = {"doctor": doctor}
    if shutil.which("nvidia-smi"):
        address = bus_address(libraries()[0], DEVICE)
        one = ["--id=" + address.decode()] if address else []

        def query(fields, *options):
            return run_step("nvidia-smi", ["nvidia-smi", *one, f"--query-gpu={fields}", "--format=csv,noheader" + "".join(options)],
                            clock.for_step(20))[1].strip()

        found["nvidia_smi"] = query("name,driver_version,memory.total,power.limit,clocks.max.sm,clocks.max.memory,"
                                    "ecc.mode.current,persistence_mode")
        found["pcie_link"] = pcie_link(query("pcie.link.gen.max,pcie.link.width.max", ",nounits"))
    return found


def pcie_link(text):
    """[generation, lanes] from "5, 16"; None: it is not that."""
    match = re.match(r"(\d+), (\d+)$", text.splitlines()[0] if text else "")
    return [int(number) for number in match.groups()] if match else None


def gpu_problem(found):
    """Why there is no GPU to check; empty: there is one."""
    for check in found["doctor"].get("checks", []):
        if check["what"] == "GPU":
            return "" if check["ok"] else check["text"]
    return "upbench doctor does not say: " + found["doctor"].get("error", "no check named GPU")


def tests(programs, work, clock):
    result = work / "tests.json"
    code, text = run_step("tests", programs.command("upbench_gpu_test", f"--gtest_output=json:{result}"), clock.for_step(150))
    report = read_json(result)
    if report is None:  # it crashed or was stopped: what it had said until then
        failed = [{"name": name, "text": "see the output"} for name in re.findall(r"^\[  FAILED  \] (\S+) \(", text, re.MULTILINE)]
        return {"exit": code, "error": text[-2000:], "passed": text.count("[       OK ]"), "failed": failed, "skipped": {}}
    passed, failed, skipped = 0, [], {}
    for suite in report["testsuites"]:
        for case in suite["testsuite"]:
            name = f'{suite["name"]}.{case["name"]}'
            if case.get("failures"):
                failed.append({"name": name, "text": case["failures"][0]["failure"][:600]})
            elif case.get("result") == "SKIPPED":
                skipped[name] = " ".join(entry.get("message", "") for entry in case.get("skipped", [])).strip()
            else:
                passed += 1
    return {"exit": code, "passed": passed, "failed": failed, "skipped": skipped}


def find_sanitizer():
    """compute-sanitizer, sought where nvcc is (cmake/cuda.cmake): PATH, the wheels beside LibTorch (the environments of
    scripts/common.sh), /usr/local/cuda*. None: it is not there."""
    deps = Path(os.environ.get("UPBENCH_DEPS") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "upbench")
    toolkits = [*sorted(deps.glob("env-*/lib/python3*/site-packages/nvidia/cu13")), *sorted(Path("/usr/local").glob("cuda*"))]
    places = [str(toolkit / part / "compute-sanitizer") for toolkit in toolkits for part in ("bin", "compute-sanitizer")]
    return next(filter(None, map(shutil.which, ["compute-sanitizer", *places])), None)


def sanitizer(tool, programs, clock):
    if not tool:
        return {"found": False}
    results = {"found": True, "tools": {}}
    for done, kind in enumerate(SANITIZER_KINDS):
        command = [tool, "--tool", kind, "--target-processes", "all", "--error-exitcode", "9",
                   *programs.command("upbench_gpu_test", f"--gtest_filter={KERNEL_TESTS}")]
        own = clock.part(1 / (len(SANITIZER_KINDS) - done))
        code, text = run_step(f"compute-sanitizer {kind}", command, own.for_step(60))
        lines = text.splitlines() or [""]
        said = [line for line in lines if "ERROR SUMMARY" in line or "RACECHECK SUMMARY" in line] or lines
        # Where the time was up, the first line says so.
        results["tools"][kind] = {"exit": code, "summary": (lines[0] if code is None else said[-1]).strip("= ")}
    return results


def read_benchmarks(file):
    """(context, results) of a file of Google Benchmark. It may end anywhere: its program may have been stopped."""
    context, results, decoder = {}, [], json.JSONDecoder()
    try:
        text = Path(file).read_text()
        context, at = decoder.raw_decode(text, text.index("{", text.index('"context"')))
        at = text.index("[", at)
        while True:
            result, at = decoder.raw_decode(text, text.index("{", at))
            results.append(result)
    except (OSError, ValueError):  # there are no more
        return context, results


def benchmarks(programs, work, clock, found, save):
    """Fills `found` group by group, each in a process of its own: what crashes or hangs loses no other's figures."""
    found.update({"exit": 0, "context": {}, "benchmarks": [], "problems": []})

    def note(group, code, text):
        found["exit"] = code
        found["problems"].append({"group": group, "exit": code, "text": text[-1500:]})

    code, text = run_step("list of benchmarks", programs.command("upbench_device_bench", "--list-groups"), clock.for_step(30))
    if code != 0:
        note("list", code, text)
    groups = text.split() if code == 0 else []
    for done, group in enumerate(groups):
        left = clock.for_step()
        seconds = min(left, 2 * left / (len(groups) - done))  # some are short: the others may have their time
        out = work / f"{group}.json"
        peaks = ["--no-peaks"] if "peaks" in found["context"] else []
        code, text = run_step(f"device benchmarks: {group}", programs.command(
            "upbench_device_bench", "--device", f"cuda:{DEVICE}", "--group", group, "--seconds", f"{0.7 * seconds:.0f}", *peaks,
            f"--benchmark_out={out}", "--benchmark_out_format=json"), seconds)
        if code != 0:
            note(group, code, text)
        context, results = read_benchmarks(out)
        found["context"] = {**context, **found["context"]}
        found["benchmarks"] += results
        save()


SPEC = """name: gpu-check
images: {{hr: set/hr, lr: set/lr}}
pipeline:
  - upscale: {{model: [{models}], tile: [none, 128], context: 16, precision: fp16}}
metrics: [psnr-y, ssim-y]
timing: none
"""


def sweep(programs, work, clock):
    """A sweep of random networks over drawn pictures, and how busy the GPU was."""
    folder, device, (driver, nvml) = work / "sweep", f"cuda:{DEVICE}", libraries()
    folder.mkdir()
    run_step("networks", programs.command("upbench_device_bench", "--write-networks", str(folder)), clock.for_step(30))
    run_step("pictures", programs.command("upbench", "dataset", "make", str(folder / "set"), "--procedural", "all", "--count",
                                          str(SWEEP_PICTURES), "--size", str(SWEEP_SIDE), "--scale", str(SWEEP_SCALE), "--kernel",
                                          "matlab-bicubic"), clock.for_step(60))
    (folder / "spec.yaml").write_text(SPEC.format(models=", ".join(f"{name}.safetensors" for name in NETWORKS)))
    results = {"trials": SWEEP_PICTURES * len(NETWORKS) * 2, "networks": NETWORKS, "input_side": SWEEP_SIDE // SWEEP_SCALE}

    def run(kernels):
        start = time.monotonic()
        with Busy(DEVICE, driver, nvml) as busy:
            code, text = run_step(f"sweep, kernels {kernels}", programs.command(
                "upbench", "run", "spec.yaml", "--device", device, "--keep-outputs", "none", "--json", "--store", f"{kernels}.db"),
                clock.for_step(90), cwd=folder, env={**os.environ, "UPBENCH_DEVICE_KERNELS": kernels})
        found = {"exit": code, "seconds": time.monotonic() - start, "busy": busy.share()}
        return found if code == 0 else {**found, "error": text[-1500:]}

    results.update(run("none"))
    if results["exit"] != 0:
        return results
    results["kernels"] = run("all")
    loop = Path(__file__).with_name("gpu_python_loop.py")
    code, text = run_step("PyTorch loop", [sys.executable, str(loop), str(folder), device, str(SWEEP_PICTURES), str(SWEEP_SIDE)],
                          clock.for_step(120))
    last = text.strip().splitlines()[-1:] or [""]
    try:
        results["loop"] = json.loads(last[0])
    except ValueError:
        results["loop"] = {"error": last[0] if code is not None else text.split("\n")[0]}
    return results


def failures(report):
    """What did not end well, a line each. A step that was stopped when its time was up is told in the page and is no failure;
    but the tests have to end."""
    tested, swept = report["tests"]["exit"], report["sweep"]
    steps = [("tests", "none, its time was up" if tested is None else tested)]
    steps += [(f"benchmarks {problem['group']}", problem["exit"]) for problem in report["benchmarks"]["problems"]]
    steps += [("sweep", swept["exit"]), ("sweep with all kernels", swept.get("kernels", {}).get("exit"))]
    steps += [(f"compute-sanitizer {kind}", result["exit"]) for kind, result in report["sanitizer"].get("tools", {}).items()]
    return [f"{name} (exit {code})" for name, code in steps if code]


def run(args):
    programs, out = Programs(args.programs), Path(args.out)
    clock = Clock(60 * args.minutes - 10)  # the report has to be written too
    if missing := programs.missing():
        print(f"gpu_check: {programs.folder} lacks {', '.join(missing)}: build first (scripts/build.sh, with nvcc)", file=sys.stderr)
        return 4
    found = environment(programs, clock)
    if problem := gpu_problem(found):
        print(f"gpu_check: no GPU to check: {problem}", file=sys.stderr)
        return 4
    out.mkdir(parents=True, exist_ok=True)
    work = out.resolve() / "gpu_check.work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    started = time.monotonic()
    report = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "host_processors": os.cpu_count(), "environment": found,
              "benchmarks": {}}

    def save():  # kept if what comes later is killed
        report["seconds"] = time.monotonic() - started
        (out / "gpu_check.json").write_text(json.dumps(report, indent=1) + "\n")

    report["tests"] = tests(programs, work, clock)
    save()
    benchmarks(programs, work, clock.part(BENCHMARK_SHARE), report["benchmarks"], save)
    tool = find_sanitizer()
    report["sweep"] = sweep(programs, work, clock.part(SWEEP_SHARE if tool else 1))
    save()
    report["sanitizer"] = sanitizer(tool, programs, clock)
    save()
    (out / "gpu_check.md").write_text(render(report))
    shutil.rmtree(work, ignore_errors=True)
    print(out / "gpu_check.md")
    failed = failures(report)
    for failure in failed:
        print(f"gpu_check: failed: {failure}", file=sys.stderr)
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("run")
    command.add_argument("--programs", required=True)
    command.add_argument("--out", required=True)
    command.add_argument("--minutes", type=float, required=True)
    commands.add_parser("render").add_argument("folder")
    args = parser.parse_args()
    if args.command == "run":
        return run(args)
    folder = Path(args.folder)
    (folder / "gpu_check.md").write_text(render(json.loads((folder / "gpu_check.json").read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
