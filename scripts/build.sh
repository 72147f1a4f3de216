#!/usr/bin/env bash
# usage: scripts/build.sh [--preset release|dev|ci|asan|fuzz|tidy] [--target NAME]... [--help]
#
# Configures and builds; the program is at build/upbench. Needs what scripts/setup.sh installs. Without --preset the one
# that build/ has, or `release`; where sources are changed `dev` is faster, which compiles each of them alone.
# UPBENCH_CUDA=ON fails where the CUDA module cannot be built, OFF leaves it out; see cmake/cuda.cmake.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=$(last_preset) targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    --target) targets+=("${2:?--target needs a name}"); shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done

for tool in cmake ninja g++; do
  command -v $tool >/dev/null || die "$tool is missing: run scripts/setup.sh"
done
[ -f "$env_dir/.complete" ] || die "no environment at $env_dir: run scripts/setup.sh"
UPBENCH_TORCH_DIR=$(echo "$env_dir"/lib/python3*/site-packages/torch)
export UPBENCH_TORCH_DIR

cd "$root"
cmake --preset "$preset" ${UPBENCH_CUDA:+-DUPBENCH_CUDA="$UPBENCH_CUDA"} >"$deps/configure.log" 2>&1 ||
  { cat "$deps/configure.log" >&2; die "configuring failed"; }
sed -n 's/^-- upbench: //p' "$deps/configure.log" | while read -r line; do say "$line"; done  # with or without CUDA
dir=$(build_dir "$preset")
[ "$preset" != tidy ] || exit 0
[ "$dir" != build ] || echo "$preset" >build/preset
cmake --build "$dir" ${targets[0]:+--target "${targets[@]}"}
