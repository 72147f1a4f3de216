#!/usr/bin/env python3
"""Results of benchmark programs as one markdown table, and as one JSON file.

  bench_table.py FOLDER [--json FILE]      FOLDER/PROGRAM.json: what Google Benchmark wrote
"""
import argparse
import json
from pathlib import Path

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1}
KNOWN = {"name", "run_name", "run_type", "iterations", "real_time", "cpu_time", "time_unit", "repetitions",
         "repetition_index", "threads", "family_index", "per_family_instance_index", "label", "aggregate_name",
         "aggregate_unit"}


def short(value):
    """1234567 -> 1.23M"""
    for limit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def read(folder):
    programs = {}
    for file in sorted(Path(folder).glob("upbench_*_bench.json")):
        try:
            programs[file.stem] = json.loads(file.read_text())["benchmarks"]
        except (ValueError, KeyError):
            programs[file.stem] = []  # it said why when it ran
    return programs


def table(programs):
    lines = ["| program | benchmark | CPU ms | counters |", "|---|---|---:|---|"]
    for program, results in programs.items():
        for result in results:
            if result.get("error_occurred"):
                lines.append(f"| {program} | {result['name']} | | {result.get('error_message', 'failed')} |")
                continue
            counters = ", ".join(f"{name} {short(value)}" for name, value in result.items()
                                 if name not in KNOWN and isinstance(value, (int, float)))
            milliseconds = result["cpu_time"] * SECONDS[result["time_unit"]] * 1e3
            lines.append(f"| {program} | {result['name']} | {milliseconds:.4g} | {counters} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--json")
    args = parser.parse_args()
    programs = read(args.folder)
    print(table(programs))
    if args.json:
        Path(args.json).write_text(json.dumps({"programs": programs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
