#!/usr/bin/env bash
# usage: scripts/fuzz.sh [--seconds N] [--help] [TARGET...]
#
# Builds the fuzz targets (preset fuzz: clang, libFuzzer, address and undefined-behaviour sanitizers) and runs each
# for N seconds (default 60), starting from tests/fuzz/seeds and what earlier runs found, with the words of
# tests/fuzz/dictionaries. TARGET: safetensors, torch_zip, torch_legacy, pickle, png, jpeg, ...; without one: all. New
# inputs are kept in build-fuzz/corpus/TARGET; one that crashes, hangs for 10 s or takes more than 2 GB is left in
# build-fuzz/found/, and the script ends with 1.
# build-fuzz/spent.tsv adds up: target, processor seconds (user and system), runs, commit of every run (docs/fuzzing.md).
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

seconds=60 targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --seconds) seconds=${2:?--seconds needs a number}; shift 2 ;;
    -*) usage >&2; exit 2 ;;
    *) targets+=("$1"); shift ;;
  esac
done
cd "$root"
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(basename -a tests/fuzz/seeds/*/)
for target in "${targets[@]}"; do
  [ -d "tests/fuzz/seeds/$target" ] || die "no fuzz target '$target': expected one of $(basename -a tests/fuzz/seeds/*/ | paste -sd' ')"
done
command -v clang++-16 >/dev/null || die "clang++-16 is missing: scripts/setup.sh --fuzz"

programs=()
for target in "${targets[@]}"; do programs+=(--target "${target}_fuzz"); done
"$root/scripts/build.sh" --preset fuzz "${programs[@]}"

# libtorch is not instrumented: containers that it shares with us would look overrun.
export ASAN_OPTIONS=detect_container_overflow=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1
export OMP_WAIT_POLICY=passive
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
export commit
runs_of() { sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$1.log"; }
run_target() {
  local target=$1
  mkdir -p "build-fuzz/corpus/$target" build-fuzz/found
  local words=("tests/fuzz/dictionaries/$target.dict")
  [[ $target != torch_* ]] || words+=(tests/fuzz/dictionaries/pickle.dict)
  cat "${words[@]}" >"build-fuzz/$target.dict"
  local TIMEFORMAT='%U %S'
  { time "build-fuzz/${target}_fuzz" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
    -dict="build-fuzz/$target.dict" -print_final_stats=1 -verbosity=0 -artifact_prefix="build-fuzz/found/$target-" \
    "build-fuzz/corpus/$target" "tests/fuzz/seeds/$target" 2>"build-fuzz/$target.log" || touch "build-fuzz/$target.failed"
  } 2>"build-fuzz/$target.seconds"
  printf '%s\t%s\t%s\t%s\n' "$target" "$(awk 'END { print $1 + $2 }' "build-fuzz/$target.seconds")" "$(runs_of "$target")" "$commit" >>build-fuzz/spent.tsv
}
export -f run_target runs_of

say "${#targets[@]} targets, $seconds s each, $(nproc) at a time"
rm -f build-fuzz/*.failed
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_target {} '"$seconds"
failed=0
for target in "${targets[@]}"; do
  runs=$(runs_of "$target")
  if [ ! -e "build-fuzz/$target.failed" ]; then
    read -r now spent < <(awk -F'\t' -v target="$target" \
      '$1 == target { now = $2; s += $2 } END { printf "%s %.0f\n", now, s }' build-fuzz/spent.tsv)
    say "$target: ${runs:-?} runs in $now s of processor time ($spent s in all runs of this folder), nothing found"
    continue
  fi
  failed=1
  say "$target failed; the log is build-fuzz/$target.log:"
  grep -E 'ERROR|SUMMARY|runtime error|Test unit written' "build-fuzz/$target.log" >&2 || tail -20 "build-fuzz/$target.log" >&2
done
exit $failed
