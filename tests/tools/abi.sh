#!/bin/sh
# abi.sh LIBRARY HEADERS DUMP: the ABI against the stored dump: nothing removed, nothing changed, and nothing added without
# storing a new dump (abi.sh --store LIBRARY HEADERS DUMP). SPDX-License-Identifier: MIT
set -eu
if [ "$1" = --store ]; then
    exec abidw --headers-dir "$3" --drop-private-types --no-corpus-path --no-comp-dir-path \
        --no-show-locs --out-file "$4" "$2"
fi
if ! command -v abidiff >/dev/null; then
    echo "abidiff is missing (Debian: abigail-tools): skipped"
    exit 77
fi
abidiff --headers-dir2 "$2" --drop-private-types "$3" "$1"
echo "ok the ABI is the stored one"
