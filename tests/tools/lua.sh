#!/bin/sh
# lua.sh ROOT LIBRARY: builds the Lua module for each Lua that there is and runs its tests there. SPDX-License-Identifier: MIT
set -eu
root=$1 library=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
libdir=$(CDPATH= cd -- "$(dirname -- "$library")" && pwd)
found=no
for lua in lua5.1 lua5.2 lua5.3 lua5.4 luajit; do
    package=$lua
    command -v $lua >/dev/null && pkg-config --exists $package || continue
    found=yes
    mkdir "$folder/$lua"
    # shellcheck disable=SC2046 # words
    cc -std=c11 -O1 -Wall -Wextra -Werror -fPIC -shared -I"$root/include" $(pkg-config --cflags $package) \
        "$root"/bindings/lua/*.c -o "$folder/$lua/imgcls.so" -L"$libdir" -limgcls -Wl,-rpath,"$libdir"
    echo "# $($lua -v 2>&1)"
    LUA_CPATH="$folder/$lua/?.so" LUA_INIT='' $lua "$root/bindings/lua/tests/test_imgcls.lua" "$folder"
done
[ $found = yes ] || { echo "no Lua with its headers is here (Debian: lua5.4 liblua5.4-dev): skipped"; exit 77; }
