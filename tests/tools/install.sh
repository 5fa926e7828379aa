#!/bin/sh
# install.sh BUILD ROOT: installs into a fresh prefix and uses it as strangers would: C and C++ by pkg-config, shared and
# static, Python by pip, Lua. SPDX-License-Identifier: MIT
set -eu
build=$1 root=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix

meson setup "$folder/build" "$root" --prefix "$prefix" -Dtests=false >"$folder/log" 2>&1 ||
    { cat "$folder/log"; exit 1; }
meson install -C "$folder/build" >"$folder/log" 2>&1 || { tail -n 30 "$folder/log"; exit 1; }
pc=$(dirname "$(find "$prefix" -name imgcls.pc)")
export PKG_CONFIG_PATH="$pc"
libdir=$(pkg-config --variable=libdir imgcls)
export LD_LIBRARY_PATH="$libdir"

# The program says how it is used when it is called without arguments.
try() {
    if "$2" >/dev/null 2>"$folder/said"; then code=0; else code=$?; fi
    [ $code = 2 ] && grep -q usage "$folder/said" || { cat "$folder/said"; echo "not ok $1"; exit 1; }
    echo "ok $1"
}
# shellcheck disable=SC2046 # words
{
    cc -std=c11 "$root/examples/classify.c" -o "$folder/shared" $(pkg-config --cflags --libs imgcls)
    try "an example in C, shared" "$folder/shared"
    c++ -x c++ -std=c++17 "$root/tests/api/classify.cpp" -o "$folder/cpp" $(pkg-config --cflags --libs imgcls)
    try "an example in C++, shared" "$folder/cpp"
    mkdir "$folder/archive"
    cp "$libdir/libimgcls.a" "$folder/archive"
    cc -std=c11 "$root/examples/classify.c" -o "$folder/static" -I"$prefix/include" \
        -L"$folder/archive" $(pkg-config --static --libs imgcls)
    LD_LIBRARY_PATH=/nonexistent try "an example in C, static" "$folder/static"
}
"$prefix/bin/imgcls" --version
echo "ok the installed command runs"

python=
for candidate in python3 /usr/bin/python3; do
    $candidate -c 'import venv, ensurepip, setuptools, wheel, pip' 2>/dev/null && python=$candidate && break
done
if [ -n "$python" ]; then
    $python -m venv --system-site-packages "$folder/venv"
    cp -r "$root/bindings/python" "$folder/python"
    "$folder/venv/bin/pip" install -q --no-build-isolation --no-index "$folder/python"
    (cd "$folder" && "$folder/venv/bin/python" -c 'import imgcls; print(imgcls.version())')
    echo "ok pip install ./bindings/python"
else
    echo "python3-venv, -setuptools, -wheel or -pip is missing: pip install is skipped"
fi
if command -v luarocks >/dev/null; then
    cp -r "$root/bindings/lua" "$folder/lua"
    (cd "$folder/lua" && luarocks --tree "$folder/rocks" make IMGCLS_DIR="$prefix" \
        IMGCLS_LIBDIR="$libdir" imgcls-*.rockspec >"$folder/log" 2>&1) || { cat "$folder/log"; exit 1; }
    lua=lua$(luarocks config lua_version)
    (eval "$(luarocks --tree "$folder/rocks" path)" && $lua -e 'print(require("imgcls").version())')
    echo "ok luarocks make"
else
    echo "luarocks is missing: the rockspec is skipped"
fi
