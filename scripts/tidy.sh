#!/usr/bin/env bash
# usage: scripts/tidy.sh [--since REV] [--help]
#
# clang-tidy over the C++ sources changed since REV (default HEAD~1; --since "" checks all of them).
# Headers are checked through the sources that include them.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

since=HEAD~1
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --since) since=${2-}; shift 2 ;;
    *) usage >&2; exit 2 ;;
  esac
done

cd "$root"
"$root/scripts/build.sh" --preset tidy
cmake --build build-tidy --target upbench_version >/dev/null  # a header that is made by the build
if [ -n "$since" ] && git rev-parse --verify --quiet "$since" >/dev/null; then
  mapfile -t files < <(git diff --name-only --diff-filter=d "$since" -- '*.cpp')
else
  mapfile -t files < <(git ls-files '*.cpp')
fi
[ ${#files[@]} -gt 0 ] || { say "no changed sources"; exit 0; }
say "clang-tidy on ${#files[@]} files"
# ccache's compiler launcher is no part of the command that clang-tidy should read.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" "$env_dir/bin/clang-tidy" -p build-tidy --quiet --warnings-as-errors='*'
