"""Decoding and resizing of all JPEGs below a folder: decode.py Pillow|OpenCV FOLDER SIZE.

Files are read once; a step decodes them from memory and brings the short side to SIZE, antialiased: Pillow with its
bilinear resize, OpenCV with INTER_AREA. One thread. SPDX-License-Identifier: MIT
"""
import io
import pathlib
import sys

import answers


def sides(w, h, size):
    return max(1, round(w * size / min(w, h))), max(1, round(h * size / min(w, h)))


def with_pillow(files, size):
    import PIL
    from PIL import Image

    def step():
        for file in files:
            picture = Image.open(io.BytesIO(file)).convert("RGB")
            picture.resize(sides(*picture.size, size), Image.Resampling.BILINEAR)

    return step, f"Pillow {PIL.__version__}"


def with_opencv(files, size):
    import cv2
    import numpy
    cv2.setNumThreads(1)

    def step():
        for file in files:
            picture = cv2.imdecode(numpy.frombuffer(file, numpy.uint8), cv2.IMREAD_COLOR)
            cv2.resize(picture, sides(picture.shape[1], picture.shape[0], size), interpolation=cv2.INTER_AREA)

    return step, f"OpenCV {cv2.__version__}"


def main():
    library, folder, size = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    files = [p.read_bytes() for p in sorted(folder.rglob("*")) if p.suffix.lower() in (".jpg", ".jpeg")]
    try:
        step, version = {"Pillow": with_pillow, "OpenCV": with_opencv}[library](files, size)
        step()
    except ImportError as error:
        answers.missing(error)
    answers.serve(step, version)


main()
