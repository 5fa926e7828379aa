#!/bin/sh
# headers.sh INCLUDE: every public header compiles alone, as C99 and as C++11, without a warning, with each compiler there is.
# SPDX-License-Identifier: MIT
set -eu
include=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for header in "$include"/imgcls/*.h; do
    name=imgcls/$(basename "$header")
    printf '#include <%s>\nint main(void) { return 0; }\n' "$name" >"$folder/one.c"
    cp "$folder/one.c" "$folder/one.cpp"
    for cc in gcc clang; do
        command -v $cc >/dev/null || continue
        $cc -std=c99 -Wall -Wextra -pedantic -Werror -I"$include" -c "$folder/one.c" -o "$folder/one.o"
        echo "ok $name alone as C99 with $cc"
    done
    for cxx in g++ clang++; do
        command -v $cxx >/dev/null || continue
        $cxx -std=c++11 -Wall -Wextra -pedantic -Werror -I"$include" -c "$folder/one.cpp" -o "$folder/one.o"
        echo "ok $name alone as C++11 with $cxx"
    done
done
