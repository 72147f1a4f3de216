"""gpu_check.py on a machine made of shell scripts: what it runs, what it exits with, what it writes."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
sys.path.insert(0, str(SCRIPTS))

import gpu_check_report as report  # noqa: E402


def result(name, microseconds, **counters):
    return {"name": f"{name}/manual_time", "run_type": "iteration", "real_time": microseconds, "time_unit": "us", **counters}


CONTEXT = {"description": "NVIDIA H200, compute capability 9.0", "cuda_module": "version 1", "peaks": "{}"}
BENCHMARKS = [
    result("similarity_u8/aten/1024", 900, bytes=6.0 * 1024 * 1024, flop=735.0 * 1024 * 1024),
    result("similarity_u8/kernel/1024", 40, bytes=6.0 * 1024 * 1024, flop=735.0 * 1024 * 1024),
    result("gather/aten", 10, bytes=24e6), result("gather/kernel", 20, bytes=24e6),
    result("copy_up/1024", 60, bytes=3e6),
    result("network/rrdb23/fp16/graph/256/8", 40000, flop=8 * 2.35e12),
    result("network/srvgg32/fp16/graph/256/8", 10000, flop=8 * 0.158e12),
    {"name": "network/rrdb6/bf16/graph/64/1", "error_occurred": True, "error_message": "out of memory"},
]
TESTS = {"testsuites": [{"name": "Cuda/LayoutKernel", "testsuite": [
    {"name": "A", "result": "COMPLETED"},
    {"name": "B", "result": "SKIPPED", "skipped": [{"message": "no half precision"}]},
    {"name": "C", "result": "COMPLETED", "failures": [{"failure": "layout_kernel_test.cpp:1\nnot equal"}]}]}]}


def measured():
    return {"when": "2026-01-01T00:00:00Z", "host_processors": 16, "seconds": 300, "environment": {"doctor": {"checks": []}},
            "tests": {"exit": 0, "passed": 60, "failed": [], "skipped": {}}, "sanitizer": {"found": False},
            "benchmarks": {"exit": 0, "context": CONTEXT, "benchmarks": BENCHMARKS},
            "sweep": {"exit": 0, "seconds": 10.0, "trials": 96, "busy": 0.93, "loop": {"seconds": 40.0}}}


class Report(unittest.TestCase):
    def test_floors_are_arithmetic_or_bytes_whichever_takes_longer(self):
        peaks, source = report.peaks_of(CONTEXT)
        self.assertEqual(source, "data sheet of H200")
        floors = {name: report.floor_seconds(entry, peaks) for name, entry in zip("abcdef", BENCHMARKS)}
        self.assertAlmostEqual(floors["a"], 735 * 1024 * 1024 / 67e12)  # 11.5 us of FP32, 1.3 us of memory
        self.assertAlmostEqual(floors["c"], 24e6 / 4.8e12)
        self.assertIsNone(floors["e"])  # the bus
        self.assertAlmostEqual(floors["f"], 8 * 2.35e12 / 989e12)

    def test_an_unknown_gpu_is_held_against_what_it_reached(self):
        peaks, source = report.peaks_of({"description": "GPU of tomorrow", "peaks": '{"fp16_flops": 2e15, "copy_bytes_per_s": 1e13}'})
        self.assertEqual((peaks["fp16"], peaks["memory"], source), (2e15, 1e13, "measured in this run"))

    def test_goals_are_met_missed_or_not_measured(self):
        peaks, _ = report.peaks_of(CONTEXT)
        found = {goal: (value, met) for goal, value, met in report.goals(measured(), peaks)}
        self.assertEqual(list(found.values()),
                         [("47.5 %", True), ("12.8 %", False), ("93 %", True), ("40.0 µs", True), ("4.00 x", False)])
        empty = measured()
        empty["benchmarks"]["benchmarks"], empty["sweep"] = [], {"exit": 1}
        self.assertEqual([(value, met) for _, value, met in report.goals(empty, peaks)], [(None, None)] * 5)

    def test_kernels_are_judged_against_aten(self):
        table = "\n".join(report.kernel_table(BENCHMARKS))
        self.assertIn("| similarity_u8/1024 | 900 | 40 | 22.50 | faster |", table)
        self.assertIn("| gather | 10 | 20 | 0.50 | slower |", table)

    def test_the_page_holds_every_figure(self):
        page = report.render(measured())
        self.assertIn("| network/rrdb23/fp16/graph/256/8 | 40000 | 19009 | 47.5 % | 470 TFLOP/s |", page)
        self.assertIn("compute-sanitizer: not installed here, not run.", page)
        self.assertNotIn("network/rrdb6", page)  # it failed: there is no figure

    def test_a_sweep_with_all_kernels_stands_beside_the_one_without(self):
        lines = {"trials": 96, "exit": 0, "seconds": 12.5, "kernels": {"exit": 0, "seconds": 10.04}, "loop": {}}
        self.assertIn("With all of our kernels: 10.0 s.", report.sweep_lines(lines))
        lines["kernels"] = {"exit": 3, "seconds": 1, "error": "tile gather: CUDA error 700"}
        self.assertIn("With all of our kernels it did not end well (exit 3): tile gather: CUDA error 700", report.sweep_lines(lines))

    def test_a_broken_run_still_gives_a_page(self):
        broken = measured()
        broken["tests"] = {"exit": -11, "error": "segmentation fault", "passed": 0, "failed": [], "skipped": {}}
        broken["benchmarks"] = {"exit": None, "error": "stopped after 170 s", "context": {}, "benchmarks": []}
        broken["sweep"] = {"exit": 3, "error": "out of memory"}
        page = report.render(broken)
        for text in ("segmentation fault", "stopped after 170 s", "out of memory", "not measured"):
            self.assertIn(text, page)


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def program(self, name, script):
        file = self.folder / name
        file.write_text("#!/usr/bin/env bash\n" + script)
        file.chmod(0o755)

    def programs(self, gpu):
        doctor = {"checks": [{"what": "GPU", "ok": gpu, "text": "Fake GPU" if gpu else "no NVIDIA driver"}]}
        (self.folder / "tests.json").write_text(json.dumps(TESTS))
        (self.folder / "bench.json").write_text(json.dumps({"context": CONTEXT, "benchmarks": BENCHMARKS}))
        self.program("upbench", f"[ \"$1\" != doctor ] || echo '{json.dumps(doctor)}'\n")
        self.program("upbench_gpu_test", f"for a; do case $a in --gtest_output=json:*) cp '{self.folder}/tests.json' \"${{a#*json:}}\";; esac; done; exit 1\n")
        self.program("upbench_device_bench", f"for a; do case $a in --benchmark_out=*) cp '{self.folder}/bench.json' \"${{a#*=}}\";; esac; done\n")
        self.program("libupbench_cuda.so", "")

    def check(self):
        return subprocess.run(["bash", str(SCRIPTS / "gpu_check.sh"), "--programs", str(self.folder), "--out", str(self.folder / "out")],
                              capture_output=True, text=True)

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

    def test_with_one_it_writes_both_files_and_exits_with_1_when_a_test_failed(self):
        self.programs(gpu=True)
        done = self.check()
        self.assertEqual(done.returncode, 1, done.stderr)
        page = (self.folder / "out/gpu_check.md").read_text()
        self.assertIn("1 passed, 1 failed, 1 skipped.", page)
        self.assertIn("- failed: Cuda/LayoutKernel.C: layout_kernel_test.cpp:1", page)
        self.assertIn("- skipped: Cuda/LayoutKernel.B: no half precision", page)
        self.assertEqual(json.loads((self.folder / "out/gpu_check.json").read_text())["tests"]["passed"], 1)


if __name__ == "__main__":
    unittest.main()
