# Sourced by the scripts beside it: where things are, and how to say that something is missing.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
deps=${UPBENCH_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/upbench}
requirements_hash=$(sha256sum "$root/scripts/requirements.txt" | cut -c1-12)
env_dir=$deps/env-$requirements_hash

say() { printf 'upbench: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# Prints the comment block at the top of the calling script.
usage() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"; }

# Compiler cache outside the checkout; paths below the checkout are made relative, so every clone shares it.
export CCACHE_DIR=${CCACHE_DIR:-$deps/ccache}
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-8G}

# The preset that build/ was last configured with.
last_preset() { cat "$root/build/preset" 2>/dev/null || echo release; }

# The folder that a preset builds in.
build_dir() { case $1 in asan | fuzz | tidy) echo "build-$1" ;; *) echo build ;; esac }
