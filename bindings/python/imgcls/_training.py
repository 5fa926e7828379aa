"""A training under way."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from ctypes import byref, c_double
from typing import Callable

from ._core import (Context, Error, Handle, Path, Pointer, Progress, check, lib, log, path_bytes,
                    text_bytes)

DONE = 1


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


def _telling(training, verbose, progress):
    """progress, which also tells of each epoch: in the log, and to people if verbose."""
    before = training.value("seconds")

    def watch(event):
        nonlocal before
        if event.get("epoch_done"):
            line = _epoch_line(event, event["seconds"] - before)
            before = event["seconds"]
            log.info("%s", line)
            if verbose:
                print(line, file=sys.stderr, flush=True)
        return progress is not None and progress(event)

    return watch


def _epoch_line(event, seconds):
    best = ", best so far" if event["best_epoch"] == event["epoch"] else ""
    return (f"epoch {event['epoch']:.0f} of {event['epochs']:.0f}: loss {event['loss']:.3f}, "
            f"accuracy {100 * event['accuracy']:.1f} %; unseen pictures: loss "
            f"{event['validation_loss']:.3f}, accuracy {100 * event['validation_accuracy']:.1f} %"
            f"{best}; {seconds:.1f} s")


class Training(Handle):
    """A training under way, for programs with a loop of their own:

        training = classifier.training("photos/")
        while training.step():
            ...

    It belongs to one thread at a time.
    """

    def __init__(self, context: Context, pointer: Pointer, publish: Callable[[], None]) -> None:
        self._context = context
        self._publish = publish  # has the classifier answer by this training's model
        self._running = threading.Lock()
        super().__init__(pointer, lib.ic_trainer_free)

    def step(self) -> bool:
        """At most one batch; False when the training is done."""
        with self._alone():
            done = self._context.call(self._publishing(None), lib.ic_train_step, self) == DONE
        if done:
            self._publish()
        return not done

    @contextlib.contextmanager
    def _alone(self):
        if not self._running.acquire(blocking=False):
            raise RuntimeError("this Training is at work: it does one thing at a time")
        try:
            yield
        finally:
            self._running.release()

    def _publishing(self, progress):
        """progress, which also publishes the model once it has learnt something."""

        def watch(event):
            if event.get("epoch_done"):
                self._publish()
            return progress is not None and progress(event)

        return watch

    def run(self, progress: Progress = None, plot: Path | None = None,
            verbose: bool = False) -> None:
        """To the end. progress(event) may return True to stop; the best epoch so far is kept.
        plot: a .png or .svg of the learning curves, drawn after each epoch, about once a second at
        most. verbose: prints a line after each epoch to stderr; the log has it in any case, as
        INFO."""
        watch = self._publishing(progress)
        if plot is not None:
            watch = _plotting(self, plot, watch)
        if verbose or log.isEnabledFor(logging.INFO):
            watch = _telling(self, verbose, watch)
        try:
            with self._alone():
                self._context.call(watch, lib.ic_trainer_run, self)
        except Error as error:
            if error.status != "IC_ERROR_CANCELLED":
                raise
        else:
            self._publish()
        if plot is not None:
            try:
                self.plot(plot)
            except Error as error:
                if error.status != "IC_ERROR_STATE":  # stopped before the first epoch was over
                    raise

    def save(self, path: Path) -> None:
        """Writes the training as it stands, all or nothing: a checkpoint, for fit(resume=path). It
        is a model file, too."""
        check(lib.ic_trainer_save(self, path_bytes(path)))

    def plot(self, path: Path) -> None:
        """Draws the learning curves of the epochs done so far as .png or .svg; also from a progress
        function."""
        check(lib.ic_trainer_plot(self, path_bytes(path)))

    def find_rate(self, progress: Progress = None) -> float:
        """A learning rate that suits, by trying; the training goes on as if nothing had been."""
        rate = c_double()
        with self._alone():
            self._context.call(progress, lib.ic_trainer_find_rate, self, byref(rate))
        return rate.value

    def _about(self):
        return f"{self.value('done'):.0f} of {self.value('total'):.0f} steps done"

    def value(self, name: str) -> float:
        """One number by its name: "epoch", "loss", "accuracy", "seconds_left"..."""
        value = c_double()
        check(lib.ic_trainer_value(self, text_bytes(name), byref(value)))
        return value.value
