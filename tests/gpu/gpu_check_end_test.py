"""The end of gpu_check.py: where compute-sanitizer is found, the time that it has, and what counts as a failure."""
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

import gpu_check  # noqa: E402


def write_tool(file, mode=0o755):
    file.parent.mkdir(parents=True)
    file.write_text("#!/usr/bin/env bash\n")
    file.chmod(mode)


class Sanitizer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def found(self, path):
        with mock.patch.dict(os.environ, {"PATH": str(path), "UPBENCH_DEPS": str(self.folder / "deps")}):
            return gpu_check.find_sanitizer()

    def test_it_is_found_in_the_path_then_among_the_wheels(self):
        toolkit = self.folder / "deps/env-0123/lib/python3.11/site-packages/nvidia/cu13"
        for part in ("compute-sanitizer", "bin"):  # the latter comes first
            write_tool(toolkit / part / "compute-sanitizer")
            self.assertEqual(self.found(self.folder / "tools"), str(toolkit / part / "compute-sanitizer"))
        write_tool(self.folder / "tools/compute-sanitizer")
        self.assertEqual(self.found(self.folder / "tools"), str(self.folder / "tools/compute-sanitizer"))

    def test_what_cannot_be_run_is_not_it(self):
        file = self.folder / "deps/env-0123/lib/python3.11/site-packages/nvidia/cu13/bin/compute-sanitizer"
        write_tool(file, mode=0o644)
        self.assertNotEqual(self.found(self.folder), str(file))

    def summaries(self, seconds, *answers):
        """(seconds of each kind, its summary) where its runs give these answers."""
        given, answers = [], list(answers)

        def step(name, command, most):
            given.append(round(most))
            return answers.pop(0)

        with mock.patch.object(gpu_check, "run_step", step):
            found = gpu_check.sanitizer("tool", gpu_check.Programs(self.folder), gpu_check.Clock(seconds))
        return given, [(result["exit"], result["summary"]) for result in found["tools"].values()]

    def test_each_kind_has_its_part_of_the_time(self):
        clean = (0, "Running main()\n========= ERROR SUMMARY: 0 errors\n")
        given, said = self.summaries(40, clean, clean)
        self.assertEqual(given, [20, 40])  # the first one took none of its own
        self.assertEqual(said, [(0, "ERROR SUMMARY: 0 errors")] * 2)

    def test_what_was_stopped_says_so(self):
        racing = (9, "========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)\nlast words")
        _, said = self.summaries(200, (None, "stopped after 60 s\n[ RUN      ] Cuda"), racing)
        self.assertEqual(said, [(None, "stopped after 60 s"), (9, "RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)")])


class Failures(unittest.TestCase):
    def failures(self, **parts):
        well = {"tests": {"exit": 0}, "benchmarks": {"problems": []}, "sweep": {"exit": 0}, "sanitizer": {"found": False}}
        return gpu_check.failures({**well, **parts})

    def test_are_what_ended_badly(self):
        self.assertEqual(self.failures(), [])
        self.assertEqual(self.failures(tests={"exit": 1}), ["tests (exit 1)"])
        self.assertEqual(self.failures(benchmarks={"problems": [{"group": "pixels", "exit": -11}]}), ["benchmarks pixels (exit -11)"])
        self.assertEqual(self.failures(sweep={"exit": 3}), ["sweep (exit 3)"])
        self.assertEqual(self.failures(sweep={"exit": 0, "kernels": {"exit": 3}}), ["sweep with all kernels (exit 3)"])
        self.assertEqual(self.failures(sanitizer={"tools": {"memcheck": {"exit": 9}, "racecheck": {"exit": 0}}}),
                         ["compute-sanitizer memcheck (exit 9)"])

    def test_are_not_what_had_no_more_time_but_for_the_tests(self):
        late = {"exit": None}
        self.assertEqual(self.failures(benchmarks={"problems": [{"group": "pixels", **late}]}, sweep={"exit": 0, "kernels": late},
                                       sanitizer={"tools": {"memcheck": late}}), [])
        self.assertEqual(self.failures(sweep=late), [])
        self.assertEqual(self.failures(tests=late), ["tests (exit none, its time was up)"])


if __name__ == "__main__":
    unittest.main()
