#!/bin/sh
# run.sh: installs what is missing, builds everything, runs the quick tests, and closes with their count.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tests/tools/packages.sh"
want_build_tools
want g++=g++ /usr/include/cmocka.h=libcmocka-dev python3=python3 \
    '/usr/include/lua5.4/lua.h=liblua5.4-dev' lua5.4=lua5.4 \
    '/usr/include/lua5.1/lua.h=liblua5.1-0-dev' lua5.1=lua5.1 \
    luajit=luajit /usr/include/luajit-2.1/lua.h=libluajit-5.1-dev luarocks=luarocks \
    abidiff=abigail-tools valgrind=valgrind djpeg=libjpeg-turbo-progs \
    /usr/lib/python3/dist-packages/pip=python3-pip /usr/lib/python3/dist-packages/wheel=python3-wheel \
    /usr/lib/python3/dist-packages/setuptools=python3-setuptools /usr/lib/python3.*/ensurepip/__main__.py=python3-venv \
    /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz=dataset-fashion-mnist

build=$root/build-tests
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" -Dtests=true
ninja -C "$build"

# The data packs are for those who have them; tests say so when they are missing.
if [ -z "${IMGCLS_TEST_DATA:-}" ] && [ -f "$root/../shared/data/unpack.sh" ]; then
    want zstd=zstd
    IMGCLS_TEST_DATA=$build/data
    export IMGCLS_TEST_DATA
    sh "$root/../shared/data/unpack.sh" "$IMGCLS_TEST_DATA" robust flowers >/dev/null ||
        unset IMGCLS_TEST_DATA
fi

status=0
meson test -C "$build" --no-rebuild --suite quick --print-errorlogs || status=$?
sh "$root/tests/tools/count.sh" "$build/meson-logs/testlog.txt"
exit $status
