#!/usr/bin/env python3
"""The work of gpu_check.sh.

  gpu_check.py run --programs DIR --out DIR --minutes N    measures, then renders
  gpu_check.py render FOLDER                               gpu_check.md again from FOLDER/gpu_check.json
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from gpu_check_report import render

KERNEL_TESTS = "Cuda/*Kernel*:Cuda/DeviceScoring*"
SWEEP_PICTURES, SWEEP_SIDE = 24, 1024
NETWORKS = ("rrdb23", "srvgg32")


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

    def __init__(self, minutes):
        self.end = time.monotonic() + 60 * minutes - 10  # the report has to be written too

    def for_step(self, most):
        return max(5.0, min(most, self.end - time.monotonic()))


def run_step(name, command, seconds, **options):
    """(exit code, output); code None: it ran out of time or could not be started."""
    print(f"gpu_check: {name} (at most {seconds:.0f} s)", file=sys.stderr, flush=True)
    try:
        done = subprocess.run(command, timeout=seconds, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", **options)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired as error:
        return None, f"stopped after {seconds:.0f} s\n{(error.stdout or b'').decode(errors='replace')[-2000:]}"
    except OSError as error:
        return None, str(error)


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
        fields = "name,driver_version,memory.total,power.limit,clocks.max.sm,clocks.max.memory,ecc.mode.current,persistence_mode"
        _, found["nvidia_smi"] = run_step("nvidia-smi", ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"], 20)
    return found


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
    if report is None:
        return {"exit": code, "error": text[-2000:], "passed": 0, "failed": [], "skipped": {}}
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


def sanitizer(programs, clock):
    tool = shutil.which("compute-sanitizer") or next(
        (str(file) for file in sorted(Path("/usr/local").glob("cuda*/bin/compute-sanitizer"))), None)
    if not tool:
        return {"found": False}
    results = {"found": True, "tools": {}}
    for kind in ("memcheck", "racecheck"):
        command = [tool, "--tool", kind, "--target-processes", "all", "--error-exitcode", "9",
                   *programs.command("upbench_gpu_test", f"--gtest_filter={KERNEL_TESTS}")]
        code, text = run_step(f"compute-sanitizer {kind}", command, clock.for_step(60))
        summary = [line for line in text.splitlines() if "ERROR SUMMARY" in line or "RACECHECK SUMMARY" in line]
        results["tools"][kind] = {"exit": code, "summary": (summary or text.splitlines()[-1:] or [""])[-1].strip("= ")}
    return results


def benchmarks(programs, work, clock, device):
    out = work / "device.json"
    command = programs.command("upbench_device_bench", "--device", device, f"--benchmark_out={out}",
                               "--benchmark_out_format=json", "--benchmark_min_time=0.05")
    code, text = run_step("device benchmarks", command, clock.for_step(170))
    report = read_json(out)
    if report is None:  # stopped half-way: the file was not finished, so what was measured is lost
        return {"exit": code, "error": text[-1500:], "context": {}, "benchmarks": []}
    return {"exit": code, "context": report["context"], "benchmarks": report["benchmarks"]}


class Busy:
    """Share of time in which a kernel ran, as NVML has it, ten times a second while the block lasts."""

    def __enter__(self):
        self.samples, self.stop = [], threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.stop.set()
        self.thread.join()

    def watch(self):
        import ctypes
        try:
            nvml = ctypes.CDLL("libnvidia-ml.so.1")
            handle, rates = ctypes.c_void_p(), (ctypes.c_uint * 2)()
            if nvml.nvmlInit_v2() or nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)):
                return
        except OSError:
            return
        while not self.stop.wait(0.1):
            if nvml.nvmlDeviceGetUtilizationRates(handle, rates) == 0:
                self.samples.append(rates[0])

    def share(self):
        """Between the first and the last sample at work: start-up is not the sweep."""
        at_work = [i for i, sample in enumerate(self.samples) if sample > 0]
        if len(at_work) < 10:
            return None
        inside = self.samples[at_work[0]:at_work[-1] + 1]
        return sum(inside) / len(inside) / 100


SPEC = """name: gpu-check
images: {{hr: set/hr, lr: set/lr}}
pipeline:
  - upscale: {{model: [{models}], tile: [none, 128], context: 16, precision: fp16}}
metrics: [psnr-y, ssim-y]
timing: none
"""


def sweep(programs, work, clock, device):
    """A sweep of random networks over drawn pictures, and how busy the GPU was."""
    folder = work / "sweep"
    folder.mkdir()
    run_step("networks", programs.command("upbench_device_bench", "--write-networks", str(folder)), clock.for_step(30))
    run_step("pictures", programs.command("upbench", "dataset", "make", str(folder / "set"), "--procedural", "all", "--count",
                                          str(SWEEP_PICTURES), "--size", str(SWEEP_SIDE), "--scale", "4", "--kernel",
                                          "matlab-bicubic"), clock.for_step(60))
    (folder / "spec.yaml").write_text(SPEC.format(models=", ".join(f"{name}.safetensors" for name in NETWORKS)))
    results = {"trials": SWEEP_PICTURES * len(NETWORKS) * 2}

    def run(kernels):
        start = time.monotonic()
        with Busy() as busy:
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
        results["loop"] = {"error": last[0] if code is not None else text.splitlines()[0]}
    return results


def run(args):
    programs, out, clock = Programs(args.programs), Path(args.out), Clock(args.minutes)
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
    report = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "host_processors": os.cpu_count(), "environment": found}
    for name, step in (("tests", lambda: tests(programs, work, clock)),
                       ("benchmarks", lambda: benchmarks(programs, work, clock, "cuda:0")),
                       ("sweep", lambda: sweep(programs, work, clock, "cuda:0")),
                       ("sanitizer", lambda: sanitizer(programs, clock))):
        report[name] = step()
        report["seconds"] = time.monotonic() - started
        (out / "gpu_check.json").write_text(json.dumps(report, indent=1) + "\n")  # kept if a later step is killed
    (out / "gpu_check.md").write_text(render(report))
    shutil.rmtree(work, ignore_errors=True)
    print(out / "gpu_check.md")
    return 0 if report["tests"]["exit"] == 0 else 1


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
