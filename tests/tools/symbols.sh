#!/bin/sh
# symbols.sh [--partial] LIBRARY: checks what the shared library exports and what it calls. Exports are
# the IC_API functions of the headers, no more and no less; --partial takes fewer. It calls nothing
# that prints, ends the process or depends on its global state. SPDX-License-Identifier: MIT
set -eu
partial=no
[ "$1" != --partial ] || { partial=yes; shift; }
library=$1
headers=$(dirname "$0")/../../include/imgcls
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed=0

# Joined to one line, each declaration is: IC_API type name( …
cat "$headers"/*.h | grep -v '^#' | tr '\n' ' ' | grep -oE 'IC_API [^(;]*\(' |
    sed -E 's/.*[ *]([A-Za-z0-9_]+)\($/\1/' | LC_ALL=C sort -u >"$folder/declared"
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
    LC_ALL=C sort -u >"$folder/exported"
[ -s "$folder/exported" ] || { echo "$library exports nothing"; failed=1; }

report() {
    [ -s "$folder/names" ] || return 0
    echo "$1"
    sed 's/^/    /' "$folder/names"
    failed=1
}
LC_ALL=C comm -13 "$folder/declared" "$folder/exported" >"$folder/names"
report "exported, but not marked IC_API in a header:"
if [ $partial = no ]; then
    LC_ALL=C comm -23 "$folder/declared" "$folder/exported" >"$folder/names"
    report "marked IC_API in a header, but not exported:"
fi
grep -v '^ic_' "$folder/exported" >"$folder/names" || true
report "exported without the prefix ic_:"

# __longjmp_chk and __printf_chk are what _FORTIFY_SOURCE makes of their namesakes.
printing='v?f?printf|v?dprintf|f?puts|putc|fputc|_IO_putc|putchar|perror|psignal|fwrite|vsyslog|syslog|err|errx|warn|warnx|verr|vwarn'
ending='exit|_exit|_Exit|quick_exit|atexit|at_quick_exit|on_exit|abort|__assert_fail|__assert|raise|kill'
state='(secure_)?getenv|setenv|putenv|unsetenv|setlocale|uselocale|newlocale|signal|sigaction|sigset|chdir|umask|fe(set|enable|disable|hold|update).*'
random='s?rand|rand_r|s?random|[demnjl]rand48|srand48'
locale='strto(d|f|ld)|ato[fil]|atoll|v?[fs]?scanf|__isoc99_v?[fs]?scanf'
terms="$printing|$ending|$state|$random|$locale"
nm -D --undefined-only "$library" | awk '{ sub(/@.*/, "", $2); print $2 }' | LC_ALL=C sort -u |
    grep -E "^(_*)($terms)(_chk|_unlocked)?$" >"$folder/names" || true
report "called, though the library must not:"

[ $failed = 1 ] || echo "$(wc -l <"$folder/exported") exports of $(wc -l <"$folder/declared") declared, no denied calls"
exit $failed
