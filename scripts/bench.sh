#!/usr/bin/env bash
# usage: scripts/bench.sh [--json FILE] [--quick] [--build DIR] [--python PYTHON] [--filter REGEX] [--help]
#
# Runs every benchmark program of the build (scripts/build.sh makes them) and the comparison with the peers that PYTHON
# has (Pillow, OpenCV, scikit-image, lpips, torch and spandrel; what is absent is said and skipped). Prints the tables as
# markdown; --json also writes every figure to FILE. Networks need $UPBENCH_ASSETS. --quick: few repetitions, small sizes,
# to see that all of it works. One thread each; on a machine with other work, trust the ratios alone.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

json='' quick='' build=$root/build python=$env_dir/bin/python filter=.
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --json) json=${2:?--json needs a file}; shift 2 ;;
    --quick) quick=--quick; shift ;;
    --build) build=${2:?--build needs a folder}; shift 2 ;;
    --python) python=${2:?--python needs a program}; shift 2 ;;
    --filter) filter=${2:?--filter needs a regular expression}; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done

programs=("$build"/upbench_*_bench)
[ -x "${programs[0]}" ] || die "no benchmark programs in $build: run scripts/build.sh"
command -v "$python" >/dev/null || die "no $python: run scripts/setup.sh, or name one with --python"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(--benchmark_filter="$filter" --benchmark_out_format=json)
# The longest of them take minutes at full size: a tenth of a second each shows that they work.
if [ -n "$quick" ]; then options+=(--benchmark_min_time=0.01); else options+=(--benchmark_min_time=0.3); fi
export OMP_NUM_THREADS=1
for program in "${programs[@]}"; do
  name=$(basename "$program")
  say "$name"
  own=()
  # Sizes beyond a megapixel and a million trials are not quick.
  if [ -n "$quick" ] && [ "$filter" = . ]; then
    case $name in
      upbench_growth_bench) own=(--benchmark_filter='/256$') ;;
      upbench_network_bench) own=(--benchmark_filter='fp32/.*side:64/threads:1') ;;
      upbench_plan_bench) own=(--benchmark_filter='cells:100/seeds:1/sizes:1/') ;;
    esac
  fi
  "$program" "${options[@]}" "${own[@]}" --benchmark_out="$work/$name.json" >"$work/$name.log" 2>&1 ||
    say "$name: $(tail -n 1 "$work/$name.log")"
done
"$python" "$root/scripts/bench_table.py" "$work" ${json:+--json "$json"}
"$python" "$root/scripts/bench_peers.py" --build "$build" $quick ${json:+--json "$json"}
