"""Pictures."""

from __future__ import annotations

import ctypes
import os
from ctypes import byref, c_int32
from typing import Any

from ._core import Context, Handle, Path, check, create, default_context, lib, path_bytes


class Pointer(int):
    """The address of a picture of the library's, for Image to own."""


class Image(Handle):
    """A picture: from a path, from the bytes of a JPEG or PNG file, or from an array of pixels
    (anything with the buffer protocol or __array_interface__: height x width [x channels], 8 or 16
    bits, RGB order)."""

    def __init__(self, source: Any, context: Context | None = None) -> None:
        context = context or default_context()
        if isinstance(source, Pointer):
            pointer = source
        elif isinstance(source, (str, os.PathLike)):
            pointer = create(lib.ic_image_load, context, path_bytes(source))
        elif isinstance(source, (bytes, bytearray)):
            data = bytes(source)
            pointer = create(lib.ic_image_decode, context, data, len(data))
        else:
            pointer = _from_array(context, source)
        super().__init__(pointer, lib.ic_image_free)

    @property
    def info(self) -> tuple[int, int, int, int]:
        """(width, height, channels, depth)"""
        values = [c_int32() for _ in range(4)]
        check(lib.ic_image_info(self, *map(byref, values)))
        return tuple(value.value for value in values)

    def save_png(self, path: Path) -> None:
        """Writes it as a PNG file."""
        check(lib.ic_image_save_png(self, path_bytes(path)))


# (channels, bytes a sample) -> IC_PIXELS_…
_orders = {(1, 1): 1, (2, 1): 2, (3, 1): 3, (4, 1): 4, (1, 2): 7, (2, 2): 8, (3, 2): 9, (4, 2): 10}


def _from_array(context, source):
    shape, data, item = _pixels_of(source)
    if len(shape) == 2:
        shape = (*shape, 1)
    order = _orders.get((shape[2], item)) if len(shape) == 3 else None
    if order is None:
        raise ValueError(f"pixels are height x width [x 1..4] of uint8 or uint16, not {shape} of "
                         f"{item} bytes")
    return create(lib.ic_image_from_pixels, context, data, shape[1], shape[0], 0, order)


def _pixels_of(source):
    """(shape, bytes, bytes a sample) of an array-like object."""
    try:
        view = memoryview(source)
    except TypeError:
        interface = getattr(source, "__array_interface__", None)
        if interface is None:
            raise TypeError(f"a picture is a path, the bytes of a file or an array of pixels, not "
                            f"{type(source).__name__}") from None
        kind, item = interface["typestr"][1], int(interface["typestr"][2:])
        if kind != "u" or interface.get("strides") is not None:
            raise ValueError("pixels from __array_interface__ must be unsigned and contiguous")
        data = interface["data"]
        length = item
        for side in interface["shape"]:
            length *= side
        raw = data if isinstance(data, bytes) else ctypes.string_at(data[0], length)
        return tuple(interface["shape"]), raw, item
    if view.format not in ("B", "H", "<H", "=H", "@H"):
        raise ValueError(f"pixels are uint8 or uint16, not of format {view.format!r}")
    return view.shape, view.tobytes(), view.itemsize
