#!/bin/sh
# aarch64.sh [PATTERN]: builds the library and its tests for AArch64 and runs those whose name matches PATTERN (grep -E)
# under qemu; closes with their count. SPDX-License-Identifier: MIT
#
# The libraries come as Debian's arm64 packages, unpacked into the build folder: as installed packages they would have to
# be of the very versions of the machine's own ones, and apt would change those.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
. "$root/tests/tools/packages.sh"
want meson=meson ninja=ninja-build pkg-config=pkg-config aarch64-linux-gnu-gcc=gcc-aarch64-linux-gnu \
    /usr/aarch64-linux-gnu/include/stdio.h=libc6-dev-arm64-cross qemu-aarch64=qemu-user
pattern=${1:-'^kernels/test_|^graph/test_(adjoint|builder|gradients|json|planner)$|^base/test_context$|^train/test_levels$'}
build=$root/build-aarch64
sysroot=$build/sysroot

# apt for another architecture, its lists and cache in the build folder: nothing of the machine's is touched.
fetch_libraries() {
    apt=$build/apt
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$sysroot"
    : >"$apt/status"
    (
        cd "$apt"
        for action in 'update -qq' 'download -qq libc6 libpng-dev libpng16-16 libjpeg62-turbo-dev libjpeg62-turbo
                zlib1g-dev zlib1g libjansson-dev libjansson4 libcmocka-dev libcmocka0'; do
            # shellcheck disable=SC2086 # words
            apt-get -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= \
                -o Dir::State="$apt" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" $action
        done
    )
    for package in "$apt"/*.deb; do
        dpkg-deb -x "$package" "$sysroot"
    done
    find "$sysroot" -type l -lname '/*' | while read -r link; do
        ln -sf "$sysroot$(readlink "$link")" "$link"
    done
    rm -r "$apt"
}

[ -f "$sysroot/usr/include/cmocka.h" ] || fetch_libraries
if [ ! -f "$build/build.ninja" ]; then
    libraries=$sysroot/usr/lib/aarch64-linux-gnu
    cat >"$build/sysroot.ini" <<END
[binaries]
exe_wrapper = ['qemu-aarch64', '-L', '$sysroot']
[properties]
sys_root = '$sysroot'
pkg_config_libdir = '$libraries/pkgconfig:$sysroot/usr/share/pkgconfig'
[built-in options]
c_args = ['-isystem', '$sysroot/usr/include', '-isystem', '$sysroot/usr/include/aarch64-linux-gnu']
c_link_args = ['-L$libraries', '-Wl,-rpath-link,$sysroot/lib/aarch64-linux-gnu']
END
    meson setup "$build" "$root" --cross-file "$root/tests/tools/aarch64.ini" --cross-file "$build/sysroot.ini"
fi
ninja -C "$build"

status=0
# shellcheck disable=SC2046 # words
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 10 \
    $(meson test -C "$build" --no-rebuild --list | sed 's/.* //' | grep -E "$pattern") || status=$?
sh "$root/tests/tools/count.sh" "$build/meson-logs/testlog.txt"
exit $status
