"""One picture or several: what predict and its like are given."""

from __future__ import annotations

import os
from typing import Any

from ._core import NotFoundError, Path, about, create, lib, log
from ._data import Dataset
from ._image import Image, image_of, is_pillows

_endings = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")
_others = (".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".avif")


def pictures(folder: Path) -> list[str]:
    """The .jpg, .jpeg, .jpe, .jfif and .png files in a folder and below it, sorted by name: the order
    in which predict(folder) answers. Names that begin with a dot are passed over; the log tells of
    pictures of other formats."""
    folder, found, others = os.fsdecode(folder), [], []
    for place, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        paths = [os.path.join(place, name) for name in names if not name.startswith(".")]
        found += [path for path in paths if path.lower().endswith(_endings)]
        others += [path for path in paths if path.lower().endswith(_others)]
    if others:
        log.warning("%s: %d pictures of other formats, such as %s, passed over: make JPEG or PNG of "
                    "them", folder, len(others), min(others))
    if not found:
        raise NotFoundError(-4, f"{folder} holds no .jpg, .jpeg or .png files")
    return sorted(found)


def _refuse(error):
    raise error


def several(given: Any, context, model, on_error: str):
    """(Images, made one by one; whether it is one picture alone) of a picture, a folder, a Dataset
    or any iterable of pictures, as the model wants them if there is one. on_error="skip": None stands
    for a picture that cannot be read."""
    if on_error not in ("raise", "skip"):
        raise ValueError(f'on_error takes "raise" or "skip", not {on_error!r}')
    if isinstance(given, Dataset):
        return _read(range(len(given)), _reader(given, model), False, on_error), False
    if isinstance(given, (str, os.PathLike)) and os.path.isdir(given):
        given = pictures(given)
    alone = _is_one(given)
    return _read([given] if alone else given, lambda picture: image_of(picture, context, model),
                 alone, on_error), alone


def _reader(dataset, model):
    if model is None:
        return dataset.image
    return lambda index: Image(create(lib.ic_model_read_image, model, dataset, index))


def _read(sources, open_one, alone, on_error):
    for index, source in enumerate(sources):
        try:
            image = open_one(source)
        except MemoryError:  # the picture need not be at fault
            raise
        except Exception as error:  # Pillow's pictures, for one, raise of many kinds
            if not alone:
                about(error, index)
            if on_error == "raise":
                raise
            log.warning("skipped: %s", error)
            image = None
        yield image


def _is_one(given):
    if isinstance(given, (Image, str, os.PathLike, bytes, bytearray, memoryview)):
        return True
    if is_pillows(given) or hasattr(given, "read"):  # open files iterate over lines
        return True
    if hasattr(given, "__array_interface__") or hasattr(given, "__array__"):
        return getattr(given, "ndim", 0) not in (1, 4)  # those hold paths, say, or pixels of many
    return not hasattr(given, "__iter__")
