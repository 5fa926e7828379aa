"""Labelled pictures."""

from __future__ import annotations

import os
from ctypes import byref, c_char_p, c_int32, c_int64, c_void_p
from typing import Any

from ._core import (Context, Handle, Image, Options, Path, Progress, check, create, default_context,
                    json_of, lib, path_bytes)


class Dataset(Handle):
    """Labelled pictures from a folder of class folders, a folder with train/ and test/, a CSV file
    of path,label or IDX files; or an empty set to be filled with add()."""

    def __init__(self, path: Path | None = None, *, context: Context | None = None,
                 progress: Progress = None, _pointer: int | None = None, **settings: Any) -> None:
        self.context = context or default_context()
        if _pointer is None:
            chosen = Options(self.context, settings)
            if path is None:
                _pointer = create(lib.ic_dataset_create, self.context, chosen)
            else:
                out = c_void_p()
                self.context.call(progress, lib.ic_dataset_open, self.context, path_bytes(path),
                                  chosen, byref(out))
                _pointer = out.value
        super().__init__(_pointer, lib.ic_dataset_free)

    def add(self, picture: Any, label: object) -> None:
        """Adds a picture: an Image, or what Image takes."""
        image = picture if isinstance(picture, Image) else Image(picture, self.context)
        check(lib.ic_dataset_add_image(self, image, str(label).encode()))

    def part(self, name: str) -> Dataset:
        """The part that the data declares: "train", "validation" or "test"."""
        pointer = create(lib.ic_dataset_part, self, name.encode())
        return Dataset(context=self.context, _pointer=pointer)

    def split(self, **settings: Any) -> tuple[Dataset, Dataset]:
        """(train, validation): stratified, by content."""
        train, validation = c_void_p(), c_void_p()
        check(lib.ic_dataset_split(self, Options(self.context, settings), byref(train),
                                   byref(validation)))
        return (Dataset(context=self.context, _pointer=train.value),
                Dataset(context=self.context, _pointer=validation.value))

    def plot_augmentation(self, path: Path, **settings: Any) -> None:
        """Draws what augmentation does to these pictures as .png or .svg; settings are those of a
        training."""
        check(lib.ic_dataset_plot_augmentation(self, Options(self.context, settings),
                                               path_bytes(path)))

    def __len__(self) -> int:
        return lib.ic_dataset_count(self)

    def __getitem__(self, index: int) -> tuple[str, str]:
        """(origin, class name) of one picture."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        origin, label, name = c_char_p(), c_int32(), c_char_p()
        check(lib.ic_dataset_item(self, index, byref(origin), byref(label)))
        check(lib.ic_dataset_class(self, label.value, byref(name), None))
        return os.fsdecode(origin.value), name.value.decode()

    @property
    def classes(self) -> dict[str, int]:
        """{class name: number of pictures}"""
        counts = {}
        for index in range(lib.ic_dataset_class_count(self)):
            name, count = c_char_p(), c_int64()
            check(lib.ic_dataset_class(self, index, byref(name), byref(count)))
            counts[name.value.decode()] = count.value
        return counts

    @property
    def broken(self) -> list[tuple[str, str]]:
        """[(path, reason)] of the pictures that were set aside."""
        listed = []
        for index in range(lib.ic_dataset_broken_count(self)):
            path, reason = c_char_p(), c_char_p()
            check(lib.ic_dataset_broken(self, index, byref(path), byref(reason)))
            listed.append((os.fsdecode(path.value), reason.value.decode(errors="replace")))
        return listed

    def summary(self) -> dict[str, Any]:
        """Counts, sizes, parts and broken pictures, as a dict."""
        return json_of(lib.ic_dataset_json, self)
