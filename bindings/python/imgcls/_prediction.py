"""What a classifier says of pictures, and why."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_float, c_int32, c_int64
from typing import Any, NamedTuple

from ._core import Handle, Path, Pointer, check, create, lib
from ._image import Image, image_of


def probabilities(prediction, index):
    values, count = POINTER(c_float)(), c_int32()
    check(lib.ic_prediction_probabilities(prediction, index, byref(values), byref(count)))
    return values[:count.value]


class Answer(NamedTuple):
    """What is said of one picture. unknown: it looks like none of the training pictures, as its
    score is beyond the threshold; all three are None where the model cannot tell. spread: how far
    the views of the picture, or the members of an ensemble, are apart about the probability."""

    label: Any
    probability: float
    unknown: bool | None
    score: float | None
    threshold: float | None
    spread: float
    probabilities: list[float]


def read_answer(prediction, index, names):
    """The Answer about one picture of a prediction."""
    row = probabilities(prediction, index)
    best = row.index(max(row))
    score, threshold, spread = c_float(), c_float(), c_float()
    check(lib.ic_prediction_spread(prediction, index, byref(spread)))
    if lib.ic_prediction_unknown(prediction, index, byref(score), byref(threshold)) < 0:
        return Answer(names[best], row[best], None, None, None, spread.value, row)
    return Answer(names[best], row[best], score.value > threshold.value, score.value,
                  threshold.value, spread.value, row)


class Explanation(Handle):
    """Where in a picture a classifier found a class: `label`, its `probability`, the `method`, and
    maps of values in 0..1, as memoryviews of floats [height][width], which numpy.asarray takes."""

    def __init__(self, pointer: Pointer, classes: list[Any]) -> None:
        super().__init__(pointer, lib.ic_explanation_free)
        index, probability = c_int32(), c_float()
        check(lib.ic_explanation_class(self, byref(index), byref(probability)))
        self.label: Any = classes[index.value]
        self.probability: float = probability.value
        self.method: str = lib.ic_explanation_method(self).decode()

    def _read(self, function):
        values, width, height = POINTER(c_float)(), c_int32(), c_int32()
        check(function(self, byref(values), byref(width), byref(height)))
        shape = (height.value, width.value)
        data = ctypes.string_at(values, 4 * shape[0] * shape[1])
        return memoryview(data).cast("f", shape)

    @property
    def map(self) -> memoryview:
        """How much each pixel of the picture speaks for the class; 0 where the network has not
        looked."""
        return self._read(lib.ic_explanation_map)

    @property
    def tensor_map(self) -> memoryview:
        """The same of what the network sees, after the pixel pipeline."""
        return self._read(lib.ic_explanation_tensor_map)

    @property
    def image(self) -> Image:
        """The map as colours over the picture in grey."""
        return Image(create(lib.ic_explanation_image, self))

    def save_png(self, path: Path) -> None:
        """Writes that image as a PNG file."""
        with self.image as image:
            image.save_png(path)

    def _about(self):
        return f"{self.label} {100 * self.probability:.1f} %, by {self.method}"


class Neighbours(Handle):
    """The pictures of a Dataset by what a classifier finds in them: see Classifier.neighbours."""

    def __init__(self, pointer: Pointer, dataset: Any, model: Handle) -> None:
        super().__init__(pointer, lib.ic_neighbours_free)
        self._dataset, self._model = dataset, model

    def _about(self):
        return f"of {len(self._dataset)} pictures"

    def find(self, picture: Any, count: int = 5) -> list[tuple[str, str, float]]:
        """[(file, class, similarity)] of the pictures most alike, the first one first; similarity:
        the cosine of the angle between their features, 1 for the same."""
        count = min(count, len(self._dataset))
        indices, similarities, found = (c_int64 * count)(), (c_float * count)(), c_int32()
        check(lib.ic_neighbours_find(self, image_of(picture, self._dataset.context, self._model),
                                     count, indices, similarities, byref(found)))
        return [(*self._dataset[indices[i]], similarities[i]) for i in range(found.value)]
