"""Decoding and resizing of JPEGs: decode.py Pillow|OpenCV|OpenCV_area FOLDER SIDE MOST.

The files are read first; a step decodes each from memory, cuts out the centre square and resizes it to SIDE x SIDE:
Pillow with its (antialiased) bilinear filter, OpenCV with its default of four neighbours, which aliases, or with
INTER_AREA. One thread, by the time that it had a core. SPDX-License-Identifier: MIT
"""
import io
import pathlib
import sys
import time

import answers


def square(w, h):
    side = min(w, h)
    left, top = (w - side) // 2, (h - side) // 2
    return left, top, left + side, top + side


def pillow_step(files, side):
    import PIL
    from PIL import Image

    def step():
        for file in files:
            picture = Image.open(io.BytesIO(file)).convert("RGB")
            picture.resize((side, side), Image.Resampling.BILINEAR, box=square(*picture.size))

    return step, f"Pillow {PIL.__version__}"


def opencv_step(files, side, area):
    import cv2
    import numpy
    cv2.setNumThreads(1)
    arrays = [numpy.frombuffer(file, numpy.uint8) for file in files]
    filter = cv2.INTER_AREA if area else cv2.INTER_LINEAR

    def step():
        for array in arrays:
            picture = cv2.imdecode(array, cv2.IMREAD_COLOR)
            left, top, right, bottom = square(picture.shape[1], picture.shape[0])
            cv2.resize(picture[top:bottom, left:right], (side, side), interpolation=filter)

    return step, f"OpenCV {cv2.__version__}"


def main():
    library, folder, side, most = sys.argv[1], pathlib.Path(sys.argv[2]), *map(int, sys.argv[3:5])
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".jpg", ".jpeg"))[:most]
    files = [path.read_bytes() for path in paths]
    try:
        if library == "Pillow":
            step, version = pillow_step(files, side)
        else:
            step, version = opencv_step(files, side, library == "OpenCV_area")
    except ImportError as error:
        answers.missing(error)
    answers.serve(step, version, warm_up=1, clock=time.thread_time)


main()
