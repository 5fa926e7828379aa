"""Pictures."""

from __future__ import annotations

import array
import ctypes
import math
import os
import sys
from ctypes import byref, c_int32, c_size_t, c_void_p
from typing import Any

from ._core import (Context, Handle, Path, Pointer, check, create, known_context, lib,
                    path_bytes)


class Image(Handle):
    """A picture: from a path, from the bytes of a JPEG or PNG file, from such a file that is open
    (anything with read()), from a picture of Pillow's (which is turned upright and made grey or
    RGB, as files are), or from an array of pixels (anything with the buffer protocol,
    __array_interface__ or __array__: height x width [x channels], 8 or 16 bits, RGB order)."""

    def __init__(self, source: Any, context: Context | None = None) -> None:
        pointer = (source if isinstance(source, Pointer)
                   else _made_of(known_context(context), source))
        super().__init__(pointer, lib.ic_image_free)

    @property
    def info(self) -> tuple[int, int, int, int]:
        """(width, height, channels, depth)"""
        values = [c_int32() for _ in range(4)]
        check(lib.ic_image_info(self, *map(byref, values)))
        return tuple(value.value for value in values)

    def save_png(self, path: Path) -> None:
        """Writes it as a PNG file."""
        if os.fsencode(path).lower().endswith((b".jpg", b".jpeg")):
            raise ValueError(f"{path!r}: a PNG is written, no JPEG: name it .png")
        check(lib.ic_image_save_png(self, path_bytes(path)))

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """A copy of the pixels, for numpy.asarray: height x width [x channels]."""
        pixels, stride = c_void_p(), c_size_t()
        check(lib.ic_image_pixels(self, byref(pixels), byref(stride)))
        width, height, channels, depth = self.info
        row = width * channels * depth // 8
        return {"version": 3,
                "shape": (height, width) if channels == 1 else (height, width, channels),
                "typestr": "|u1" if depth == 8 else "<u2" if sys.byteorder == "little" else ">u2",
                "data": b"".join(ctypes.string_at(pixels.value + y * stride.value, row)
                                 for y in range(height))}

    _instead = "; give its path or numpy.asarray(image)"

    def _about(self):
        width, height, channels, depth = self.info
        kind = ("grey", "grey + alpha", "RGB", "RGBA")[channels - 1]
        return f"{width} x {height} pixels, {kind}, {depth} bits"


def image_of(source: Any, context: Context, model: Handle | None = None) -> Image:
    """An Image as it is, or one of what Image takes: files as the model wants them."""
    return source if isinstance(source, Image) else Image(_made_of(context, source, model))


def _made_of(context, source, model=None):
    load, decode, owner = ((lib.ic_image_load, lib.ic_image_decode, context) if model is None else
                           (lib.ic_model_load_image, lib.ic_model_decode_image, model))
    if isinstance(source, (str, os.PathLike)):
        return create(load, owner, path_bytes(source))
    if hasattr(source, "read"):
        source = _all_of(source)
    if isinstance(source, (bytes, bytearray)):
        return create(decode, owner, bytes(source), len(source))
    return _from_array(context, _as_a_file_would(source) if is_pillows(source) else source)


def _all_of(file):
    data = file.read()
    if isinstance(data, str):
        raise TypeError('this file is open as text: open it with "rb"')
    if not data:
        raise ValueError("nothing is left to read of this file: it is empty, or was read before "
                         "(then .seek(0) first)")
    return data


# What turns a picture upright by its EXIF orientation, as the numbers of PIL.Image.Transpose.
_turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def is_pillows(source):
    return isinstance(getattr(source, "mode", None), str) and hasattr(source, "convert")


def _as_a_file_would(picture):
    """A picture of Pillow's as the library reads the file of it: upright, and grey or RGB."""
    if picture.mode in ("I", "F"):
        raise ValueError(f"pictures of mode {picture.mode!r} have no fixed range: scale this one to "
                         f'0..255 and give .convert("RGB")')
    turn = _turns.get(_orientation(picture))
    if turn is not None:
        picture = picture.transpose(turn)
    mode = _plain_mode(picture)
    return picture if picture.mode == mode else picture.convert(mode)


def _orientation(picture):
    try:
        return picture.getexif().get(0x112)
    except Exception:  # damaged EXIF says nothing, and the pixels may be sound
        return None


def _plain_mode(picture):
    """The mode that has a picture's colours in the pixels themselves: others announce the same
    arrays, but mean indices into a palette, other colours, or colours multiplied by alpha."""
    mode = picture.mode
    if mode in ("LA", "RGBA") or mode.startswith("I;16"):
        return mode
    clear = mode in ("PA", "La", "RGBa") or "transparency" in getattr(picture, "info", ())
    if mode in ("1", "L", "La"):
        return "LA" if clear else "L"
    return "RGBA" if clear else "RGB"


# (channels, bytes a sample) -> IC_PIXELS_…
_orders = {(1, 1): 1, (2, 1): 2, (3, 1): 3, (4, 1): 4, (1, 2): 7, (2, 2): 8, (3, 2): 9, (4, 2): 10}


def _from_array(context, source):
    shape, data, item = _pixels_of(source)
    if len(shape) == 2:
        shape = (*shape, 1)
    order = _orders.get((shape[2], item)) if len(shape) == 3 else None
    if order is None:
        raise ValueError(f"pixels are height x width [x 1..4] of uint8 or uint16, not {shape} of "
                         f"{item} bytes{_advice(shape)}")
    return create(lib.ic_image_from_pixels, context, data, shape[1], shape[0], 0, order)


def _advice(shape):
    """What to do with an array `a` of a shape that no picture has."""
    if len(shape) == 4:
        return ": these are several pictures, give one of them"
    if len(shape) != 3:
        return ""
    several = "of several grey pictures give a[..., None]"
    if shape[0] in (1, 3, 4):
        return (": channels come last, give a.transpose(1, 2, 0), or a.permute(1, 2, 0) of a "
                f"tensor; {several}")
    return f": {several}"


def _pixels_of(source):
    """(shape, bytes, bytes a sample) of an array-like object, in the machine's byte order."""
    shape, kind, copied = _exposed_by(source)
    sample = _sample(kind)
    if sample is None:
        raise ValueError(f"pixels are uint8 or uint16, not {getattr(source, 'dtype', repr(kind))}: "
                         f"{_scaled(source, kind)}")
    (item, foreign), data = sample, copied()
    if len(data) != item * math.prod(shape):
        raise ValueError(f"{len(data)} bytes are not {shape} samples of {item} bytes")
    if foreign:
        samples = array.array("H", data)
        samples.byteswap()
        data = samples.tobytes()
    return shape, data, item


def _sample(kind):
    """(bytes a sample, whether they are in the other byte order) of a format of the buffer protocol,
    as ">H", or a typestr of __array_interface__, as ">u2"; None: such samples are not taken."""
    order, letters = (kind[0], kind[1:]) if kind[:1] in tuple("<>=@|") else ("=", kind)
    item = {"B": 1, "u1": 1, "H": 2, "u2": 2}.get(letters)
    if item is None:
        return None
    return item, item > 1 and order == (">" if sys.byteorder == "little" else "<")


def _scaled(source, kind):
    """How an array of other samples becomes one that is taken."""
    name = "a.numpy()" if hasattr(source, "numpy") else "a"
    letters = kind.lstrip("<>=@|")
    if letters[:1] in ("e", "f", "d"):
        return (f"of values in 0..1 give ({name} * 255).round().astype('uint8'), of values in "
                f"0..255 {name}.round().astype('uint8')")
    if letters in ("?", "b1"):
        return f"give {name}.astype('uint8') * 255"
    return f"of values in 0..255 give {name}.astype('uint8'), in 0..65535 {name}.astype('uint16')"


def _exposed_by(source):
    """(shape, format, a function that copies the bytes) of what has the buffer protocol,
    __array_interface__ or __array__."""
    try:
        view = memoryview(source)
    except TypeError:
        interface = getattr(source, "__array_interface__", None)  # once: Pillow makes it anew
        if interface is not None:
            return _announced_by(interface)
        if hasattr(source, "__array__"):  # tensors of torch, say
            return _exposed_by(source.__array__())
        raise TypeError(f"a picture is a path, a file, the bytes of one or an array of pixels, not "
                        f"{type(source).__name__}") from None
    return view.shape, view.format, view.tobytes


def _announced_by(interface):
    if interface.get("strides") is not None:
        raise ValueError("pixels from __array_interface__ must be contiguous: give a copy")
    shape, kind, data = tuple(interface["shape"]), interface["typestr"], interface["data"]
    if isinstance(data, bytes):
        return shape, kind, lambda: data
    return shape, kind, lambda: ctypes.string_at(data[0], int(kind[2:]) * math.prod(shape))
