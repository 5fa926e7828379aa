"""How good a model is."""

from __future__ import annotations

import functools
import os
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int32, c_int64
from typing import Any, NamedTuple

from ._core import (Context, Handle, Options, Path, Pointer, Progress, check, class_index,
                    class_list, create, json_of, lib, path_bytes, text_bytes)


class LabelError(NamedTuple):
    """A picture that is filed under the class label and likely belongs to suggested. margin: the
    probability of suggested less that of label."""

    file: str
    label: str
    suggested: str
    margin: float


class Report(Handle):
    """How good a model is. The library's numbers are attributes (accuracy, auc, ece, mcc...);
    `data` holds everything, as a dict: intervals, confusion, per_class, pictures... Where a method
    asks for a class it takes its name, or its index in classes."""

    def __init__(self, pointer: Pointer, context: Context) -> None:
        super().__init__(pointer, lib.ic_report_free)
        self._context = context

    @functools.cached_property
    def data(self) -> dict[str, Any]:
        """Everything; made when first looked at, as the intervals in it take time."""
        return json_of(lib.ic_report_json, self)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = c_double()
        if lib.ic_report_value(self, text_bytes(name), byref(value)) >= 0:
            return int(value.value) if name == "count" else value.value
        if name not in self.data:
            raise AttributeError(f"a Report has no {name!r}: see report.data")
        return self.data[name]

    @property
    def split(self) -> str:
        """The part that was measured: "train", "validation", "test", "all", or "folds" (of a
        cross-validation)."""
        return lib.ic_report_split(self).decode()

    @property
    def split_meaning(self) -> str:
        """What is known of that part, such as "held out from training"."""
        return lib.ic_report_split_meaning(self).decode()

    @property
    def classes(self) -> list[str]:
        """The names of the classes, by whose order all else counts them."""
        return [lib.ic_report_class_name(self, index).decode()
                for index in range(lib.ic_report_class_count(self))]

    def _index(self, which):
        return class_index(self.classes, which)

    def decision(self, actual: int | str, called: int | str) -> int:
        """Pictures of class actual that are called `called` by the costs of mistakes that the model
        keeps; decision_accuracy and decision_cost are attributes."""
        count = c_int64()
        check(lib.ic_report_decision(self, self._index(actual), self._index(called),
                                     byref(count)))
        return count.value

    def decide(self) -> None:
        """Decides anew, by the costs that the model keeps now."""
        check(lib.ic_report_decide(self))
        self.__dict__.pop("data", None)

    def interval(self, name: str, class_index: int | str | None = None) -> tuple[float, float]:
        """(low, high): the confidence interval of a number, or of a number of one class."""
        low, high = c_double(), c_double()
        if class_index is None:
            check(lib.ic_report_interval(self, text_bytes(name), byref(low), byref(high)))
        else:
            check(lib.ic_report_class_interval(self, self._index(class_index), text_bytes(name),
                                               byref(low), byref(high)))
        return low.value, high.value

    def curve(self, kind: str, class_index: int | str = 0) -> tuple[list, list, list]:
        """(x, y, third) of a curve: "roc": false and true positive rate, threshold;
        "precision_recall": recall, precision, threshold; "calibration" (of all classes): confidence,
        accuracy, share of the pictures. plt.plot(*report.curve("roc", 1)[:2]) draws one."""
        values, count = [POINTER(c_double)() for _ in range(3)], c_int64()
        check(lib.ic_report_curve(self, text_bytes(kind), self._index(class_index),
                                  *map(byref, values), byref(count)))
        return tuple(array[:count.value] for array in values)

    def operating_point(self, class_index: int | str, kind: str,
                        wanted: float) -> tuple[float, float, float]:
        """(threshold, sensitivity, specificity): where to cut a class's probability to have as much
        as wanted, 0..1, of "sensitivity", "specificity" or "precision"."""
        values = [c_double() for _ in range(3)]
        check(lib.ic_report_operating_point(self, self._index(class_index), text_bytes(kind),
                                            float(wanted), *map(byref, values)))
        return tuple(value.value for value in values)

    def pictures(self) -> list[dict[str, Any]]:
        """The measured pictures in the order of the data set: dicts of file, actual and predicted
        (by the order of classes), probability, and the probabilities of all classes."""
        origin, actual, predicted, probability = c_char_p(), c_int32(), c_int32(), c_float()
        row, classes, rows = POINTER(c_float)(), c_int32(), []
        for index in range(self.count):
            check(lib.ic_report_picture(self, index, byref(origin), byref(actual),
                                        byref(predicted), byref(probability)))
            check(lib.ic_report_probabilities(self, index, byref(row), byref(classes)))
            rows.append({"file": os.fsdecode(origin.value), "actual": actual.value,
                         "predicted": predicted.value, "probability": probability.value,
                         "probabilities": row[:classes.value]})
        return rows

    @property
    def fold_count(self) -> int:
        """The number of models that a cross-validation has measured; 0 of other reports."""
        return lib.ic_report_fold_count(self)

    def fold_value(self, fold: int, name: str) -> float:
        """A number ("accuracy", "auc"...) over the pictures of one fold of a cross-validation."""
        value = c_double()
        check(lib.ic_report_fold_value(self, fold, text_bytes(name), byref(value)))
        return value.value

    @property
    def folds(self) -> list[dict[str, Any]]:
        """All numbers of each fold of a cross-validation by their names; what is not defined there
        is None. Empty for other reports."""
        return self.data.get("folds", [])

    def label_errors(self) -> list[LabelError]:
        """The pictures whose labels are likely wrong, the surest first. The model must not have
        trained on them: see Dataset.cross_validate."""
        count, listed = c_int64(), []
        check(lib.ic_report_label_error_count(self, byref(count)))
        origin, label, suggested, margin = c_char_p(), c_int32(), c_int32(), c_double()
        names = self.classes
        for index in range(count.value):
            check(lib.ic_report_label_error(self, index, byref(origin), byref(label),
                                            byref(suggested), byref(margin)))
            listed.append(LabelError(os.fsdecode(origin.value), names[label.value],
                                     names[suggested.value], margin.value))
        return listed

    def compare(self, after: Report) -> dict[str, Any]:
        """This report against that of a later model on the same pictures: counts, accuracy_before
        and accuracy_after, McNemar's p_value, and the pictures of regressions and gains."""
        if not isinstance(after, Report):
            raise TypeError(f"compare takes a Report, not {after!r}")
        pointer = create(lib.ic_report_compare, self, after)
        with Handle(pointer, lib.ic_comparison_free) as comparison:
            return json_of(lib.ic_comparison_json, comparison)

    def plot_confusion(self, path: Path) -> None:
        """Draws the confusion matrix as .png or .svg."""
        check(lib.ic_report_plot_confusion(self, path_bytes(path)))

    def save_html(self, path: Path, *, progress: Progress = None, **settings: Any) -> None:
        """Writes the report as one HTML page that needs nothing else: figures, curves, and the
        mistakes with their pictures; method is that of the heat maps, as in explain."""
        self._context.call(progress, lib.ic_report_save_html, self,
                           Options(self._context, settings), path_bytes(path))

    _instead = "; keep its data or pictures(), or save_html"

    def _about(self):
        return (f"{100 * self.accuracy:.2f} % of {self.count} pictures ({self.split}) of "
                f"{class_list(self.classes)}")
