#!/usr/bin/env bash
# usage: scripts/format.sh [--check] [--help]
#
# Formats every C++ and CUDA file of the project with the pinned clang-format; --check changes nothing and fails on a difference.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mode=(-i)
case ${1:-} in
  '') ;;
  --check) mode=(--dry-run --Werror) ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
cd "$root"
git ls-files -z '*.cpp' '*.h' '*.cu' | xargs -0 "$env_dir/bin/clang-format" "${mode[@]}"
