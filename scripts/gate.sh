#!/usr/bin/env bash
# usage: scripts/gate.sh [--update] [--help]
#
# Did a change of upbench itself make results worse? Runs experiments/gate.yaml (seconds) with build/upbench and compares
# with the committed experiments/gate/baseline.json: exit 1 where a result got worse, 3 where that cannot be told. Quality
# alone: time is not gated on shared machines. UPBENCH_GATE_OUT names a folder to keep verdict and store in.
# --update saves the results as the new baseline instead; its change in the commit shows what a reviewer agrees to.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

update=
case ${1:-} in
  '') ;;
  --update) update=1 ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac

upbench=$root/build/upbench
[ -x "$upbench" ] || die "build/upbench is not built: scripts/build.sh --target upbench"
baseline=$root/experiments/gate/baseline.json
out=${UPBENCH_GATE_OUT:-}
if [ -z "$out" ]; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi
mkdir -p "$out"
rm -rf "$out"/gate.db*   # a store would be resumed, not run

"$upbench" run "$root/experiments/gate.yaml" --store "$out/gate.db" > "$out/run.txt" || { cat "$out/run.txt"; exit 3; }
if [ -n "$update" ]; then
  "$upbench" baseline "$out/gate.db" --portable -o "$baseline"
else
  "$upbench" compare "$baseline" "$out/gate.db" --policy "$root/experiments/gate/policy.yaml" --junit "$out/gate.xml" \
    ${GITHUB_ACTIONS:+--annotate}
fi
