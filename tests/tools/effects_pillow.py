#!/usr/bin/env python3
"""Writes tests/preprocess/effects_golden.h: what Pillow's changes of colours make of a grey picture.

    python3 tests/tools/effects_pillow.py        (needs Pillow; run by hand)

The picture is made by a formula that tests/preprocess/test_effects.c repeats. SPDX-License-Identifier: MIT"""
import pathlib

import PIL
from PIL import Image, ImageEnhance, ImageOps

WIDTH, HEIGHT = 20, 16


def sample(x, y):
    return 30 + (x * x * 7 + y * 13 + x * y * 3) % 150


image = Image.new("L", (WIDTH, HEIGHT))
image.putdata([sample(x, y) for y in range(HEIGHT) for x in range(WIDTH)])
CHANGES = {
    "posterized": ImageOps.posterize(image, 3),
    "solarized": ImageOps.solarize(image, 100),
    "autocontrasted": ImageOps.autocontrast(image),
    "equalized": ImageOps.equalize(image),
    "sharpened": ImageEnhance.Sharpness(image).enhance(1.9),
    "smoothed": ImageEnhance.Sharpness(image).enhance(0.1),
    "contrasted": ImageEnhance.Contrast(image).enhance(1.6),
    "brightened": ImageEnhance.Brightness(image).enhance(1.8),
}

lines = [f"""/* preprocess/effects_golden.h: what Pillow {PIL.__version__} makes of the picture in test_effects.c; written by
 * tests/tools/effects_pillow.py. SPDX-License-Identifier: MIT */
/* clang-format off */"""]
for name, changed in CHANGES.items():
    values = list(changed.tobytes())
    lines.append(f"static const uint8_t {name}[] = {{")
    lines += [",".join(map(str, values[at:at + WIDTH])) + "," for at in range(0, len(values), WIDTH)]
    lines.append("};")
lines.append("/* clang-format on */")
target = pathlib.Path(__file__).resolve().parents[1] / "preprocess/effects_golden.h"
target.write_text("\n".join(lines) + "\n")
