#!/bin/sh
# quickstart.sh: from a bare Debian 12 to a trained and tested classifier. Installs what is missing from Debian's
# packages, builds, trains on 60,000 pictures of clothes, measures on 10,000 others, draws plots, names one picture.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
. "$root/tests/tools/packages.sh"

step() { printf '\n== %s\n' "$1"; }

step "installing what is missing"
want_build_tools
pictures=/usr/share/datasets/fashion-mnist
want "$pictures/train-images-idx3-ubyte.gz=dataset-fashion-mnist"

step "building"
build=$root/build
[ -f "$build/build.ninja" ] || meson setup "$build" "$root" -Dtests=false >"$root/build-setup.log" 2>&1 ||
    { cat "$root/build-setup.log"; exit 1; }
rm -f "$root/build-setup.log"
ninja -C "$build" -v >"$build/build.log" 2>&1 || { tail -n 30 "$build/build.log"; exit 1; }
imgcls=$build/examples/cli/imgcls

# The package's four files beside a list of their class names.
out=$build/quickstart
mkdir -p "$out/fashion"
for file in "$pictures"/*-ubyte.gz; do ln -sf "$file" "$out/fashion/"; done
printf '%s\n' T-shirt Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag 'Ankle boot' \
    >"$out/fashion/classes.txt"

step "training on 60,000 pictures, within 45 seconds (without --minutes: about ten minutes, and more accurate)"
"$imgcls" train "$out/fashion" --out "$out/fashion.safetensors" --minutes 0.75 --plot "$out/curves.png"

step "measuring on 10,000 pictures that it has not seen"
"$imgcls" evaluate "$out/fashion.safetensors" "$out/fashion" --report "$out/report.html"

step "naming one picture"
"$build/examples/extract" "$out/fashion" test 0 "$out/picture.png"
"$imgcls" predict "$out/fashion.safetensors" "$out/picture.png" --top 3

cat <<END

Done. Look at
  $out/curves.png      how it learned
  $out/report.html     how good it is, what it takes for what, with the pictures
Try next
  $imgcls train YOUR_FOLDER --out yours.safetensors --minutes 5     (one folder of pictures per class)
  $imgcls predict yours.safetensors PICTURE...
  $imgcls options                                       (everything that can be set)
END
