"""gpu_check.py on a machine made of shell scripts: what it runs, what it exits with, what it writes."""
import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import gpu_check  # noqa: E402
import gpu_check_busy as busy  # noqa: E402
import gpu_check_report as report  # noqa: E402


def result(name, microseconds, **counters):
    return {"name": f"{name}/iterations:1/manual_time", "run_type": "iteration", "real_time": microseconds, "time_unit": "us", **counters}


CONTEXT = {"description": "NVIDIA H200, compute capability 9.0", "cuda_module": "version 1", "peaks": "{}"}
BENCHMARKS = [
    result("similarity_u8/aten/1024", 900, bytes=6.0 * 1024 * 1024, flop=735.0 * 1024 * 1024),
    result("similarity_u8/kernel/1024", 40, bytes=6.0 * 1024 * 1024, flop=735.0 * 1024 * 1024),
    result("gather/aten", 10, bytes=24e6), result("gather/kernel", 20, bytes=24e6),
    result("copy_up/1024", 100, bus_bytes=3e6), result("copy_down/1024", 150, bus_bytes=3e6),
    result("lpips/pair/1024", 2000, bytes=24e6, flop=60e9),
    result("dense/cat/fp16/64/16", 900, flop=0.5e12), result("dense/by_source/fp16/64/16", 1200, flop=0.5e12),
    result("tiled/srvgg32/fp16/128/512", 3000, flop=0.63e12),
    result("network/span/fp16/eager/256/1", 500, flop=0.05e12, peak_bytes=200e6, least_bytes=5e6),
    result("network/rrdb23/fp16/graph/256/8", 40000, flop=8 * 2.35e12),
    result("network/srvgg32/fp16/graph/256/8", 10000, flop=8 * 0.158e12),
    {"name": "network/rrdb6/bf16/graph/64/1", "error_occurred": True, "error_message": "out of memory"},
]
TESTS = {"testsuites": [{"name": "Cuda/LayoutKernel", "testsuite": [
    {"name": "A", "result": "COMPLETED"},
    {"name": "B", "result": "SKIPPED", "skipped": [{"message": "no half precision"}]},
    {"name": "C", "result": "COMPLETED", "failures": [{"failure": "layout_kernel_test.cpp:1\nnot equal"}]}]}]}
PASSED = {"testsuites": [{"name": "Cuda/LayoutKernel", "testsuite": [{"name": "A", "result": "COMPLETED"}]}]}


def measured():
    return {"when": "2026-01-01T00:00:00Z", "host_processors": 16, "seconds": 300,
            "environment": {"doctor": {"checks": []}, "pcie_link": [5, 16]},
            "tests": {"exit": 0, "passed": 60, "failed": [], "skipped": {}}, "sanitizer": {"found": False},
            "benchmarks": {"exit": 0, "context": CONTEXT, "benchmarks": BENCHMARKS},
            "sweep": {"exit": 0, "seconds": 10.0, "trials": 96, "networks": ["rrdb23", "srvgg32"], "input_side": 256, "busy": 0.93,
                      "loop": {"seconds": 40.0}}}


def without_figures():
    return {**measured(), "benchmarks": {"exit": 0, "context": {}, "benchmarks": []}}


class Report(unittest.TestCase):
    def setUp(self):
        self.measured = measured()
        self.peaks, self.source = report.peaks_of(self.measured)

    def floor(self, name):
        return next(report.floor_seconds(entry, self.peaks) for entry in BENCHMARKS if report.short_name(entry) == name)

    def test_floors_are_arithmetic_or_bytes_whichever_takes_longer(self):
        self.assertEqual(self.source, "data sheet of H200; bus: PCIe 5.0 x16")
        self.assertAlmostEqual(self.floor("similarity_u8/aten/1024"), 735 * 1024 * 1024 / 67e12)  # 11.5 us of FP32, 1.3 us of memory
        self.assertAlmostEqual(self.floor("gather/aten"), 24e6 / 4.8e12)
        self.assertAlmostEqual(self.floor("network/rrdb23/fp16/graph/256/8"), 8 * 2.35e12 / 989e12)
        self.assertAlmostEqual(self.floor("lpips/pair/1024"), 60e9 / 67e12)
        self.assertAlmostEqual(self.floor("dense/cat/fp16/64/16"), 0.5e12 / 989e12)
        self.assertAlmostEqual(self.floor("tiled/srvgg32/fp16/128/512"), 0.63e12 / 989e12)
        self.assertAlmostEqual(self.floor("copy_up/1024"), 3e6 / (16 * 3.938e9))

    def test_every_figure_has_a_floor(self):
        for entry in report.usable(self.measured):
            self.assertGreater(report.floor_seconds(entry, self.peaks), 0, entry["name"])

    def test_an_unknown_gpu_is_held_against_what_it_reached(self):
        unknown = measured()
        unknown["benchmarks"]["context"] = {"description": "GPU of tomorrow", "peaks": '{"fp16_flops": 2e15, "copy_bytes_per_s": 1e13}'}
        unknown["environment"]["pcie_link"] = None
        peaks, source = report.peaks_of(unknown)
        self.assertEqual((peaks["fp16"], peaks["memory"], source), (2e15, 1e13, "measured in this run; bus: the fastest copy of this run"))
        self.assertAlmostEqual(peaks["bus"] / 30e9, 1)  # 3 MB in 100 us

    def test_goals_are_met_missed_or_not_measured(self):
        found = {goal: (value, met) for goal, value, met in report.goals(self.measured, self.peaks)}
        self.assertEqual(list(found.values()),
                         [("47.5 %", True), ("12.8 %", False), ("93 %", True), ("40.0 µs", True), ("4.00 x", False)])
        empty = without_figures()
        empty["sweep"] = {"exit": 1}
        self.assertEqual([(value, met) for _, value, met in report.goals(empty, self.peaks)], [(None, None)] * 5)

    def test_kernels_are_judged_against_aten(self):
        table = "\n".join(report.kernel_table(self.measured))
        self.assertIn("| similarity_u8/1024 | 900 | 40 | 22.50 | faster |", table)
        self.assertIn("| gather | 10 | 20 | 0.50 | slower |", table)

    def test_of_several_ways_the_fastest_is_named(self):
        self.assertIn("| dense/fp16/64/16 | cat | cat 900, by_source 1200 |", report.ways_table(self.measured))
        self.assertEqual(report.ways_table(without_figures()), ["Ways were not measured."])

    def test_memory_stands_beside_the_least_that_is_needed(self):
        self.assertIn("| network/span/fp16/eager/256/1 | 200.0 | 5.0 | 2.5 % |", report.memory_table(self.measured))

    def test_the_page_holds_every_figure(self):
        page = report.render(self.measured)
        self.assertIn("| network/rrdb23/fp16/graph/256/8 | 40000 | 19009 | 47.5 % | 470 TFLOP/s |", page)
        self.assertIn("| copy_up/1024 | 100 | 47.6 | 47.6 % | 30 GB/s |", page)
        self.assertIn("compute-sanitizer: not installed here, not run.", page)
        self.assertIn("- network/rrdb6/bf16/graph/64/1: out of memory", page)  # there is no figure

    def test_the_floor_of_a_sweep_is_its_networks_at_the_peak(self):
        self.assertAlmostEqual(report.sweep_floor(self.measured, self.peaks), 48 * (2.35e12 + 0.158e12) / 989e12)
        self.assertIsNone(report.sweep_floor({**without_figures(), "sweep": self.measured["sweep"]}, self.peaks))

    def test_a_sweep_with_all_kernels_stands_beside_the_one_without(self):
        self.measured["sweep"] = {"trials": 96, "exit": 0, "seconds": 12.5, "kernels": {"exit": 0, "seconds": 10.04}, "loop": {}}
        self.assertIn("With all of our kernels: 10.0 s.", report.sweep_lines(self.measured, self.peaks))
        self.measured["sweep"]["kernels"] = {"exit": 3, "seconds": 1, "error": "tile gather: CUDA error 700"}
        self.assertIn("With all of our kernels it did not end well (exit 3): tile gather: CUDA error 700",
                      report.sweep_lines(self.measured, self.peaks))

    def test_a_broken_run_still_gives_a_page(self):
        broken = measured()
        broken["tests"] = {"exit": -11, "error": "segmentation fault", "passed": 7, "failed": [], "skipped": {}}
        broken["benchmarks"] = {"exit": None, "context": {}, "benchmarks": [],
                                "problems": [{"group": "pixels", "exit": None, "text": "stopped after 170 s"}]}
        broken["sweep"] = {"exit": 3, "error": "out of memory"}
        page = report.render(broken)
        for text in ("7 passed", "segmentation fault", "group pixels", "stopped after 170 s", "out of memory", "not measured"):
            self.assertIn(text, page)

    def test_a_run_that_was_killed_gives_a_page_of_what_there_was(self):
        killed = measured()
        del killed["sweep"], killed["sanitizer"]
        page = report.render(killed)
        self.assertIn("| network/rrdb23/fp16/graph/256/8 | 40000", page)
        self.assertIn("Not run.", page)


class FakeDriver:
    """Two GPUs, which CUDA counts in the other order than the bus."""
    ADDRESSES = [b"0000:b1:00.0", b"0000:17:00.0"]

    def cuInit(self, flags):
        return flags

    def cuDeviceGet(self, device, index):
        device._obj.value = index
        return 0 if index < len(self.ADDRESSES) else 101

    def cuDeviceGetPCIBusId(self, text, size, device):
        text.value = self.ADDRESSES[device.value]
        return 0


class FakeNvml:
    """The GPU at b1 is at work at 80 and 100 %, the one at 17 is idle."""

    def __init__(self):
        self.calls = 0

    def nvmlInit_v2(self):
        return 0

    def nvmlDeviceGetHandleByPciBusId_v2(self, address, handle):
        handle._obj.value = {b"0000:17:00.0": 1, b"0000:b1:00.0": 2}[address]
        return 0

    def nvmlDeviceGetUtilizationRates(self, handle, rates):
        self.calls += 1
        rates[0] = 0 if handle.value == 1 else 80 if self.calls % 2 else 100
        return 0


class Busy(unittest.TestCase):
    def share(self, index, driver, nvml):
        watched = busy.Busy(index, driver, nvml)
        for _ in range(20):
            watched.sample()
        return watched.share()

    def test_it_is_that_of_the_device_under_test(self):
        self.assertAlmostEqual(self.share(0, FakeDriver(), FakeNvml()), 0.9)
        self.assertIsNone(self.share(1, FakeDriver(), FakeNvml()))  # it never worked

    def test_a_device_that_nobody_tells_about_is_not_watched(self):
        for driver, nvml in ((None, None), (FakeDriver(), None), (None, FakeNvml())):
            with busy.Busy(0, driver, nvml) as watched:
                pass
            self.assertIsNone(watched.share())
        self.assertIsNone(busy.bus_address(FakeDriver(), 7))

    def test_start_up_and_end_are_not_the_sweep(self):
        watched = busy.Busy(0, None, None)
        watched.samples = [0, 0, 0] + [50, 0, 100] * 6 + [0, 0]
        self.assertAlmostEqual(watched.share(), 0.5)


class Steps(unittest.TestCase):
    def test_a_step_over_its_time_is_stopped_with_all_that_it_started(self):
        start = time.monotonic()
        code, text = gpu_check.run_step("slow", ["bash", "-c", "echo begun; sleep 60 & wait"], 0.5)
        self.assertIsNone(code)
        self.assertIn("begun", text)
        self.assertLess(time.monotonic() - start, 20)  # sleep would hold the output open

    def test_no_step_begins_when_the_time_is_up(self):
        self.assertEqual(gpu_check.Clock(3).for_step(60), 0)
        self.assertEqual(gpu_check.run_step("late", ["false"], 0), (None, "not run: no time was left"))

    def test_what_cannot_be_started_is_not_taken_for_what_had_no_time(self):
        code, text = gpu_check.run_step("absent", ["/no/such/program"], 5)
        self.assertEqual(code, gpu_check.NOT_STARTED)
        self.assertIn("/no/such/program", text)

    def test_a_part_of_the_time_ends_before_the_whole(self):
        self.assertAlmostEqual(gpu_check.Clock(100).part(0.6).for_step(), 60, delta=1)

    def test_the_link_is_generation_and_lanes(self):
        self.assertEqual(gpu_check.pcie_link("5, 16\n4, 8"), [5, 16])
        for text in ("", "[N/A], [N/A]", "not run: no time was left"):
            self.assertIsNone(gpu_check.pcie_link(text))

    def test_results_that_end_in_the_middle_are_read_as_far_as_they_go(self):
        whole = json.dumps({"context": CONTEXT, "benchmarks": BENCHMARKS[:3]}, indent=2)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "results.json"
            for end, count in ((len(whole), 3), (whole.rindex("{") + 5, 2), (whole.index("[") + 1, 0)):
                file.write_text(whole[:end])
                self.assertEqual(gpu_check.read_benchmarks(file), (CONTEXT, BENCHMARKS[:count]))
            file.write_text("")
            self.assertEqual(gpu_check.read_benchmarks(file), ({}, []))
            self.assertEqual(gpu_check.read_benchmarks(Path(folder) / "absent"), ({}, []))


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, name, script):
        file = self.folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("#!/usr/bin/env bash\n" + script)
        file.chmod(0o755)

    def programs(self, gpu, passed=False):
        doctor = {"checks": [{"what": "GPU", "ok": gpu, "text": "Fake GPU" if gpu else "no NVIDIA driver"}]}
        (self.folder / "tests.json").write_text(json.dumps(PASSED if passed else TESTS))
        (self.folder / "bench.json").write_text(json.dumps({"context": CONTEXT, "benchmarks": BENCHMARKS}))
        self.program("upbench", f"[ \"$1\" != doctor ] || echo '{json.dumps(doctor)}'\n")
        self.program("upbench_gpu_test", f"for a; do case $a in --gtest_output=json:*) cp '{self.folder}/tests.json' \"${{a#*json:}}\";; esac; done; exit {0 if passed else 1}\n")
        self.device_bench(("pixels", "layers"), f"cp '{self.folder}/bench.json' \"$out\"\n")
        self.program("libupbench_cuda.so", "")
        self.program("tools/compute-sanitizer", "echo '========= ERROR SUMMARY: 0 errors'\n")

    def device_bench(self, groups, script):
        """Knows $group and $out; writes down how it was called."""
        self.program("upbench_device_bench", f"""
if [ "$1" = --list-groups ]; then printf '%s\\n' {' '.join(groups)}; exit; fi
echo "$*" >>'{self.folder}/calls'
while [ $# -gt 0 ]; do case $1 in --group) group=$2;; --benchmark_out=*) out=${{1#*=}};; esac; shift; done
[ -n "$out" ] || exit 0
{script}""")

    def check(self):
        return subprocess.run(["bash", str(SCRIPTS / "gpu_check.sh"), "--programs", str(self.folder), "--out", str(self.folder / "out")],
                              capture_output=True, text=True, env={**os.environ, "PATH": f"{self.folder / 'tools'}:{os.environ['PATH']}"})

    def failed(self, done):
        """What it names as failed; it then exits with 1."""
        names = [line.removeprefix("gpu_check: failed: ") for line in done.stderr.splitlines() if line.startswith("gpu_check: failed: ")]
        self.assertEqual(done.returncode, 1 if names else 0, done.stderr)
        return names

    def test_without_a_gpu_it_says_so_and_exits_with_4(self):
        self.programs(gpu=False)
        done = self.check()
        self.assertEqual(done.returncode, 4)
        self.assertIn("gpu_check: no GPU to check: no NVIDIA driver", done.stderr)
        self.assertFalse((self.folder / "out").exists())

    def test_without_programs_it_names_them(self):
        done = self.check()
        self.assertEqual(done.returncode, 4)
        self.assertIn("lacks upbench, upbench_gpu_test, upbench_device_bench, libupbench_cuda.so", done.stderr)

    def test_where_nothing_fails_it_exits_with_0(self):
        self.programs(gpu=True, passed=True)
        self.assertEqual(self.failed(self.check()), [])
        page = (self.folder / "out/gpu_check.md").read_text()
        for kind in gpu_check.SANITIZER_KINDS:
            self.assertIn(f"- compute-sanitizer {kind}: ERROR SUMMARY: 0 errors (exit 0)", page)

    def test_what_the_sanitizer_finds_is_a_failure(self):
        self.programs(gpu=True, passed=True)
        self.program("tools/compute-sanitizer", "[ \"$2\" = memcheck ] || { echo '========= RACECHECK SUMMARY: 1 hazard'; exit 9; }\n")
        self.assertEqual(self.failed(self.check()), ["compute-sanitizer racecheck (exit 9)"])
        self.assertIn("- compute-sanitizer racecheck: RACECHECK SUMMARY: 1 hazard (exit 9)",
                      (self.folder / "out/gpu_check.md").read_text())

    def test_a_sweep_that_fails_is_a_failure(self):
        self.programs(gpu=True, passed=True)
        with (self.folder / "upbench").open("a") as script:
            script.write("[ \"$1\" != run ] || exit 3\n")
        self.assertEqual(self.failed(self.check()), ["sweep (exit 3)"])

    def test_the_sweep_leaves_the_sanitizer_its_time(self):
        self.programs(gpu=True)
        args = argparse.Namespace(programs=str(self.folder), out=str(self.folder / "out"), minutes=8)
        for tool, share in (("tool", gpu_check.SWEEP_SHARE), (None, 1)):
            given = {}

            def sweep(programs, work, clock):
                given["sweep"] = clock.for_step()
                return {"exit": None}

            def sanitizer(tool, programs, clock):
                given["all"] = clock.for_step()  # the sweep took none
                return {"found": False}

            with mock.patch.multiple(gpu_check, sweep=sweep, sanitizer=sanitizer, find_sanitizer=lambda: tool), \
                    contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(gpu_check.run(args), 1)
            self.assertAlmostEqual(given["sweep"] / given["all"], share, delta=0.05)

    def test_with_one_it_writes_both_files_and_exits_with_1_when_a_test_failed(self):
        self.programs(gpu=True)
        self.assertEqual(self.failed(self.check()), ["tests (exit 1)"])
        page = (self.folder / "out/gpu_check.md").read_text()
        self.assertIn("1 passed, 1 failed, 1 skipped.", page)
        self.assertIn("- failed: Cuda/LayoutKernel.C: layout_kernel_test.cpp:1", page)
        self.assertIn("- skipped: Cuda/LayoutKernel.B: no half precision", page)
        self.assertEqual(json.loads((self.folder / "out/gpu_check.json").read_text())["tests"]["passed"], 1)

    def test_groups_run_one_by_one_and_the_peaks_are_measured_once(self):
        self.programs(gpu=True)
        self.check()
        calls = [call for call in (self.folder / "calls").read_text().splitlines() if "--group" in call]
        self.assertEqual([call.split("--group ")[1].split()[0] for call in calls], ["pixels", "layers"])
        self.assertEqual(["--no-peaks" in call for call in calls], [False, True])
        found = json.loads((self.folder / "out/gpu_check.json").read_text())["benchmarks"]
        self.assertEqual(len(found["benchmarks"]), 2 * len(BENCHMARKS))
        self.assertEqual((found["exit"], found["problems"]), (0, []))

    def test_a_group_that_crashes_loses_neither_its_own_figures_nor_those_of_others(self):
        self.programs(gpu=True, passed=True)
        whole = (self.folder / "bench.json").read_text()
        (self.folder / "cut.json").write_text(whole[:whole.index("gather/kernel")])
        self.device_bench(("pixels", "layers", "metrics"), f"""
case $group in
  layers) cp '{self.folder}/cut.json' "$out"; echo 'CUDA error 700'; exit 1 ;;
  *) cp '{self.folder}/bench.json' "$out" ;;
esac
""")
        self.assertEqual(self.failed(self.check()), ["benchmarks layers (exit 1)"])
        found = json.loads((self.folder / "out/gpu_check.json").read_text())["benchmarks"]
        self.assertEqual(len(found["benchmarks"]), 2 * len(BENCHMARKS) + 3)
        self.assertEqual([(problem["group"], problem["exit"]) for problem in found["problems"]], [("layers", 1)])
        self.assertIn("CUDA error 700", (self.folder / "out/gpu_check.md").read_text())


if __name__ == "__main__":
    unittest.main()
