"""The classifier, in scikit-learn's manners."""

from __future__ import annotations

import collections
import ctypes
import functools
import os
import time
from ctypes import (POINTER, byref, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t,
                    c_void_p)
from typing import Any, Iterable, NamedTuple

from ._core import (Context, Error, Handle, Image, Options, Path, Progress, _Pointer, check, create,
                    default_context, json_of, lib, log, path_bytes, text_of)
from ._data import Dataset

DONE = 1
_context_settings = {"threads", "cpu_level", "precision", "max_file_mb", "max_side",
                     "max_megapixels"}


def _context_for(settings):
    """A context of its own for settings of a context, else the one that all share."""
    own = {name: value for name, value in settings.items() if name in _context_settings}
    return Context(own) if own else default_context()


def _as_list(pictures):
    """(a list of pictures, whether it was one picture): lists, tuples and 4-d arrays are many."""
    if isinstance(pictures, (list, tuple)):
        return list(pictures), False
    if getattr(pictures, "ndim", 0) == 4 and not isinstance(pictures, memoryview):
        return list(pictures), False
    return [pictures], True


def _plotting(training, path, progress):
    """progress, which also draws the curves now and then. What fails the first time is raised, as a
    wrong path is; later on a plot is not worth a training."""
    drawn = None

    def watch(event):
        nonlocal drawn
        if event.get("epoch_done") and (drawn is None or time.monotonic() - drawn >= 1):
            try:
                training.plot(path)
            except Error as error:
                if drawn is None:
                    raise
                log.warning("%s", error)
            drawn = time.monotonic()
        return progress is not None and progress(event)

    return watch


def _probabilities(prediction, index):
    values, count = POINTER(c_float)(), c_int32()
    check(lib.ic_prediction_probabilities(prediction, index, byref(values), byref(count)))
    return values[:count.value]


class Answer(NamedTuple):
    """What is said of one picture. unknown: it looks like none of the training pictures, as its score
    is beyond the threshold; all three are None where the model cannot tell. spread: how far the views
    of the picture, or the members of an ensemble, are apart about the probability."""

    label: str
    probability: float
    unknown: bool | None
    score: float | None
    threshold: float | None
    spread: float
    probabilities: list[float]


class Training(Handle):
    """A training under way, for programs with a loop of their own:

        training = classifier.training("photos/")
        while training.step():
            ...
    """

    def __init__(self, context: Context, pointer: int) -> None:
        self._context = context
        super().__init__(pointer, lib.ic_trainer_free)

    def step(self) -> bool:
        """At most one batch; False when the training is done."""
        return self._context.call(None, lib.ic_train_step, self) != DONE

    def run(self, progress: Progress = None, plot: Path | None = None) -> None:
        """To the end. progress(event) may return True to stop; the best epoch so far is kept.
        plot: a .png or .svg of the learning curves, drawn after each epoch, about once a second at
        most."""
        watch = progress if plot is None else _plotting(self, plot, progress)
        try:
            self._context.call(watch, lib.ic_trainer_run, self)
        except Error as error:
            if error.status != "IC_ERROR_CANCELLED":
                raise
        if plot is not None:
            try:
                self.plot(plot)
            except Error as error:
                if error.status != "IC_ERROR_STATE":  # stopped before the first epoch was over
                    raise

    def save(self, path: Path) -> None:
        """Writes the training as it stands, all or nothing: a checkpoint, for fit(resume=path). It is
        a model file, too."""
        check(lib.ic_trainer_save(self, path_bytes(path)))

    def plot(self, path: Path) -> None:
        """Draws the learning curves of the epochs done so far as .png or .svg; also from a progress
        function."""
        check(lib.ic_trainer_plot(self, path_bytes(path)))

    def find_rate(self, progress: Progress = None) -> float:
        """A learning rate that suits, by trying; the training then goes on as if nothing had been."""
        rate = c_double()
        self._context.call(progress, lib.ic_trainer_find_rate, self, byref(rate))
        return rate.value

    def value(self, name: str) -> float:
        """One number by its name: "epoch", "loss", "accuracy", "seconds_left"..."""
        value = c_double()
        check(lib.ic_trainer_value(self, name.encode(), byref(value)))
        return value.value


class Report(Handle):
    """How good a model is. The library's numbers are attributes (accuracy, auc, ece, mcc...); `data`
    holds everything, as a dict: intervals, confusion, per_class, pictures..."""

    def __init__(self, pointer: int, context: Context) -> None:
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
        if lib.ic_report_value(self, name.encode(), byref(value)) >= 0:
            return int(value.value) if name == "count" else value.value
        if name not in self.data:
            raise AttributeError(name)
        return self.data[name]

    @property
    def split(self) -> str:
        """The part that was measured: "train", "validation", "test" or "all"."""
        return lib.ic_report_split(self).decode()

    def interval(self, name: str, class_index: int | None = None) -> tuple[float, float]:
        """(low, high): the confidence interval of a number, or of a number of one class."""
        low, high = c_double(), c_double()
        if class_index is None:
            check(lib.ic_report_interval(self, name.encode(), byref(low), byref(high)))
        else:
            check(lib.ic_report_class_interval(self, class_index, name.encode(), byref(low),
                                               byref(high)))
        return low.value, high.value

    def curve(self, kind: str, class_index: int = 0) -> tuple[list, list, list]:
        """(x, y, third) of a curve: "roc": false and true positive rate, threshold;
        "precision_recall": recall, precision, threshold; "calibration" (of all classes): confidence,
        accuracy, share of the pictures. plt.plot(*report.curve("roc", 1)[:2]) draws one."""
        values, count = [POINTER(c_double)() for _ in range(3)], c_int64()
        check(lib.ic_report_curve(self, kind.encode(), class_index, *map(byref, values),
                                  byref(count)))
        return tuple(array[:count.value] for array in values)

    def operating_point(self, class_index: int, kind: str,
                        wanted: float) -> tuple[float, float, float]:
        """(threshold, sensitivity, specificity): where to cut a class's probability to have as much
        as wanted, 0..1, of "sensitivity", "specificity" or "precision"."""
        values = [c_double() for _ in range(3)]
        check(lib.ic_report_operating_point(self, class_index, kind.encode(), wanted,
                                            *map(byref, values)))
        return tuple(value.value for value in values)

    def pictures(self) -> list[dict[str, Any]]:
        """The measured pictures in the order of the data set: dicts of file, actual and predicted (by
        the order of classes_), probability, and the probabilities of all classes."""
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

    def compare(self, after: Report) -> dict[str, Any]:
        """This report against that of a later model on the same pictures: counts, accuracy_before
        and accuracy_after, McNemar's p_value, and the pictures of regressions and gains."""
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

    def __repr__(self) -> str:
        return f"<Report: {100 * self.accuracy:.2f} % of {self.count} pictures ({self.split})>"


class Explanation(Handle):
    """Where in a picture a classifier found a class: `label`, its `probability`, the `method`, and
    maps of values in 0..1, as memoryviews of floats [height][width], which numpy.asarray takes."""

    def __init__(self, pointer: int, classes: list[str]) -> None:
        super().__init__(pointer, lib.ic_explanation_free)
        index, probability = c_int32(), c_float()
        check(lib.ic_explanation_class(self, byref(index), byref(probability)))
        self.label: str = classes[index.value]
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
        return Image(_Pointer(create(lib.ic_explanation_image, self)))

    def save_png(self, path: Path) -> None:
        """Writes that image as a PNG file."""
        with self.image as image:
            image.save_png(path)

    def __repr__(self) -> str:
        return f"<Explanation: {self.label} {100 * self.probability:.1f} %, by {self.method}>"


class Classifier:
    """An image classifier. Keywords are the library's options (imgcls.options() lists them), such
    as epochs=10, network="resnet9", threads=2; what is not given is chosen from the data.

    Many threads may predict and evaluate with one classifier, also while another one trains it.
    Classifiers can be copied, pickled and cloned as scikit-learn does it; classes are texts."""

    _estimator_type = "classifier"

    def __init__(self, **settings: Any) -> None:
        for name in settings:
            if name.startswith("_"):
                raise ValueError(f"no such option: {name}")
        self._settings = settings
        self._context = _context_for(settings)
        Options(self._context, settings)  # wrong names and values show now
        self._model: Handle | None = None
        self._predictions: collections.deque[Handle] = collections.deque()  # idle workspaces

    # Training

    def _data(self, data, labels, progress):
        if isinstance(data, Dataset):
            return data
        if labels is None:
            return Dataset(data, context=self._context, progress=progress, **self._settings)
        data, labels = list(data), list(labels)
        if len(data) != len(labels):
            raise ValueError(f"{len(data)} pictures but {len(labels)} labels")
        dataset = Dataset(context=self._context, **self._settings)
        for picture, label in zip(data, labels):
            dataset.add(picture, label)
        return dataset

    def _begin(self, train, held_out, start, chosen, progress):
        """(model, trainer) of a training from the start, or from what another model has learnt."""
        out = c_void_p()
        if start is None:
            self._context.call(progress, lib.ic_model_create, self._context, train, chosen,
                               byref(out))
        else:
            earlier = self._open(start.to_bytes() if isinstance(start, Classifier) else start)
            check(lib.ic_model_create_from(earlier, train, chosen, byref(out)))
        model = Handle(out.value, lib.ic_model_free)
        return model, create(lib.ic_trainer_create, model, train, held_out, chosen)

    def _resume(self, path, train, held_out, chosen):
        """(model, trainer) as a checkpoint has them."""
        model, trainer = c_void_p(), c_void_p()
        check(lib.ic_trainer_resume(self._context, path_bytes(path), train, held_out, chosen,
                                    byref(model), byref(trainer)))
        return Handle(model.value, lib.ic_model_free), trainer.value

    def training(self, data: Any, labels: Iterable[Any] | None = None, *, validation: Any = None,
                 start: Classifier | Path | bytearray | None = None, resume: Path | None = None,
                 progress: Progress = None) -> Training:
        """Prepares a training that the caller steps: see Training; the arguments are those of fit."""
        if start is not None and resume is not None:
            raise ValueError("start is for a new training, resume for one that was interrupted: "
                             "give one of them")
        chosen = Options(self._context, self._settings)
        train = self._data(data, labels, progress)
        held_out = None if validation is None else self._data(validation, None, progress)
        if resume is not None:  # held out is what the checkpoint says
            model, pointer = self._resume(resume, train, held_out, chosen)
        else:
            if held_out is None:
                train, held_out = train.split(**self._settings)
            model, pointer = self._begin(train, held_out, start, chosen, progress)
        self._model = model
        return Training(self._context, pointer)

    def fit(self, data: Any, labels: Iterable[Any] | None = None, *, validation: Any = None,
            start: Classifier | Path | bytearray | None = None, resume: Path | None = None,
            progress: Progress = None, plot: Path | None = None) -> Classifier:
        """Trains on a folder (or another data set), or on pictures with their labels; validation:
        a folder or Dataset to measure on after each epoch, else a part of data is held out.
        start: a trained classifier, or the file of one, whose weights are the first (fine-tuning);
        classes of the same name are kept. resume: a checkpoint of an interrupted training on the
        same pictures; its settings hold, and the result is the same in every bit.
        progress(event) gets dicts with phase, epoch, loss, seconds_left...; True stops. plot: a .png
        or .svg of the learning curves, drawn after each epoch, to be watched."""
        with self.training(data, labels, validation=validation, start=start, resume=resume,
                           progress=progress) as training:
            training.run(progress, plot)
        return self

    # Files

    def _open(self, source):
        if isinstance(source, (bytes, bytearray)):
            data = bytes(source)
            pointer = create(lib.ic_model_load_memory, self._context, data, len(data))
        else:
            pointer = create(lib.ic_model_load, self._context, path_bytes(source))
        return Handle(pointer, lib.ic_model_free)

    def _ready(self):
        if self._model is None:
            raise RuntimeError("this classifier is not trained yet: call fit, or load a model")
        return self._model

    @classmethod
    def load(cls, source: Path | bytearray, **settings: Any) -> Classifier:
        """A classifier from a model file (a path), or from the bytes of one."""
        self = cls(**settings)
        self._model = self._open(source)
        return self

    def save(self, path: Path) -> Classifier:
        """Writes the model file, all or nothing."""
        check(lib.ic_model_save(self._ready(), path_bytes(path)))
        return self

    def to_bytes(self) -> bytes:
        """What save would write."""
        model, size = self._ready(), c_size_t()
        check(lib.ic_model_save_memory(model, None, 0, byref(size)))
        buffer = ctypes.create_string_buffer(size.value)
        check(lib.ic_model_save_memory(model, buffer, size, byref(size)))
        return buffer.raw

    def __getstate__(self):
        return {"settings": self._settings,
                "model": self.to_bytes() if self._model is not None else None}

    def __setstate__(self, state):
        self.__init__(**state["settings"])
        if state["model"] is not None:
            self._model = self._open(state["model"])

    # Use

    def _images(self, pictures):
        return [p if isinstance(p, Image) else Image(p, self._context) for p in pictures]

    def _predict(self, pictures, views, others, read):
        """read(prediction, index) of each picture. A prediction serves one thread at a time: an idle
        one is taken, or a new one made."""
        models = [self._ready()] + [other._ready() for other in others]
        if not pictures:
            return []
        images = self._images(pictures)
        handles = (c_void_p * len(images))(*[image._as_parameter_.value for image in images])
        members = (c_void_p * len(models))(*[model._as_parameter_.value for model in models])
        try:
            prediction = self._predictions.pop()
        except IndexError:
            prediction = Handle(create(lib.ic_prediction_create, self._context),
                                lib.ic_prediction_free)
        check(lib.ic_prediction_set_views(prediction, views))
        if others:
            check(lib.ic_predict_ensemble(members, len(models), handles, len(images), prediction))
        else:
            check(lib.ic_predict_batch(models[0], handles, len(images), prediction))
        results = [read(prediction, index) for index in range(len(images))]
        self._predictions.append(prediction)
        return results

    def _rows(self, pictures, views):
        return self._predict(pictures, views, (), _probabilities)

    def predict_proba(self, pictures: Any, *, views: int = 1) -> Any:
        """The probabilities in the order of classes_: of one picture, or a list of such for a list
        (or a 4-d array) of pictures. A picture is an Image, or what Image takes. views: 2 averages
        with the mirror image, 6 over shifts by a pixel, too (where training mirrored pictures)."""
        pictures, single = _as_list(pictures)
        rows = self._rows(pictures, views)
        return rows[0] if single else rows

    def predict(self, pictures: Any, *, views: int = 1) -> Any:
        """The most probable class of a picture, or a list of them for a list of pictures; views as
        in predict_proba."""
        pictures, single = _as_list(pictures)
        names = self.classes_
        best = [names[row.index(max(row))] for row in self._rows(pictures, views)]
        return best[0] if single else best

    def top(self, picture: Any, count: int = 5, *, views: int = 1) -> list[tuple[str, float]]:
        """[(class, probability)] of one picture, the most probable first; views as in
        predict_proba."""
        row = self.predict_proba(picture, views=views)
        ranked = sorted(zip(self.classes_, row), key=lambda pair: -pair[1])
        return ranked[:count]

    def explain(self, picture: Any, label: str = "", *, method: str = "auto",
                progress: Progress = None) -> Explanation:
        """What in a picture speaks for a class: label, or else the most probable one. method:
        "gradcam", "occlusion", or "auto", the better one of them."""
        image, out = self._images([picture])[0], c_void_p()
        chosen = Options(self._context, {"class": label, "method": method})
        self._context.call(progress, lib.ic_explain, self._ready(), image, chosen, byref(out))
        return Explanation(out.value, self.classes_)

    def answer(self, pictures: Any, *, views: int = 1,
               others: Iterable[Classifier] = ()) -> Any:
        """All that is said of a picture, as an Answer, or a list of them for a list of pictures.
        others: classifiers of the same classes (and in the same context) that are asked, too: an
        ensemble, whose probabilities are averaged; views as in predict_proba."""
        pictures, single = _as_list(pictures)
        names = self.classes_

        def read(prediction, index):
            row = _probabilities(prediction, index)
            best = row.index(max(row))
            score, threshold, spread = c_float(), c_float(), c_float()
            check(lib.ic_prediction_spread(prediction, index, byref(spread)))
            if lib.ic_prediction_unknown(prediction, index, byref(score), byref(threshold)) < 0:
                return Answer(names[best], row[best], None, None, None, spread.value, row)
            return Answer(names[best], row[best], score.value > threshold.value, score.value,
                          threshold.value, spread.value, row)

        answers = self._predict(pictures, views, list(others), read)
        return answers[0] if single else answers

    def evaluate(self, data: Any, labels: Iterable[Any] | None = None, *, progress: Progress = None,
                 **settings: Any) -> Report:
        """Measures on a folder, a Dataset, or pictures with their labels: by default on those that
        the training has not seen (split="auto"); views as in predict_proba."""
        dataset = self._data(data, labels, progress)
        out = c_void_p()
        self._context.call(progress, lib.ic_evaluate, self._ready(), dataset,
                           Options(self._context, settings), byref(out))
        return Report(out.value, self._context)

    def score(self, data: Any, labels: Iterable[Any] | None = None) -> float:
        """The accuracy, 0..1."""
        return self.evaluate(data, labels).accuracy

    # Facts

    @property
    def classes_(self) -> list[str]:
        """The names of the classes, in the order of predict_proba."""
        model = self._ready()
        return [lib.ic_model_class_name(model, i).decode()
                for i in range(lib.ic_model_class_count(model))]

    @property
    def info(self) -> dict[str, Any]:
        """What the model is and how it was made, as a dict."""
        return json_of(lib.ic_model_json, self._ready())

    @property
    def flags(self) -> str:
        """The options that repeat the training exactly, as flags of the imgcls command."""
        return text_of(lib.ic_model_flags, self._ready())

    @property
    def history(self) -> list[dict[str, Any]]:
        """One dict an epoch: epoch, train_loss, validation_accuracy..."""
        return (self.info.get("training") or {}).get("epochs", [])

    def plot_history(self, path: Path) -> None:
        """Draws the learning curves as .png or .svg."""
        check(lib.ic_model_plot_history(self._ready(), path_bytes(path)))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings that were given."""
        return dict(self._settings)

    def set_params(self, **settings: Any) -> Classifier:
        """Changes settings for the next fit."""
        Options(self._context, settings)
        model = self.to_bytes() if self._model is not None else None
        self.__setstate__({"settings": {**self._settings, **settings}, "model": model})
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return self._model is not None

    def __sklearn_tags__(self):
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(estimator_type="classifier", target_tags=TargetTags(required=False),
                    classifier_tags=ClassifierTags(),
                    input_tags=InputTags(two_d_array=False, three_d_array=True, string=True))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self._settings.items())
        return f"Classifier({given})"
