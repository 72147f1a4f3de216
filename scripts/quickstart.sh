#!/usr/bin/env bash
# usage: scripts/quickstart.sh [--help]
#
# Sets up, builds, compares upscalers on pictures that the program draws itself (experiments/quickstart.yaml: nothing is
# downloaded but packages), and writes quickstart/report.html and quickstart/report.md. Run again, it resumes.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
  '') ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

say "1/4 setting up"
"$root/scripts/setup.sh"
say "2/4 building (the first time takes some minutes)"
"$root/scripts/build.sh" --target upbench
say "3/4 running experiments/quickstart.yaml"
mkdir -p "$root/quickstart"
"$root/build/upbench" run "$root/experiments/quickstart.yaml" --store "$root/quickstart/quickstart.db"
say "4/4 writing the report"
"$root/build/upbench" report "$root/quickstart/quickstart.db" --html "$root/quickstart/report.html" \
  --markdown "$root/quickstart/report.md"
say "done: open quickstart/report.html in a browser, or read quickstart/report.md"
