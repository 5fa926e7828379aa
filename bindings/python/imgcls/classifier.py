"""The classifier, in scikit-learn's manners."""

from __future__ import annotations

import collections
import ctypes
import itertools
import os
from ctypes import byref, c_double, c_float, c_int32, c_size_t, c_void_p
from typing import Any, Iterable, Union

from ._core import (Error, Handle, InvalidError, Options, Path, Pointer, Progress, about, at_work,
                    check, class_index, class_list, context_for, create, json_of, lib, path_bytes,
                    text_of, without_context)
from ._data import Dataset
from ._image import Image, image_of
from ._pictures import several
from ._prediction import Explanation, Neighbours, probabilities, read_answer
from ._report import Report
from ._training import Training

Source = Union[str, "os.PathLike[str]", bytes, bytearray]  # a model's file, or the bytes of one

# Of several pictures so many are read, then predicted together: the library's own batch.
_at_once = 16


class _Model(Handle):
    """A model, and the labels {name: label} that its classes were trained by."""

    def __init__(self, pointer):
        super().__init__(pointer, lib.ic_model_free)
        self.labels = {}

    @property
    def names(self):
        return [lib.ic_model_class_name(self, index).decode()
                for index in range(lib.ic_model_class_count(self))]

    @property
    def classes(self):
        """The labels that fit was given, or the names of folders and of loaded models."""
        return _Classes(self.labels.get(name, name) for name in self.names)

    @property
    def costs(self):
        count = lib.ic_model_class_count(self)
        flat = (c_double * (count * count))()
        if lib.ic_model_costs(self, flat) < 0:
            return None
        return [flat[row * count:(row + 1) * count] for row in range(count)]


class _Classes(list):
    """What scikit-learn does with classes_ for a binary score, it does with arrays."""

    def tolist(self):
        return list(self)


def _listed(labels):
    """Labels as plain Python has them: those of torch, say, would have names of their own."""
    return [label.tolist() if hasattr(label, "tolist") else label for label in labels]


def _by_name(labels):
    """{name of its class: label}"""
    found = {}
    for label in labels:
        if found.setdefault(str(label), label) != label:
            raise ValueError(f"the labels {found[str(label)]!r} and {label!r} would be one class: "
                             f"{str(label)!r}")
    return found


class Classifier:
    """An image classifier. Keywords are the library's options (imgcls.options() lists them), such
    as epochs=10, network="resnet9", threads=2; what is not given is chosen from the data.

    Many threads may predict and evaluate with one classifier, also while another one trains it: one
    that is trained anew answers as it did until the new training's first epoch is over.
    Classifiers can be copied, pickled and cloned as scikit-learn does it. Classes are texts, but for
    one that was fitted with labels of another kind: it answers with these. In a model file are
    texts."""

    _estimator_type = "classifier"

    def __init__(self, **settings: Any) -> None:
        for name in settings:
            if name.startswith("_"):
                raise ValueError(f"no such option: {name}")
        self._settings = settings
        self._context = context_for(settings)
        Options(self._context, settings)  # wrong names and values show now
        self._model: _Model | None = None
        self._predictions: collections.deque[Handle] = collections.deque()  # idle workspaces

    # Training

    def _data(self, data, labels, progress):
        whole = isinstance(data, (Dataset, str, bytes, os.PathLike))
        if whole and labels is not None:
            raise TypeError("labels are for a list of pictures: a folder or a Dataset has its own")
        if not whole and labels is None:
            raise TypeError("pictures need their labels: give (pictures, labels), or else a folder "
                            "of class folders or a Dataset")
        if isinstance(data, Dataset):
            return data
        if whole:
            return Dataset(data, context=self._context, progress=progress,
                           **without_context(self._settings))
        data, labels = list(data), _listed(labels)
        if len(data) != len(labels):
            raise ValueError(f"{len(data)} pictures but {len(labels)} labels")
        dataset = Dataset(context=self._context, **without_context(self._settings))
        for index, (picture, label) in enumerate(zip(data, labels)):
            try:
                dataset.add(picture, label)
            except Exception as error:
                about(error, index)
                raise
        if not len(dataset) and dataset.broken:
            file, reason = dataset.broken[0]
            raise InvalidError(-9, f"none of the {len(data)} pictures can be read; the first: "
                                   f"{file}: {reason}")
        return dataset

    def _held_out(self, validation, progress):
        if not isinstance(validation, (tuple, list)):
            return self._data(validation, None, progress)
        if len(validation) != 2:
            raise TypeError("validation is a folder, a Dataset or (pictures, labels)")
        return self._data(*validation, progress)

    def _begin(self, train, held_out, start, chosen, progress):
        """(model, trainer) of a training from the start, or from what another model has learnt."""
        if start is None:
            made = self._context.make(progress, lib.ic_model_create, self._context, train, chosen)
        else:
            earlier = self._open(start.to_bytes() if isinstance(start, Classifier) else start)
            made = self._context.make(progress, lib.ic_model_create_from, earlier, train, chosen)
        model = _Model(made)
        return model, self._context.make(progress, lib.ic_trainer_create, model, train, held_out,
                                         chosen)

    def _resume(self, path, train, held_out, chosen, progress):
        """(model, trainer) as a checkpoint has them."""
        model, trainer = c_void_p(), c_void_p()
        self._context.call(progress, lib.ic_trainer_resume, self._context, path_bytes(path), train,
                           held_out, chosen, byref(model), byref(trainer))
        return _Model(Pointer(model.value)), Pointer(trainer.value)

    def training(self, data: Any, labels: Iterable[Any] | None = None, *, validation: Any = None,
                 start: Classifier | Source | None = None, resume: Path | None = None,
                 progress: Progress = None) -> Training:
        """Prepares a training that the caller steps: see Training; the arguments are those of fit."""
        if start is not None and resume is not None:
            raise ValueError("start is for a new training, resume for one that was interrupted: "
                             "give one of them")
        chosen = Options(self._context, self._settings)
        labels = None if labels is None else _listed(labels)
        by_name = _by_name(labels or ())
        train = self._data(data, labels, progress)
        held_out = None if validation is None else self._held_out(validation, progress)
        if resume is not None:  # held out is what the checkpoint says
            model, pointer = self._resume(resume, train, held_out, chosen, progress)
        else:
            if held_out is None:
                train, held_out = train.split(**self._settings)
            model, pointer = self._begin(train, held_out, start, chosen, progress)
        model.labels = by_name
        if self._model is None:
            self._model = model
        return Training(self._context, pointer, lambda: setattr(self, "_model", model))

    def fit(self, data: Any, labels: Iterable[Any] | None = None, *, validation: Any = None,
            start: Classifier | Source | None = None, resume: Path | None = None,
            progress: Progress = None, plot: Path | None = None, verbose: bool = False,
            **settings: Any) -> Classifier:
        """Trains on a folder (or another data set), or on pictures with their labels, of which files
        that cannot be read are set aside, as those of folders are; validation: a folder, a Dataset
        or (pictures, labels) to measure on after each epoch, else a part of data is held out.
        start: a trained classifier, or the file of one, whose weights are the first (fine-tuning);
        classes of the same name are kept. resume: a checkpoint of an interrupted training on the
        same pictures; its settings hold, and the result is the same in every bit.
        progress(event) gets dicts with phase, epoch, loss, seconds_left...; True stops. plot: a .png
        or .svg of the learning curves, drawn after each epoch, to be watched. verbose: prints a line
        after each epoch to stderr; the log has it in any case, as INFO."""
        if settings:
            name = next(iter(settings))
            raise TypeError(f"options go to the classifier: Classifier({name}={settings[name]!r}), or "
                            f"set_params({name}=...)")
        with self.training(data, labels, validation=validation, start=start, resume=resume,
                           progress=progress) as training:
            training.run(progress, plot, verbose)
        return self

    # Files

    def _open(self, source):
        try:
            if isinstance(source, (bytes, bytearray)):
                return _Model(create(lib.ic_model_load_memory, self._context, bytes(source),
                                     len(source)))
            return _Model(create(lib.ic_model_load, self._context, path_bytes(source)))
        except Error as error:
            if error.status == "IC_ERROR_FORMAT":
                error.args = (f"{error}. This is not a model, or a damaged one: give the file that "
                              f"fit(...).save wrote",)
            raise

    def _ready(self):
        if self._model is None:
            raise RuntimeError("this classifier is not trained yet: call fit, or load a model")
        return self._model

    @classmethod
    def load(cls, source: Source, **settings: Any) -> Classifier:
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
                "model": self.to_bytes() if self._model is not None else None,
                "labels": self._model.labels if self._model is not None else None}

    def __setstate__(self, state):
        self.__init__(**state["settings"])
        if state["model"] is not None:
            self._model = self._open(state["model"])
            self._model.labels = state.get("labels") or {}

    # Use

    def _ask(self, models, images, views, read):
        """read(prediction, index) of each picture. A prediction serves one thread at a time: an idle
        one is taken, or a new one made."""
        try:
            prediction = self._predictions.pop()
        except IndexError:
            prediction = Handle(create(lib.ic_prediction_create, self._context),
                                lib.ic_prediction_free)
        check(lib.ic_prediction_set_views(prediction, views))
        with at_work(images) as pictures, at_work(models) as members:
            handles = (c_void_p * len(images))(*pictures)
            if len(models) > 1:
                check(lib.ic_predict_ensemble((c_void_p * len(models))(*members), len(models),
                                              handles, len(images), prediction))
            else:
                check(lib.ic_predict_batch(models[0], handles, len(images), prediction))
        results = [read(prediction, index) for index in range(len(images))]
        self._predictions.append(prediction)
        return results

    def _predict(self, model, pictures, read, views, on_error, others=()):
        """read(prediction, index) of one picture, or a list of that for several."""
        if any(other._context is not self._context for other in others):
            raise ValueError("the classifiers of an ensemble share their threads, precision and "
                             "limits: load all of them with the same settings")
        models = [model] + [other._ready() for other in others]
        # What one member would have smaller, another may want larger.
        wanted_by = models[0] if len(models) == 1 else None
        images, alone = several(pictures, self._context, wanted_by, on_error)
        results = []
        while True:
            chunk = list(itertools.islice(images, _at_once))
            if not chunk:
                return results[0] if alone else results
            sound = [image for image in chunk if image is not None]
            told = iter(self._ask(models, sound, views, read) if sound else ())
            results += [None if image is None else next(told) for image in chunk]

    def image(self, source: Any) -> Image:
        """An Image of a path, bytes or an open file as data sets are read for this classifier: with
        decode="shrink", large JPEGs are smaller than Image(source) has them. What is given paths,
        bytes and open files loads them so by itself, but for ensembles."""
        return image_of(source, self._context, self._ready())

    def predict_proba(self, pictures: Any, *, views: int = 1, on_error: str = "raise") -> Any:
        """The probabilities in the order of classes_: of one picture, or a list of such for several.
        A picture is an Image, or what Image takes; several are a folder (see pictures), a Dataset, a
        4-d array, or any iterable of pictures. views: 2 averages with the mirror image, 6 over
        shifts by a pixel, too (where training mirrored pictures). on_error: "skip" gives None for a
        picture that cannot be read, and warns in the log."""
        return self._predict(self._ready(), pictures, probabilities, views, on_error)

    def predict(self, pictures: Any, *, views: int = 1, on_error: str = "raise") -> Any:
        """The most probable class of a picture, or a list of them for several; the arguments are
        those of predict_proba."""
        model = self._ready()
        names = model.classes

        def best(prediction, index):
            row = probabilities(prediction, index)
            return names[row.index(max(row))]

        return self._predict(model, pictures, best, views, on_error)

    def top(self, picture: Any, count: int = 5, *, views: int = 1) -> list[tuple[Any, float]]:
        """[(class, probability)] of one picture, the most probable first; views as in
        predict_proba."""
        model = self._ready()
        _, alone = several(picture, self._context, model, "raise")
        if not alone:
            raise TypeError("top is of one picture: predict_proba and answer take several")
        if count < 1:
            raise ValueError(f"top takes a count of at least 1, not {count}")
        row = self._predict(model, picture, probabilities, views, "raise")
        return sorted(zip(model.classes, row), key=lambda pair: -pair[1])[:count]

    def explain(self, picture: Any, label: Any = "", *, method: str = "auto",
                progress: Progress = None) -> Explanation:
        """What in a picture speaks for a class: label, or else the most probable one. method:
        "gradcam", "occlusion", or "auto", the better one of them. The map has the size of
        image(picture)."""
        model = self._ready()
        chosen = Options(self._context, {"class": str(label), "method": method})
        made = self._context.make(progress, lib.ic_explain, model,
                                  image_of(picture, self._context, model), chosen)
        return Explanation(made, model.classes)

    def neighbours(self, data: Any, labels: Iterable[Any] | None = None, *,
                   progress: Progress = None) -> Neighbours:
        """Looks at the pictures of a folder or Dataset (those of the training, say), to find those
        that are most like another one: see Neighbours.find."""
        model, dataset = self._ready(), self._data(data, labels, progress)
        made = self._context.make(progress, lib.ic_neighbours_create, model, dataset)
        return Neighbours(made, dataset, model)

    def answer(self, pictures: Any, *, views: int = 1, others: Iterable[Classifier] = (),
               on_error: str = "raise") -> Any:
        """All that is said of a picture, as an Answer, or a list of them for several. others:
        classifiers of the same classes (and in the same context) that are asked, too: an ensemble,
        whose probabilities are averaged; else the arguments are those of predict_proba."""
        model = self._ready()
        names = model.classes
        return self._predict(model, pictures,
                             lambda prediction, index: read_answer(prediction, index, names),
                             views, on_error, list(others))

    def evaluate(self, data: Any, labels: Iterable[Any] | None = None, *, progress: Progress = None,
                 **settings: Any) -> Report:
        """Measures on a folder, a Dataset, or pictures with their labels: by default on those that
        the training has not seen (split="auto"); views as in predict_proba."""
        dataset = self._data(data, labels, progress)
        return Report(self._context.make(progress, lib.ic_evaluate, self._ready(), dataset,
                                         Options(self._context, settings)), self._context)

    def score(self, data: Any, labels: Iterable[Any] | None = None) -> float:
        """The accuracy, 0..1."""
        return self.evaluate(data, labels).accuracy

    # Decisions

    @property
    def costs(self) -> list[list[float]] | None:
        """What each mistake costs, [actual][called], kept in the model; None: all the same."""
        return self._ready().costs

    @costs.setter
    def costs(self, rows: Iterable[Iterable[float]] | None) -> None:
        model, flat = self._ready(), None
        if rows is not None:
            values = [float(value) for row in rows for value in row]
            if len(values) != lib.ic_model_class_count(model) ** 2:
                raise ValueError("costs take a row for each class with a number for each class")
            flat = (c_double * len(values))(*values)
        check(lib.ic_model_set_costs(model, flat))

    def set_threshold(self, label: Any, threshold: float) -> None:
        """From now on decide() calls a picture this class when its probability is at least
        threshold (see Report.operating_point), and else the most probable of the others."""
        model = self._ready()
        check(lib.ic_model_set_threshold(model, class_index(model.names, str(label)),
                                         float(threshold)))

    def decide(self, pictures: Any, *, views: int = 1, on_error: str = "raise") -> Any:
        """The class to act on by the costs in the model, of one picture or of each of several; the
        arguments are those of predict_proba."""
        model, index = self._ready(), c_int32()
        names = model.classes

        def called(prediction, place):
            row = probabilities(prediction, place)
            check(lib.ic_model_decide(model, (c_float * len(row))(*row), byref(index)))
            return names[index.value]

        return self._predict(model, pictures, called, views, on_error)

    # Facts

    @property
    def classes_(self) -> list[Any]:
        """The classes, in the order of predict_proba: the labels that fit was given, or the names
        of folders and of loaded models."""
        return self._ready().classes

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
        self.__setstate__({**self.__getstate__(), "settings": {**self._settings, **settings}})
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
        if self._model is None:
            return f"Classifier({given})"
        width, height = c_int32(), c_int32()
        check(lib.ic_model_input(self._model, byref(width), byref(height), None))
        return (f"<Classifier({given}): {self.info['network']}, {width.value} x {height.value} "
                f"pixels, {class_list(self.classes_)}>")
