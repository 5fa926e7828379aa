"""Handles, errors, contexts and options: what everything else stands on."""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import json
import logging
import os
import signal
import threading
import types
import weakref
from ctypes import byref, c_char_p, c_double, c_size_t, c_void_p
from typing import Any, Callable, Dict, Optional, Union

from . import _library

log = logging.getLogger("imgcls")

Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Progress = Optional[Callable[[Dict[str, Any]], Any]]


class Error(Exception):
    """What the library said; `status` is the code's name, "IC_ERROR_FORMAT" say. Those that Python
    has an exception for are of that kind, too: ValueError, FileNotFoundError, OSError, MemoryError."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self._code = code
        self.status: str = lib.ic_status_name(code).decode()

    def __reduce__(self):
        return type(self), (self._code, str(self))


class InvalidError(Error, ValueError):
    """A wrong argument, option, file format or data set."""


class FileError(Error, OSError):
    """The system could not read or write a file."""


class NotFoundError(Error, FileNotFoundError, LookupError):
    """No such file, folder, part, class or value."""


class OutOfMemoryError(Error, MemoryError):
    """The library could not get the memory it needed."""


# By the pinned codes of imgcls/status.h.
_kinds = {-1: InvalidError, -2: OutOfMemoryError, -3: FileError, -4: NotFoundError,
          -5: InvalidError, -6: InvalidError, -7: InvalidError, -8: InvalidError, -9: InvalidError}
for _kind in {Error, *_kinds.values()}:
    _kind.__module__ = "imgcls"  # where they are imported from


def check(status):
    """Raises what a negative status stands for; other ones pass through."""
    if status < 0:
        raise _kinds.get(status, Error)(status, lib.ic_last_error().decode())
    return status


def about(error, index):
    """Has an error say which of several pictures it is about."""
    if len(error.args) == 1:
        error.args = (f"pictures[{index}]: {error}",)


def shortened(names):
    """The first of a list of names, as a text."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(map(str, names[:8])) + more


def class_list(names):
    """How many classes there are, and their names."""
    return (f"{len(names)} class{'' if len(names) == 1 else 'es'}"
            + (f": {shortened(names)}" if names else ""))


def class_index(names, which):
    """The index of a class that is given by its name, or by that index."""
    if not isinstance(which, str):
        return which
    if which not in names:
        close = difflib.get_close_matches(which, names, 1)
        advice = f"did you mean {close[0]!r}?" if close else f"the classes are {shortened(names)}"
        raise NotFoundError(-4, f"there is no class {which!r}: {advice}")
    return names.index(which)


def version() -> str:
    """The version of the library that is loaded, "0.2.0" say."""
    return lib.ic_version().decode()


def path_bytes(path):
    return _whole(os.fsencode(path))


def text_bytes(value):
    """The text of a value, as the library takes it."""
    return _whole(str(value).encode())


def _whole(text):
    """C's texts end at the first zero: what is behind it would be lost."""
    if b"\0" in text:
        raise ValueError(f"a text with a zero byte in it: {text!r}")
    return text


def text_of(function, handle):
    """The text of a function that writes into the caller's buffer."""
    size = c_size_t()
    check(function(handle, None, 0, byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(function(handle, buffer, size, byref(size)))
    return buffer.value.decode()


def json_of(function, handle):
    return json.loads(text_of(function, handle))


class Pointer(int):
    """The address of an object of the library's, for a Handle to own."""


_work_lock = threading.Lock()


class Handle:
    """Owns one object of the library; close() or the end of a `with` frees it early."""

    def __init__(self, pointer, free):
        if not isinstance(pointer, Pointer):
            raise TypeError(f"{type(self).__name__} is made by methods of other classes, not of "
                            f"{pointer!r}")
        self._pointer = c_void_p(pointer)
        self._works = 0  # calls of the library under way
        self._finalizer = weakref.finalize(self, free, self._pointer)

    def close(self) -> None:
        """Frees it now; using it afterwards is a ValueError."""
        with _work_lock:
            if self._works:
                raise RuntimeError(f"this {type(self).__name__} is at work: return True from "
                                   f"progress to stop it, then close it")
            self._pointer = c_void_p()
        self._finalizer()  # the second time it does nothing

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        raise TypeError(f"{type(self).__name__} cannot be pickled or copied, as it is the library's"
                        f"{self._instead}")

    _instead = ""  # of pickling

    def _about(self):
        """What repr says of it."""
        return "open"

    def __repr__(self) -> str:
        return (f"<{type(self).__name__}: "
                f"{self._about() if self._pointer else 'closed'}>")


@contextlib.contextmanager
def at_work(handles):
    """Their pointers, for a call of the library: until it is over none of them can be closed."""
    with _work_lock:
        for handle in handles:
            if not handle._pointer:
                raise ValueError(f"this {type(handle).__name__} is closed")
        for handle in handles:
            handle._works += 1
    try:
        yield [handle._pointer for handle in handles]
    finally:
        with _work_lock:
            for handle in handles:
                handle._works -= 1


def _with_handles(function):
    """The function, which takes Handles for pointers."""

    def call(*arguments):
        handles = [argument for argument in arguments if isinstance(argument, Handle)]
        with at_work(handles):
            return function(*[argument._pointer if isinstance(argument, Handle) else argument
                              for argument in arguments])

    return call


_loaded = _library.load()
lib = types.SimpleNamespace(**{name: _with_handles(getattr(_loaded, name))
                               for name in _library.FUNCTIONS})


def create(function, *arguments):
    """Calls function(…, &out) and returns the pointer."""
    out = c_void_p()
    check(function(*arguments, byref(out)))
    return Pointer(out.value)


_event_names = ("done", "total", "seconds", "epoch", "epochs", "step", "steps", "loss", "accuracy",
                "learning_rate", "pictures_per_second", "waiting", "seconds_left", "epoch_done",
                "validation_loss", "validation_accuracy", "best_epoch")


def _event(event):
    values = {"phase": lib.ic_progress_phase(event).decode()}
    for name in _event_names:
        value = c_double()
        if lib.ic_progress_value(event, name.encode(), byref(value)) >= 0:
            values[name] = value.value
    return values


# Callbacks come on the thread that made the call: each thread has its stack of calls under way. The
# two C callbacks live as long as the module, so no context can outlive them.
_threads = threading.local()


class _Call:
    """One call of the library that calls back. While it runs on the main thread, Ctrl-C is noted
    instead of raised: an exception at the very start of a C callback would be lost."""

    def __init__(self, progress):
        self.progress = progress
        self.failure = None
        self._handler = None

    def _interrupt(self, *_):
        self.failure = KeyboardInterrupt()

    def __enter__(self):
        _calls().append(self)
        if (threading.current_thread() is threading.main_thread()
                and signal.getsignal(signal.SIGINT) is signal.default_int_handler):
            self._handler = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_):
        _calls().pop()
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)


def _calls():
    if not hasattr(_threads, "calls"):
        _threads.calls = []
    return _threads.calls


@_library.PROGRESS_FUNCTION
def _on_progress(event, _):
    call = _calls()[-1] if _calls() else None
    if call is None:
        return 0
    try:
        stop = call.progress is not None and call.progress(_event(event))
        return 1 if stop or call.failure is not None else 0
    except BaseException as error:  # carried past the C frames and raised by Context.call
        call.failure = error
        return 1


@_library.LOG_FUNCTION
def _on_log(level, message, _):
    levels = {1: logging.WARNING, 2: logging.INFO, 3: logging.DEBUG}
    log.log(levels.get(level, logging.INFO), "%s", message.decode(errors="replace"))


class Context(Handle):
    """What objects are made in: threads, and limits of what files may ask for (the options of owner
    "context", such as threads=2 or max_side=40000). It logs to `logging`. Any thread may use it."""

    _shared = False  # by all that were given equal settings

    def __init__(self, **settings: Any) -> None:
        super().__init__(create(lib.ic_context_create), lib.ic_context_free)
        check(lib.ic_context_set_log(self, _on_log, None))
        check(lib.ic_context_set_progress(self, _on_progress, None))
        if settings:
            check(lib.ic_context_configure(self, Options(self, settings)))

    def close(self) -> None:
        """Frees it now, if you made it: one that objects share goes with the last of them."""
        if self._shared:
            raise RuntimeError("this Context is shared: it goes with the last that uses it")
        super().close()

    def call(self, progress, function, *arguments):
        """Runs long work, or what logs: Ctrl-C is not lost in it. progress(dict) may return True to
        cancel, or raise."""
        with _Call(progress) as call:
            status = function(*arguments)
        if call.failure is not None:
            raise call.failure
        return check(status)

    def make(self, progress, function, *arguments):
        """The pointer that such work gives."""
        out = c_void_p()
        self.call(progress, function, *arguments, byref(out))
        return Pointer(out.value)


_contexts_lock = threading.Lock()
_contexts = weakref.WeakValueDictionary()
_default = []  # keeps the one without settings
_context_settings = {"threads", "cpu_level", "precision", "max_file_mb", "max_side",
                     "max_megapixels"}


def context_for(settings):
    """The context that all share who were given the same settings of a context."""
    own = {name: value for name, value in settings.items() if name in _context_settings}
    key = tuple(sorted((name, str(value)) for name, value in own.items()))
    with _contexts_lock:
        context = _contexts.get(key)
        if context is None:
            context = _contexts[key] = Context(**own)
            context._shared = True
        if not own and not _default:
            _default.append(context)
        return context


def without_context(settings):
    """The settings that are not a context's."""
    return {name: value for name, value in settings.items() if name not in _context_settings}


def known_context(context):
    """The context that a caller gave, or the one of those who gave none."""
    if context is None:
        return context_for({})
    if not isinstance(context, Context):
        raise TypeError(f"context is an imgcls.Context, not {context!r}")
    return context


class Options(Handle):
    """A set of options from keywords; a wrong name or value raises ValueError with a suggestion."""

    def __init__(self, context, settings):
        super().__init__(create(lib.ic_options_create, context), lib.ic_options_free)
        for name, value in settings.items():
            if name == "class_weights" and not isinstance(value, str):  # a dict elsewhere
                raise InvalidError(-8, 'class_weights takes "none" or "balanced" (rare classes weigh '
                                       f"more), not {value!r}; what mistakes cost is set in "
                                       f"Classifier.costs")
            self._set(text_bytes(name), value)

    def _set(self, name, value):
        if value is None or isinstance(value, dict):
            raise TypeError(f"{name.decode()}={value!r}: leave an option out for its default")
        if isinstance(value, bool) or getattr(value, "dtype", None) == bool:
            value = "on" if value else "off"
        if isinstance(value, int) and -2**63 <= value < 2**63:
            check(lib.ic_options_set_int(self, name, value))
        elif isinstance(value, float):
            check(lib.ic_options_set_float(self, name, value))
        elif isinstance(value, (bytes, os.PathLike)):
            check(lib.ic_options_set_text(self, name, path_bytes(value)))
        else:  # larger numbers, too: the library refuses them by the name of the option
            several = isinstance(value, (list, tuple))
            text = ",".join(map(str, value)) if several else value
            check(lib.ic_options_set_text(self, name, text_bytes(text)))


def options() -> list[dict[str, str]]:
    """Every option of the library: a list of dicts with name, owner, type, default, values, help."""
    keys = ("name", "owner", "type", "default", "values", "help")
    listed = []
    for index in range(lib.ic_option_count()):
        texts = [c_char_p() for _ in keys]
        check(lib.ic_option_info(index, *map(byref, texts)))
        listed.append({key: text.value.decode() for key, text in zip(keys, texts)})
    return listed
