#!/usr/bin/env bash
# usage: scripts/test.sh [--preset release|dev|ci|asan] [REGEX] [--help]
#
# Sets up, builds and runs every test (or the suites, `program.Suite`, whose name matches REGEX). Tests that need real weights and pictures look
# for them in $UPBENCH_ASSETS (default ../shared/assets) and skip, saying so, where that folder is absent.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=$(last_preset) pattern=.
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    --preset) preset=${2:?--preset needs a name}; shift 2 ;;
    -*) usage >&2; exit 2 ;;
    *) pattern=$1; shift ;;
  esac
done

"$root/scripts/setup.sh"
"$root/scripts/build.sh" --preset "$preset"
say "running tests"
cd "$root"
# Two programs at a time at most: each uses all processors by itself in places, and waiting threads must not spin then.
status=0
OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} ctest --preset "$preset" --tests-regex "$pattern" --parallel "${UPBENCH_TEST_JOBS:-2}" ||
  status=$?
# What the suites say of their tests.
awk '/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
     /^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
     /^\[  SKIPPED \] [0-9]+ test/ { skipped += $4 }
     END { printf "In these suites: %d tests passed, %d failed, %d skipped\n", passed, failed, skipped }' \
  "$(build_dir "$preset")/Testing/Temporary/LastTest.log"
exit $status
