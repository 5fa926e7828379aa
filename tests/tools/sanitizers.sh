#!/bin/sh
# sanitizers.sh [asan] [tsan] [valgrind]: the tests of the inside under each; all three when none is named. Minutes each.
# SPDX-License-Identifier: MIT
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/tools/packages.sh"
want_build_tools
want /usr/include/cmocka.h=libcmocka-dev valgrind=valgrind
[ $# -gt 0 ] || set -- asan tsan valgrind

# Programs in C; what a foreign program (python, lua, dlopen) loads cannot bring its sanitizer along.
inside() {
    meson test -C "$1" --list | sed 's/.* //' |
        grep -E '/(test|fuzz|robust)_' | grep -vx 'api/test_host'
}

for tool in "$@"; do
    build=$root/build-$tool
    case $tool in
    asan) options='-Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized' ;;
    tsan) options='-Db_sanitize=thread -Db_lundef=false -Dbuildtype=debugoptimized' ;;
    valgrind) options='-Dbuildtype=debugoptimized' ;;
    *) echo "unknown tool: $tool" >&2; exit 2 ;;
    esac
    # shellcheck disable=SC2086 # words
    [ -f "$build/build.ninja" ] || meson setup "$build" "$root" $options
    ninja -C "$build"
    echo "== $tool"
    # shellcheck disable=SC2046 # words
    if [ "$tool" = valgrind ]; then
        meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 20 \
            --wrapper 'valgrind -q --error-exitcode=1 --leak-check=full' $(inside "$build")
    else
        UBSAN_OPTIONS=halt_on_error=1 meson test -C "$build" --no-rebuild --print-errorlogs \
            --timeout-multiplier 10 $(inside "$build")
    fi
done
