#!/bin/sh
# kernels/spills.sh ARCHIVE...: no micro-kernel may keep vectors on the stack: it would run at half speed or less. Looks
# at the machine code of the functions rows_* and columns_*. SPDX-License-Identifier: MIT
objdump=${OBJDUMP:-objdump}
command -v "$objdump" >/dev/null || { echo "skipped: objdump (binutils) is missing"; exit 77; }
failed=0
for archive in "$@"; do
    listing=$("$objdump" -d --no-show-raw-insn "$archive") || exit 1
    kernels=$(echo "$listing" | grep -cE '^[0-9a-f]+ <(rows|columns)_[0-9]+x[12]>:')
    spills=$(echo "$listing" | awk '
        /^[0-9a-f]+ <.*>:/ { name = $2 }
        name ~ /<(rows|columns)_[0-9]+x[12]>/ &&
            (/mov[au]p[sd] +%[xyz]mm[0-9]+,.*\(%rsp/ || /st[rp]\tq[0-9].*\[sp/) { print name, $0 }')
    if [ "$kernels" -eq 0 ]; then
        echo "$archive: no micro-kernel found"
        failed=1
    elif [ -n "$spills" ]; then
        echo "$archive: vectors are stored to the stack:"
        echo "$spills" | head
        failed=1
    else
        echo "$archive: $kernels micro-kernels, no vector on the stack"
    fi
done
exit $failed
