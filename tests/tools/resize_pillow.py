#!/usr/bin/env python3
"""Pillow as the reference of ic_image_resize. Needs Pillow (pip install pillow).

    resize_pillow.py write                       makes tests/image/resize_golden.h anew
    resize_pillow.py compare LIBIMGCLS FOLDER    real pictures: how far are we from Pillow, and how fast

The sources of the goldens are made by a formula that tests/image/test_resize.c repeats, so that only
results are stored. SPDX-License-Identifier: MIT"""
import ctypes
import glob
import os
import sys
import time

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
FILTERS = {1: Image.Resampling.BILINEAR, 2: Image.Resampling.BICUBIC}
# width, height, channels, depth, box (or None), new width, new height, filter
CASES = [
    (37, 23, 3, 8, None, 10, 7, 1),
    (37, 23, 3, 8, None, 10, 7, 2),
    (9, 7, 1, 8, None, 20, 17, 1),
    (9, 7, 1, 8, None, 20, 17, 2),
    (64, 1, 1, 8, None, 5, 1, 1),
    (1, 64, 1, 8, None, 1, 5, 2),
    (1, 1, 3, 8, None, 3, 4, 2),
    (12, 40, 1, 8, None, 25, 15, 2),  # wider and lower: the order of the passes turns round
    (40, 12, 1, 8, None, 15, 25, 2),
    (40, 30, 3, 8, (3.25, 4.5, 31.75, 20.125), 8, 6, 1),
    (40, 30, 3, 8, (3.25, 4.5, 31.75, 20.125), 8, 6, 2),
    (300, 200, 1, 8, None, 3, 2, 1),
    (300, 200, 1, 8, None, 3, 2, 2),
    (21, 19, 1, 16, None, 8, 27, 1),
    (21, 19, 1, 16, None, 8, 27, 2),
]


def noise(count, depth):
    """Blocks of noise: a linear congruential generator whose every value is used three times."""
    state, samples = 12345, []
    for i in range(count):
        if i % 3 == 0:
            state = (state * 1103515245 + 12345) % (1 << 31)
        samples.append(state >> 8 & ((1 << depth) - 1))
    return samples


def pillow(case):
    width, height, channels, depth, box, new_width, new_height, kind = case
    samples = noise(width * height * channels, depth)
    if depth == 8:
        image = Image.frombytes("L" if channels == 1 else "RGB", (width, height), bytes(samples))
    else:  # Pillow resizes 16 bits in floats
        image = Image.new("F", (width, height))
        image.putdata(samples)
    image = image.resize((new_width, new_height), FILTERS[kind], box)
    if depth == 8:
        return list(image.tobytes())
    return [min(max(int(image.getpixel((x, y)) + 0.5), 0), 65535)
            for y in range(new_height) for x in range(new_width)]


def write():
    lines = ["/* image/resize_golden.h: what Pillow makes of the pictures in test_resize.c; written by",
             " * tests/tools/resize_pillow.py. SPDX-License-Identifier: MIT */", "/* clang-format off */"]
    entries = []
    for number, case in enumerate(CASES):
        width, height, channels, depth, box, new_width, new_height, kind = case
        text = ""
        lines.append("static const uint16_t golden_%d[] = {" % number)
        for value in pillow(case):
            if len(text) + len(str(value)) > 98:
                lines.append(text)
                text = ""
            text += "%d," % value
        lines += [text, "};"]
        x0, y0, x1, y1 = box or (0, 0, width, height)
        entries.append("    {%d, %d, %d, %d, {%r, %r, %r, %r}, %d, %d, %d, golden_%d}," % (
            width, height, channels, depth, x0, y0, x1 - x0, y1 - y0, new_width, new_height, kind, number))
    lines += ["static const golden_case goldens[] = {"] + entries + ["};"]
    with open(os.path.join(HERE, "..", "image", "resize_golden.h"), "w") as file:
        file.write("\n".join(lines) + "\n")


class Library:
    """As much of libimgcls as is needed."""

    def __init__(self, path):
        self.calls = ctypes.CDLL(path)
        self.calls.ic_image_from_pixels.argtypes = [
            ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32, ctypes.c_int32, ctypes.c_ssize_t, ctypes.c_int32,
            ctypes.c_void_p]
        self.calls.ic_image_free.argtypes = [ctypes.c_void_p]
        self.context = ctypes.c_void_p()
        assert self.calls.ic_context_create(ctypes.byref(self.context)) == 0

    def resize(self, image, width, height, kind):
        """(bytes of the resized RGB picture, seconds it took)."""
        source, target = ctypes.c_void_p(), ctypes.c_void_p()
        pixels, stride = ctypes.c_void_p(), ctypes.c_size_t()
        assert self.calls.ic_image_from_pixels(self.context, image.tobytes(), *image.size, 0, 3,
                                               ctypes.byref(source)) == 0
        begin = time.perf_counter()
        assert self.calls.ic_image_resize(source, width, height, kind, ctypes.byref(target)) == 0
        seconds = time.perf_counter() - begin
        assert self.calls.ic_image_pixels(target, ctypes.byref(pixels), ctypes.byref(stride)) == 0
        result = ctypes.string_at(pixels, stride.value * height)
        self.calls.ic_image_free(source)
        self.calls.ic_image_free(target)
        return result, seconds


def compare(path, folder):
    library = Library(path)
    files = sorted(glob.glob(os.path.join(folder, "**", "*.jpg"), recursive=True))
    for kind, name in ((1, "bilinear"), (2, "bicubic")):
        for size in ((64, 64), (224, 224), (97, 131), (600, 500)):
            total = within = equal = worst = 0
            ours = theirs = 0.0
            for file in files[::max(1, len(files) // 100)]:
                image = Image.open(file).convert("RGB")
                begin = time.perf_counter()
                wanted = image.resize(size, FILTERS[kind]).tobytes()
                theirs += time.perf_counter() - begin
                got, seconds = library.resize(image, *size, kind)
                ours += seconds
                differences = [abs(a - b) for a, b in zip(got, wanted)]
                total += len(differences)
                equal += differences.count(0)
                within += differences.count(0) + differences.count(1)
                worst = max(worst, max(differences))
            print("%-8s to %3d x %3d: equal %.3f %%, within 1: %.4f %%, worst %d; %.2f of Pillow's time" % (
                name, *size, 100 * equal / total, 100 * within / total, worst, ours / theirs))


if __name__ == "__main__":
    if sys.argv[1:] == ["write"]:
        write()
    elif len(sys.argv) == 4 and sys.argv[1] == "compare":
        compare(*sys.argv[2:])
    else:
        sys.exit(__doc__)
