#!/usr/bin/env bash
# usage: scripts/refine_curves.sh [--help]
#
# Runs the sweeps of docs/refine/curves with the embedded models and draws docs/refine/figures/NAME.svg from their reports.
# About eight minutes on two cores; lpips needs its weights in $UPBENCH_WEIGHTS.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

case ${1:-} in
  '') ;;
  --help | -h) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# draw NAME PLOT: which of the report's plots becomes the figure.
draw() {
  local name=$1 plot=$2
  "$root/build/upbench" run "$root/docs/refine/curves/$name.yaml" --store "$work/$name.db" --device cpu --keep-outputs none
  "$root/build/upbench" report "$work/$name.db" --plots "$work/$name"
  mkdir -p "$work/figures"
  cp "$work/$name/$plot.vl.json" "$work/figures/$name.vl.json"
}
draw hires axis_hires-upscaler_psnr-y
draw checkpoint-swap axis_hires-checkpoint_psnr-y
draw refiner sweet-spot_refine-refiner-at_psnr-y
draw noise-inversion sweet-spot_refine-tile-renoise_psnr-y
"$env_dir/bin/python" "$root/scripts/render_plots.py" "$work/figures"
cp "$work"/figures/*.svg "$root/docs/refine/figures/"
