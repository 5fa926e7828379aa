"""The classifier, in scikit-learn's manners."""

import ctypes
from ctypes import POINTER, byref, c_double, c_float, c_int32, c_size_t, c_void_p

from ._core import (Context, Error, Handle, Image, Options, check, create, default_context, json_of,
                    lib, path_bytes)
from ._data import Dataset

DONE = 1
_context_settings = {"threads", "cpu_level", "max_file_mb", "max_side", "max_megapixels"}


class Training(Handle):
    """A training under way, for programs with a loop of their own:

        training = classifier.training("photos/")
        while training.step():
            ...
    """

    def __init__(self, classifier, train, validation, chosen):
        self.classifier = classifier
        super().__init__(create(lib.ic_trainer_create, classifier._model, train, validation,
                                chosen), lib.ic_trainer_free)

    def step(self):
        """At most one batch; False when the training is done."""
        return check(lib.ic_train_step(self)) != DONE

    def run(self, progress=None):
        """To the end. progress(event) may return True to stop; the best epoch so far is kept."""
        try:
            self.classifier._context.call(progress, lib.ic_trainer_run, self)
        except Error as error:
            if error.status != "IC_ERROR_CANCELLED":
                raise

    def value(self, name):
        """One number by its name: "epoch", "loss", "accuracy", "seconds_left"..."""
        value = c_double()
        check(lib.ic_trainer_value(self, name.encode(), byref(value)))
        return value.value


class Report(Handle):
    """How good a model is. `data` holds everything: accuracy, loss, auc, confusion, per_class..."""

    def __init__(self, pointer):
        super().__init__(pointer, lib.ic_report_free)
        self.data = json_of(lib.ic_report_json, self)

    def __getattr__(self, name):
        if name == "data" or name not in self.data:
            raise AttributeError(name)
        return self.data[name]

    def plot_confusion(self, path):
        """Draws the confusion matrix as .png or .svg."""
        check(lib.ic_report_plot_confusion(self, path_bytes(path)))

    def __repr__(self):
        return f"<Report: {100 * self.accuracy:.2f} % of {self.count} pictures ({self.split})>"


class Classifier:
    """An image classifier. Keywords are the library's options (imgcls.options() lists them), such
    as epochs=10, network="resnet9", threads=2; what is not given is chosen from the data."""

    def __init__(self, **settings):
        for name in settings:
            if name.startswith("_"):
                raise ValueError(f"no such option: {name}")
        context = {k: v for k, v in settings.items() if k in _context_settings}
        self._settings = settings
        self._context = Context(context) if context else default_context()
        Options(self._context, settings)  # wrong names and values show now
        self._model = None
        self._prediction = None

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

    def training(self, data, labels=None, *, validation=None, progress=None):
        """Prepares a training that the caller steps: see Training."""
        chosen = Options(self._context, self._settings)
        whole = self._data(data, labels, progress)
        if validation is None:
            train, held_out = whole.split(**self._settings)
        else:
            train, held_out = whole, self._data(validation, None, progress)
        model = create(lib.ic_model_create, self._context, train, chosen)
        self._take(model)
        return Training(self, train, held_out, chosen)

    def fit(self, data, labels=None, *, validation=None, progress=None):
        """Trains on a folder (or another data set), or on pictures with their labels.
        progress(event) gets dicts with phase, epoch, loss, seconds_left...; True stops."""
        with self.training(data, labels, validation=validation, progress=progress) as training:
            training.run(progress)
        return self

    # Files

    def _take(self, pointer):
        self._model = Handle(pointer, lib.ic_model_free)
        self._prediction = Handle(create(lib.ic_prediction_create, self._context),
                                  lib.ic_prediction_free)

    def _ready(self):
        if self._model is None:
            raise RuntimeError("this classifier is not trained yet: call fit, or load a model")
        return self._model

    @classmethod
    def load(cls, source, **settings):
        """A classifier from a model file, or from the bytes of one."""
        self = cls(**settings)
        if isinstance(source, (bytes, bytearray)):
            data = bytes(source)
            self._take(create(lib.ic_model_load_memory, self._context, data, len(data)))
        else:
            self._take(create(lib.ic_model_load, self._context, path_bytes(source)))
        return self

    def save(self, path):
        check(lib.ic_model_save(self._ready(), path_bytes(path)))
        return self

    def to_bytes(self):
        """What save would write."""
        size = c_size_t()
        check(lib.ic_model_save_memory(self._ready(), None, 0, byref(size)))
        buffer = ctypes.create_string_buffer(size.value)
        check(lib.ic_model_save_memory(self._model, buffer, size, byref(size)))
        return buffer.raw

    # Use

    def _images(self, pictures):
        return [p if isinstance(p, Image) else Image(p, self._context) for p in pictures]

    def predict_proba(self, pictures):
        """The probabilities in the order of classes_: of one picture, or a list of such for a
        list of pictures."""
        model = self._ready()
        single = not isinstance(pictures, (list, tuple))
        images = self._images([pictures] if single else pictures)
        handles = (c_void_p * len(images))(*[i._as_parameter_.value for i in images])
        check(lib.ic_predict_batch(model, handles, len(images), self._prediction))
        rows = [self._row(index) for index in range(len(images))]
        return rows[0] if single else rows

    def _row(self, index):
        values, count = POINTER(c_float)(), c_int32()
        check(lib.ic_prediction_probabilities(self._prediction, index, byref(values), byref(count)))
        return values[:count.value]

    def predict(self, pictures):
        """The most probable class of a picture, or a list of them for a list of pictures."""
        rows = self.predict_proba(pictures)
        if isinstance(pictures, (list, tuple)):
            return [self._best(row) for row in rows]
        return self._best(rows)

    def _best(self, row):
        return self.classes_[row.index(max(row))]

    def top(self, picture, count=5):
        """[(class, probability)] of one picture, the most probable first."""
        row = self.predict_proba(picture)
        ranked = sorted(zip(self.classes_, row), key=lambda pair: -pair[1])
        return ranked[:count]

    def evaluate(self, data, labels=None, *, progress=None, **settings):
        """Measures on pictures: by default those that the training has not seen (split="auto")."""
        dataset = self._data(data, labels, progress)
        out = c_void_p()
        self._context.call(progress, lib.ic_evaluate, self._ready(), dataset,
                           Options(self._context, settings), byref(out))
        return Report(out.value)

    def score(self, data, labels=None):
        """The accuracy, 0..1."""
        return self.evaluate(data, labels).accuracy

    # Facts

    @property
    def classes_(self):
        model = self._ready()
        return [lib.ic_model_class_name(model, i).decode()
                for i in range(lib.ic_model_class_count(model))]

    @property
    def info(self):
        """What the model is and how it was made, as a dict."""
        return json_of(lib.ic_model_json, self._ready())

    @property
    def history(self):
        """One dict an epoch: epoch, train_loss, validation_accuracy..."""
        return (self.info.get("training") or {}).get("epochs", [])

    def plot_history(self, path):
        """Draws the learning curves as .png or .svg."""
        check(lib.ic_model_plot_history(self._ready(), path_bytes(path)))

    def get_params(self, deep=True):
        return dict(self._settings)

    def set_params(self, **settings):
        Options(self._context, settings)
        self._settings.update(settings)
        return self
