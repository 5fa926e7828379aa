"""Handles, errors, options and pictures: what everything else stands on."""

import ctypes
import json
import logging
import os
import threading
import weakref
from ctypes import byref, c_char_p, c_double, c_int32, c_size_t, c_void_p

from . import _library

lib = _library.load()
log = logging.getLogger("imgcls")


class Error(Exception):
    """What the library said; `status` is the code, "IC_ERROR_FORMAT" say."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = lib.ic_status_name(status).decode()


class _MemoryError(Error, MemoryError):
    pass


class _FileError(Error, OSError):
    def __str__(self):
        return self.args[-1]


class _MissingError(Error, FileNotFoundError):
    def __str__(self):
        return self.args[-1]


class _ValueError(Error, ValueError):
    pass


# By the pinned codes of imgcls/status.h.
_kinds = {-1: _ValueError, -2: _MemoryError, -3: _FileError, -4: _MissingError, -5: _ValueError,
          -6: _ValueError, -7: _ValueError, -8: _ValueError, -9: _ValueError}


def check(status):
    """Raises what a negative status stands for; other ones pass through."""
    if status < 0:
        raise _kinds.get(status, Error)(status, lib.ic_last_error().decode())
    return status


def version():
    return lib.ic_version().decode()


def path_bytes(path):
    return os.fspath(path).encode() if isinstance(os.fspath(path), str) else os.fspath(path)


def text_of(function, handle):
    """The text of a function that writes into the caller's buffer."""
    size = c_size_t()
    check(function(handle, None, 0, byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(function(handle, buffer, size, byref(size)))
    return buffer.value.decode()


def json_of(function, handle):
    return json.loads(text_of(function, handle))


class Handle:
    """Owns one object of the library; close() or the end of a `with` frees it early."""

    def __init__(self, pointer, free):
        self._as_parameter_ = c_void_p(pointer)
        self._finalizer = weakref.finalize(self, free, self._as_parameter_)

    def close(self):
        self._finalizer()
        self._as_parameter_ = c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def create(function, *arguments):
    """Calls function(…, &out) and returns the pointer."""
    out = c_void_p()
    check(function(*arguments, byref(out)))
    return out.value


class Context(Handle):
    """A context that logs to `logging` and carries exceptions out of progress callbacks."""

    def __init__(self, settings=None):
        super().__init__(create(lib.ic_context_create), lib.ic_context_free)
        self._log = _library.LOG_FUNCTION(_log)
        check(lib.ic_context_set_log(self, self._log, None))
        if settings:
            check(lib.ic_context_configure(self, Options(self, settings)))

    def call(self, progress, function, *arguments):
        """Runs long work; progress(dict) may return True to cancel, or raise."""
        failure = []

        def trampoline(event, _):
            try:
                return 1 if progress is not None and progress(_event(event)) else 0
            except BaseException as error:  # carried past the C frames and raised below
                failure.append(error)
                return 1

        callback = _library.PROGRESS_FUNCTION(trampoline)
        check(lib.ic_context_set_progress(self, callback, None))
        try:
            status = function(*arguments)
        finally:
            lib.ic_context_set_progress(self, _library.PROGRESS_FUNCTION(), None)
        if failure:
            raise failure[0]
        return check(status)


def _log(level, message, _):
    levels = {1: logging.WARNING, 2: logging.INFO, 3: logging.DEBUG}
    log.log(levels.get(level, logging.INFO), "%s", message.decode(errors="replace"))


_event_names = ("done", "total", "seconds", "epoch", "epochs", "step", "steps", "loss", "accuracy",
                "learning_rate", "pictures_per_second", "seconds_left", "epoch_done",
                "validation_loss", "validation_accuracy", "best_epoch")


def _event(event):
    values = {"phase": lib.ic_progress_phase(event).decode()}
    for name in _event_names:
        value = c_double()
        if lib.ic_progress_value(event, name.encode(), byref(value)) >= 0:
            values[name] = value.value
    return values


_default = threading.local()


def default_context():
    """One context a thread, so that callbacks stay with the thread that asked for them."""
    if not hasattr(_default, "context"):
        _default.context = Context()
    return _default.context


class Options(Handle):
    """A set of options from keywords; a wrong name or value raises ValueError with a suggestion."""

    def __init__(self, context, settings):
        super().__init__(create(lib.ic_options_create, context), lib.ic_options_free)
        for name, value in settings.items():
            if isinstance(value, bool):
                value = "on" if value else "off"
            if isinstance(value, int):
                check(lib.ic_options_set_int(self, name.encode(), value))
            elif isinstance(value, float):
                check(lib.ic_options_set_float(self, name.encode(), value))
            else:
                check(lib.ic_options_set_text(self, name.encode(), str(value).encode()))


def options():
    """Every option of the library: a list of dicts with name, owner, type, default, values, help."""
    keys = ("name", "owner", "type", "default", "values", "help")
    listed = []
    for index in range(lib.ic_option_count()):
        texts = [c_char_p() for _ in keys]
        check(lib.ic_option_info(index, *map(byref, texts)))
        listed.append({key: text.value.decode() for key, text in zip(keys, texts)})
    return listed


class Image(Handle):
    """A picture: from a path, from the bytes of a JPEG or PNG file, or from an array of pixels
    (anything with the buffer protocol or __array_interface__: height x width [x channels], 8 or 16
    bits, RGB order)."""

    def __init__(self, source, context=None):
        context = context or default_context()
        if isinstance(source, (str, os.PathLike)):
            pointer = create(lib.ic_image_load, context, path_bytes(source))
        elif isinstance(source, (bytes, bytearray)):
            data = bytes(source)
            pointer = create(lib.ic_image_decode, context, data, len(data))
        else:
            pointer = _from_array(context, source)
        super().__init__(pointer, lib.ic_image_free)

    @property
    def info(self):
        """(width, height, channels, depth)"""
        values = [c_int32() for _ in range(4)]
        check(lib.ic_image_info(self, *map(byref, values)))
        return tuple(value.value for value in values)

    def save_png(self, path):
        check(lib.ic_image_save_png(self, path_bytes(path)))


# (channels, bytes a sample) -> IC_PIXELS_…
_orders = {(1, 1): 1, (2, 1): 2, (3, 1): 3, (4, 1): 4, (1, 2): 7, (2, 2): 8, (3, 2): 9, (4, 2): 10}


def _from_array(context, source):
    shape, data, item = _pixels_of(source)
    if len(shape) == 2:
        shape = (*shape, 1)
    order = _orders.get((shape[2], item)) if len(shape) == 3 else None
    if order is None:
        raise ValueError(f"pixels are height x width [x 1..4] of uint8 or uint16, not {shape} of "
                         f"{item} bytes")
    return create(lib.ic_image_from_pixels, context, data, shape[1], shape[0], 0, order)


def _pixels_of(source):
    """(shape, bytes, bytes a sample) of an array-like object."""
    try:
        view = memoryview(source)
    except TypeError:
        interface = getattr(source, "__array_interface__", None)
        if interface is None:
            raise TypeError(f"a picture is a path, the bytes of a file or an array of pixels, not "
                            f"{type(source).__name__}") from None
        kind, item = interface["typestr"][1], int(interface["typestr"][2:])
        if kind != "u" or interface.get("strides") is not None:
            raise ValueError("pixels from __array_interface__ must be unsigned and contiguous")
        data = interface["data"]
        length = item
        for side in interface["shape"]:
            length *= side
        raw = data if isinstance(data, bytes) else ctypes.string_at(data[0], length)
        return tuple(interface["shape"]), raw, item
    if view.format not in ("B", "H", "<H", "=H", "@H"):
        raise ValueError(f"pixels are uint8 or uint16, not of format {view.format!r}")
    return view.shape, view.tobytes(), view.itemsize
