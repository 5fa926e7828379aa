#!/bin/sh
# Checks who includes whom in lib/: a room sees itself and the rooms before it, only base/ sees the
# operating system, and only kernels/ sees the instruction sets. SPDX-License-Identifier: MIT
set -eu
cd "$(dirname "$0")/../../lib"

rooms="base kernels image preprocess graph zoo dataset recipe serialize model evaluate train report"
system="aio arpa/.* dirent dlfcn fcntl fts ftw glob grp ifaddrs io linux/.* mach.* net.* poll pthread pwd \
sched semaphore signal sys/.* syslog termios threads time ucontext unistd utime wait windows"
system_pattern="^($(echo $system | tr ' ' '|'))\.h$"
intrinsics_pattern='^([a-z]*mmintrin|immintrin|x86intrin|arm_neon|arm_sve)\.h$'

problems=$(mktemp)
trap 'rm -f "$problems"' EXIT
seen=" "
for room in $rooms; do
    seen="$seen$room "
    [ -d "$room" ] || { echo "lib/$room is missing" >>"$problems"; continue; }
    grep -rnE --include='*.c' --include='*.h' '^[[:space:]]*#[[:space:]]*include' "$room" |
        sed -E 's/^([^:]*:[0-9]+):[^<"]*([<"])([^>"]*)[>"].*$/\1 \2 \3/' |
        while read -r place quote header; do
            case $quote in
            '"')
                case "$seen" in
                *" ${header%%/*} "*) ;;
                *) echo "lib/$place: \"$header\" is not in $room or a room before it" ;;
                esac
                ;;
            *)
                if [ "$room" != base ] && echo "$header" | grep -qE "$system_pattern"; then
                    echo "lib/$place: <$header> is the operating system's: only base/ calls it"
                fi
                if echo "$header" | grep -qE "$intrinsics_pattern"; then
                    case $place in
                    kernels/x86/* | kernels/arm/*) ;;
                    *) echo "lib/$place: <$header> belongs into kernels/x86 or kernels/arm" ;;
                    esac
                fi
                ;;
            esac
        done >>"$problems"
done
for folder in */; do
    case " $rooms " in
    *" ${folder%/} "*) ;;
    *) echo "lib/$folder is not in the list of rooms" >>"$problems" ;;
    esac
done

cat "$problems"
[ ! -s "$problems" ] || { echo "not ok the order of the rooms"; exit 1; }
echo "ok the order of the rooms"
