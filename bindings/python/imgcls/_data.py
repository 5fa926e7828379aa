"""Labelled pictures."""

from __future__ import annotations

import os
from ctypes import byref, c_char_p, c_int32, c_int64, c_void_p
from typing import Any

from ._core import (Context, Handle, Options, Path, Pointer, Progress, check, class_list,
                    context_for, create, json_of, known_context, lib, log, path_bytes, text_bytes,
                    without_context)
from ._image import Image, image_of
from ._report import Report


class Dataset(Handle):
    """Labelled pictures from a folder of class folders, a folder with train/ and test/, a CSV file
    of path,label or IDX files; or an empty set to be filled with add()."""

    def __init__(self, path: Path | None = None, *, context: Context | None = None,
                 progress: Progress = None, _pointer: Pointer | None = None,
                 **settings: Any) -> None:
        if context is not None and len(without_context(settings)) < len(settings):
            raise TypeError("threads, limits and the like are settings of the context that is given")
        self.context = context_for(settings) if context is None else known_context(context)
        if _pointer is None:
            chosen = Options(self.context, settings)
            if path is None:
                _pointer = create(lib.ic_dataset_create, self.context, chosen)
            else:
                _pointer = self.context.make(progress, lib.ic_dataset_open, self.context,
                                             path_bytes(path), chosen)
        super().__init__(_pointer, lib.ic_dataset_free)

    def add(self, picture: Any, label: object, group: object = "") -> None:
        """Adds a picture: an Image, or what Image takes. Of a path only the path is kept, and a file
        that cannot be read is set aside: see broken; the log warns. Pictures of one group (a
        patient, say) stay on one side of every split."""
        name, before = text_bytes(label), len(self)
        if isinstance(picture, (str, os.PathLike)):
            check(lib.ic_dataset_add_file(self, path_bytes(picture), name))
            if len(self) == before:
                log.warning("%s is set aside: %s",
                            *self._set_aside(lib.ic_dataset_broken_count(self) - 1))
                return
        else:
            check(lib.ic_dataset_add_image(self, image_of(picture, self.context), name))
        if str(group):
            check(lib.ic_dataset_set_group(self, len(self) - 1, text_bytes(group)))

    def image(self, index: int) -> Image:
        """One picture, as it is in memory or read from its file."""
        return Image(create(lib.ic_dataset_image, self, index))

    def group(self, index: int) -> int:
        """The number of a picture's group; 0: it belongs to none."""
        number = c_int64()
        check(lib.ic_dataset_group(self, index, byref(number)))
        return number.value

    def part(self, name: str) -> Dataset:
        """The part that the data declares: "train", "validation" or "test"."""
        pointer = create(lib.ic_dataset_part, self, text_bytes(name))
        return Dataset(context=self.context, _pointer=pointer)

    def split(self, **settings: Any) -> tuple[Dataset, Dataset]:
        """(train, validation): stratified, by content; copies and groups stay together."""
        return self._parted(lib.ic_dataset_split, Options(self.context, settings))

    def fold(self, folds: int, index: int, **settings: Any) -> tuple[Dataset, Dataset]:
        """(train, validation) of fold `index` of k-fold cross-validation; folds=0: repeated hold-out,
        any index."""
        return self._parted(lib.ic_dataset_fold, Options(self.context, settings), folds, index)

    def _parted(self, function, *arguments):
        train, validation = c_void_p(), c_void_p()
        check(function(self, *arguments, byref(train), byref(validation)))
        return (Dataset(context=self.context, _pointer=Pointer(train.value)),
                Dataset(context=self.context, _pointer=Pointer(validation.value)))

    def inspect(self, *, progress: Progress = None, **settings: Any) -> Inspection:
        """Looks for duplicates, leaks between parts, broken files, small classes and more;
        duplicates="exact" is quick."""
        chosen = Options(self.context, settings)
        return Inspection(self.context,
                          self.context.make(progress, lib.ic_dataset_inspect, self, chosen))

    def cross_validate(self, *, progress: Progress = None, **settings: Any) -> Report:
        """Trains models, each on all folds but one (folds=5, repeats=1), and measures each on the
        pictures that it has not seen: one Report over all of them. Settings are those of Classifier
        and evaluate."""
        chosen = Options(self.context, settings)
        return Report(self.context.make(progress, lib.ic_cross_validate, self, chosen),
                      self.context)

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
        return [self._set_aside(index) for index in range(lib.ic_dataset_broken_count(self))]

    def _set_aside(self, index):
        path, reason = c_char_p(), c_char_p()
        check(lib.ic_dataset_broken(self, index, byref(path), byref(reason)))
        return os.fsdecode(path.value), reason.value.decode(errors="replace")

    def summary(self) -> dict[str, Any]:
        """Counts, sizes, parts and broken pictures, as a dict."""
        return json_of(lib.ic_dataset_json, self)

    _instead = "; give its path, and open it where it is needed"

    def _about(self):
        broken = lib.ic_dataset_broken_count(self)
        return (f"{len(self)} pictures of {class_list(list(self.classes))}"
                + (f"; {broken} set aside" if broken else ""))


class Inspection(Handle):
    """What is wrong with a data set. `data` holds everything."""

    def __init__(self, context: Context, pointer: Pointer) -> None:
        self._context = context
        super().__init__(pointer, lib.ic_inspection_free)
        self.data: dict[str, Any] = json_of(lib.ic_inspection_json, self)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found: dicts of kind, text, advice and examples, the gravest first."""
        return self.data["findings"]

    @property
    def pairs(self) -> list[dict[str, Any]]:
        """The duplicates: dicts of first and second (paths), kind ("exact" or "near"), mirrored,
        across_parts, across_classes and score."""
        return self.data["pairs"]

    def plot(self, what: str, path: Path, **settings: Any) -> None:
        """Draws "classes" (their means, and pictures as the network sees them) or "duplicates" as .png
        or .svg."""
        check(lib.ic_inspection_plot(self, Options(self._context, settings), text_bytes(what),
                                     path_bytes(path)))

    def _about(self):
        kinds = ", ".join(finding["kind"] for finding in self.findings) or "nothing"
        return f"{self.data['count']} pictures; {kinds}"
