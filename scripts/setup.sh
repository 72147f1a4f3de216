#!/usr/bin/env bash
# usage: scripts/setup.sh [--check] [--fuzz] [--help]
#
# Installs what upbench builds with: packages from Debian or Ubuntu (scripts/packages.txt, with sudo only when
# not root) and LibTorch plus tools from PyPI (scripts/requirements.txt) into a folder outside the checkout,
# $UPBENCH_DEPS (default ~/.cache/upbench). Does nothing where all is there. About two minutes on a new machine.
#
#   --check   install nothing; exit 1 and name what is missing
#   --fuzz    also what scripts/fuzz.sh needs (scripts/packages-fuzz.txt: clang, about 500 MB)
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

check=false lists=("$root/scripts/packages.txt")
for argument in "$@"; do
  case $argument in
    --help | -h) usage; exit 0 ;;
    --check) check=true ;;
    --fuzz) lists+=("$root/scripts/packages-fuzz.txt") ;;
    *) usage >&2; exit 2 ;;
  esac
done

command -v dpkg-query >/dev/null || die "setup knows Debian and Ubuntu only (no dpkg here); install by hand what scripts/packages.txt and scripts/requirements.txt name"
command -v python3 >/dev/null || die "python3 is missing: install it first (apt-get install python3)"

missing_packages() {
  local name
  grep -hv '^#' "${lists[@]}" | while read -r name; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || echo "$name"
  done
}

install_packages() {
  local -a missing as_root=()
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  ! $check || die "packages missing: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "not root and no sudo: as root, run  apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  mkdir -p "$deps"
  local log=$deps/apt.log
  "${as_root[@]}" apt-get update -qq >"$log" 2>&1 || { tail -n 20 "$log" >&2; die "apt-get update failed"; }
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "installing packages failed"; }
}

# The folder appears under its final name only when it is complete.
install_environment() {
  [ ! -f "$env_dir/.complete" ] || return 0
  ! $check || die "no environment at $env_dir"
  mkdir -p "$deps"
  exec 9>"$deps/.setup.lock"
  flock 9
  [ ! -f "$env_dir/.complete" ] || return 0
  say "installing LibTorch and tools into $env_dir (about 5 GB, a minute or two)"
  rm -rf "$env_dir"
  python3 -m venv "$env_dir" || die "python3 cannot make a virtual environment: apt-get install python3-venv"
  "$env_dir/bin/pip" install --quiet --disable-pip-version-check --requirement "$root/scripts/requirements.txt" >&2
  touch "$env_dir/.complete"
}

install_packages
install_environment
say "environment ready: $env_dir"
