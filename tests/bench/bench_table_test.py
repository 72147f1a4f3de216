"""What bench_table.py makes of files of Google Benchmark."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/bench_table.py"

RESULTS = [
    {"name": "ssim_ours/1024", "run_type": "iteration", "iterations": 70, "real_time": 9.8, "cpu_time": 9.5, "time_unit": "ms",
     "pixels/s": 110376421.05, "FLOP/s": 81126669473.68},
    {"name": "encode_picture/level:1", "run_type": "iteration", "iterations": 7, "real_time": 9e7, "cpu_time": 9e7, "time_unit": "ns",
     "pixels/s": 1.16e7},
    {"name": "lpips_pair/256", "run_type": "iteration", "error_occurred": True, "error_message": "no weights"},
]


class Table(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, program, text):
        (self.folder / f"{program}.json").write_text(text)

    def run_script(self, *options):
        return subprocess.run([sys.executable, "-B", SCRIPT, self.folder, *options], check=True, capture_output=True, text=True).stdout

    def test_rates_and_errors_stand_beside_the_time(self):
        self.write("upbench_metrics_bench", json.dumps({"benchmarks": RESULTS}))
        self.write("upbench_broken_bench", '{"context": {')
        self.write("something_else", json.dumps({"benchmarks": RESULTS}))
        self.assertEqual(self.run_script(), """\
| program | benchmark | CPU ms | counters |
|---|---|---:|---|
| upbench_metrics_bench | ssim_ours/1024 | 9.5 | pixels/s 110M, FLOP/s 81.1G |
| upbench_metrics_bench | encode_picture/level:1 | 90 | pixels/s 11.6M |
| upbench_metrics_bench | lpips_pair/256 | | no weights |
""")

    def test_json_keeps_every_figure(self):
        self.write("upbench_metrics_bench", json.dumps({"benchmarks": RESULTS}))
        self.run_script("--json", str(self.folder / "all.json"))
        self.assertEqual(json.loads((self.folder / "all.json").read_text()), {"programs": {"upbench_metrics_bench": RESULTS}})


if __name__ == "__main__":
    unittest.main()
