#!/usr/bin/env python3
"""Decodes every picture of the robust pack with imgcls and with references of other make (djpeg; reference_png.py) and
compares. A valid_ picture must give the reference's pixels; a bad_ or questionable_ one an error or the
reference's pixels.

    robust.py DECODE_DUMP [PACK]      (build/tests/image/decode_dump; PACK: IMGCLS_TEST_DATA/robust)

Prints a table; exit status 1 when anything is amiss, 77 when there is nothing to compare. SPDX-License-Identifier: MIT"""
import collections
import csv
import hashlib
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reference_png  # noqa: E402


def upright(width, height, channels, samples, orientation):
    """Applies an EXIF orientation, pixel by pixel, by its definition: where row 0 and column 0 lie."""
    if orientation == 1:
        return width, height, samples
    place = {2: lambda x, y: (width - 1 - x, y), 3: lambda x, y: (width - 1 - x, height - 1 - y),
             4: lambda x, y: (x, height - 1 - y), 5: lambda x, y: (y, x),
             6: lambda x, y: (y, height - 1 - x), 7: lambda x, y: (width - 1 - y, height - 1 - x),
             8: lambda x, y: (width - 1 - y, x)}[orientation]
    w, h = (height, width) if orientation >= 5 else (width, height)
    out = bytearray()
    for y in range(h):
        for x in range(w):
            sx, sy = place(x, y)
            at = (sy * width + sx) * channels
            out += samples[at:at + channels]
    return w, h, bytes(out)


def read_pnm(data):
    """P5 or P6 with maximum 255, as djpeg writes."""
    fields, position = [], 0
    while len(fields) < 4:
        end = position
        while data[end:end + 1] not in (b" ", b"\n"):
            end += 1
        fields.append(data[position:end])
        position = end + 1
    channels = 1 if fields[0] == b"P5" else 3
    width, height = int(fields[1]), int(fields[2])
    return width, height, channels, data[position:position + width * height * channels]


def reference(path, row):
    """(width, height, channels, depth, SHA-256), or None where the reference refuses."""
    if row["kind"] == "png":
        try:
            with open(path, "rb") as file:
                w, h, c, depth, samples, orientation = reference_png.decode(file.read())
        except Exception:  # whatever is wrong with it, it is no picture
            return None
    else:
        run = subprocess.run(["djpeg", "-pnm", path], capture_output=True, timeout=120)
        if not run.stdout.startswith((b"P5", b"P6")):
            return None
        w, h, c, samples = read_pnm(run.stdout)
        if len(samples) != w * h * c:
            return None
        orientation, depth = int(row["orient"] or 1), 8
    w, h, samples = upright(w, h, c * depth // 8, samples, orientation if 1 <= orientation <= 8 else 1)
    return w, h, c, depth, hashlib.sha256(samples).hexdigest()


def judge(line, wanted, group):
    """What became of one picture: (verdict, is it amiss)."""
    if line.startswith("ok "):
        w, h, c, depth, digest = line.split()[1:]
        got = (int(w), int(h), int(c), int(depth), digest)
        if got == wanted:
            return "equal to the reference", False
        return ("decoded where the reference refuses" if wanted is None else "different pixels"), True
    valid = group.startswith("valid")
    return line.split()[0], valid


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    dump = sys.argv[1]
    pack = sys.argv[2] if len(sys.argv) == 3 else os.path.join(os.environ.get("IMGCLS_TEST_DATA", ""), "robust")
    if not os.path.isfile(os.path.join(pack, "manifest.csv")):
        print("robust.py: IMGCLS_TEST_DATA/robust is missing: skipped")
        return 77
    if not shutil.which("djpeg"):
        print("robust.py: djpeg (package libjpeg-turbo-progs) is missing: skipped")
        return 77
    with open(os.path.join(pack, "manifest.csv"), newline="") as file:
        rows = list(csv.DictReader(file))
    paths = [os.path.join(pack, row["path"]) for row in rows]
    run = subprocess.run([dump] + paths, capture_output=True, text=True, errors="replace", check=True)
    lines = run.stdout.splitlines()
    assert len(lines) == len(rows), "decode_dump answered %d of %d" % (len(lines), len(rows))
    assert run.stderr == "", "the library printed: " + run.stderr

    counts, amiss = collections.Counter(), 0
    for row, path, line in zip(rows, paths, lines):
        group = row["path"].split("/")[0]
        wanted = reference(path, row)
        verdict, wrong = judge(line, wanted, group)
        counts[group, verdict] += 1
        amiss += wrong
        if wrong:
            print("%s: %s: %s (reference: %s)" % (row["path"], verdict, line, wanted))
    for (group, verdict), count in sorted(counts.items()):
        print("%-20s %-40s %5d" % (group, verdict, count))
    print("%d pictures, %d amiss" % (len(rows), amiss))
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
