# packages.sh: sourced by quickstart.sh and run.sh. want COMMAND-OR-FILE=PACKAGE... installs what is missing.
# Debian's packages only; as root, or with sudo; else it says what to install and stops.

# want CHECK=PACKAGE...: CHECK is a command's name, or a path when it holds a slash ('*' allowed).
want() {
    missing=
    for pair in "$@"; do
        check=${pair%%=*}
        case $check in
        */*) found=$(ls -d $check 2>/dev/null | head -n 1) ;;
        *) found=$(command -v "$check" || true) ;;
        esac
        [ -n "$found" ] || missing="$missing ${pair#*=}"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null; then
        as_root=sudo
    else
        echo "These Debian packages are missing:$missing" >&2
        echo "Run this as root, or have an administrator do: apt-get install$missing" >&2
        exit 1
    fi
    if ! command -v apt-get >/dev/null; then
        echo "Please install (Debian's names):$missing" >&2
        exit 1
    fi
    echo "installing:$missing"
    $as_root apt-get update -qq
    # shellcheck disable=SC2086 # a list of words
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# What building the library and the imgcls command takes.
want_build_tools() {
    want cc=gcc '/usr/lib/*/libc.so=libc6-dev' meson=meson ninja=ninja-build pkg-config=pkg-config \
        /usr/include/png.h=libpng-dev '/usr/include/jpeglib.h=libjpeg62-turbo-dev' \
        /usr/include/zlib.h=zlib1g-dev /usr/include/jansson.h=libjansson-dev
}
