#!/bin/sh
# size.sh LIBRARY: the library, stripped, stays under 1,000,000 bytes. SPDX-License-Identifier: MIT
set -eu
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
strip -o "$stripped" "$1"
bytes=$(wc -c <"$stripped")
echo "$bytes bytes stripped"
if [ "$bytes" -ge 1000000 ]; then
    echo "not ok the library is no longer small"
    exit 1
fi
echo "ok the library is small"
