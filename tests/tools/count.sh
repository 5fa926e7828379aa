#!/bin/sh
# count.sh TESTLOG: adds up what the test programs counted, cmocka's lines and "ok"/"not ok" ones; the closing line of run.sh.
awk '/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
     /^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
     /^ok / { passed++ }
     /^not ok / { failed++ }
     END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 }' "$1"
