#!/usr/bin/env bash
# usage: scripts/gpu_check.sh [--programs DIR] [--out DIR] [--minutes N] [--help]
#
# On a machine with an NVIDIA GPU: every test of a device path, compute-sanitizer where it is installed, every device
# benchmark and a sweep beside a plain PyTorch loop, in less than N minutes (8). Writes gpu_check.json and gpu_check.md
# into --out (default: here): the environment, each measured figure next to its physical floor, each goal met or missed.
# Benchmarks run group by group; what takes too long is stopped and keeps the figures that it had. Exits 0 when all tests
# passed and nothing else failed, 1 when a test, a group of benchmarks or the sweep failed or compute-sanitizer found an
# error (stderr says which), 4 without a GPU that works.
#
# compute-sanitizer is sought in PATH, among the wheels beside LibTorch (nvidia/cu13, which has nvcc too; the wheel is
# nvidia-cuda-sanitizer-api) and in /usr/local/cuda*.
#
#   --programs  the build folder (default: build), or a folder of programs with a run.sh that starts them by name
#
# Needs bash and python3; the PyTorch loop needs torch in that python3 and is left out without it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
programs=$here/../build out=. minutes=8
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; exit 0 ;;
    --programs) programs=${2:?--programs needs a folder}; shift 2 ;;
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    --minutes) minutes=${2:?--minutes needs a number}; shift 2 ;;
    *) sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0" >&2; exit 2 ;;
  esac
done
command -v python3 >/dev/null || { echo "gpu_check: python3 is missing" >&2; exit 4; }
exec python3 -B "$here/gpu_check.py" run --programs "$programs" --out "$out" --minutes "$minutes"
