#!/usr/bin/env bash
# usage: scripts/bench_vs_python.sh --python PYTHON [--loop FILE] [--rounds N] [--threads N] [--precision fp32|bf16] [--sharing] [--out FOLDER]
#
# The same sweep (3 networks x Set5 x4 x 2 tilings x PSNR, SSIM, LPIPS) by upbench and by a plain Python loop, in turns:
# largest score differences, the ratio of wall times with start-up, and where the time goes. --sharing: also sweeps that share
# work: six later stages of each upscaled picture, more metrics of kept outputs, the same sweep again. PYTHON has torch,
# spandrel, lpips, scikit-image and Pillow. FILE is the loop (default ../shared/tools/python_loop_sweep.py); weights and
# pictures come from $UPBENCH_ASSETS (default ../shared/assets). $UPBENCH_PROGRAM replaces build/upbench.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python='' loop=$root/../shared/tools/python_loop_sweep.py rounds=7 threads=$(nproc) precision=fp32 sharing='' out=''
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --python) python=${2:?--python needs a program}; shift 2 ;;
    --loop) loop=${2:?--loop needs a file}; shift 2 ;;
    --rounds) rounds=${2:?--rounds needs a number}; shift 2 ;;
    --threads) threads=${2:?--threads needs a number}; shift 2 ;;
    --precision) precision=${2:?--precision needs a name}; shift 2 ;;
    --sharing) sharing=1; shift ;;
    --out) out=${2:?--out needs a folder}; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ -n "$python" ] || { usage >&2; exit 2; }
program=${UPBENCH_PROGRAM:-$root/build/upbench}
assets=${UPBENCH_ASSETS:-$root/../shared/assets}
export UPBENCH_ASSETS=$assets
[ -n "$out" ] || { out=$(mktemp -d); trap 'rm -rf "$out"' EXIT; }
mkdir -p "$out"
rm -f "$out"/run-* "$out"/loop-*

# timed NAME COMMAND...: NAME.txt is what it prints, NAME.seconds how long it took.
timed() {
  local name=$1 begin end
  shift
  begin=$(date +%s.%N)
  "$@" >"$out/$name.txt" 2>"$out/$name.err" || { cat "$out/$name.err" >&2; return 1; }
  end=$(date +%s.%N)
  echo "$end - $begin" | bc >"$out/$name.seconds"
}

# sweep NAME SPEC STORE OPTION...
sweep() {
  local name=$1 spec=$2 store=$3
  shift 3
  timed "$name" "$program" run "$root/tests/bench/$spec.yaml" --store "$out/$store.db" \
    --threads "$threads" --device cpu --models "$assets/weights/upscalers/srvgg" \
    --models "$assets/weights/upscalers/rrdb" --set "images.hr=$assets/images/Set5/HR" \
    --set "images.lr=$assets/images/Set5/LR_bicubic/X4" --set "upscale.precision=$precision" "$@"
}

for round in $(seq "$rounds"); do
  sweep "run-$round" python_loop "run-$round" --keep-outputs "$([ -n "$sharing" ] && echo all || echo none)"
  if [ -n "$sharing" ]; then
    sweep "stages-$round" python_loop_stages "stages-$round" --keep-outputs none
    sweep "again-$round" python_loop "run-$round"
    sweep "rescore-$round" python_loop "run-$round" --set 'metrics=[psnr-rgb@b0, ssim-rgb@b0, lpips-alex, psnr-y, ssim-y, mse]'
  fi
  timed "loop-$round" "$python" "$loop" --assets "$assets" --threads "$threads" --out "$out/loop-$round.tsv"
  "$program" report "$out/run-$round.db" --csv - >"$out/run-$round.csv"
done
"$python" "$root/tests/bench/compare_with_loop.py" "$out" --precision "$precision"
