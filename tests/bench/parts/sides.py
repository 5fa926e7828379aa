"""The sides of a comparison: processes that wait, run when told to, and answer with times.

A side prints "ready NOTE" when it is warm, or "missing WHY". Then each line that it reads is a number of seconds to run
for; it answers with a JSON list of the milliseconds of every run. SPDX-License-Identifier: MIT
"""
import fcntl
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent.parent


class Missing(Exception):
    """This side cannot take part; the text says why."""


class Lock:
    """Held around every run: timings of several programs on one machine take turns. None: no lock."""

    def __init__(self, path):
        self.file = open(path, "w") if path else None

    def __enter__(self):
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *error):
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_UN)


class Side:
    def __init__(self, command, threads):
        self.errors = tempfile.TemporaryFile("w+")
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(FOLDER / "peers"),
                       "PYTHONDONTWRITEBYTECODE": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        try:
            self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=self.errors, text=True, env=environment)
        except OSError as error:
            raise Missing(error) from error
        self.note = None

    def wait(self):
        """Until it is warm; raises Missing."""
        word, _, self.note = (self.process.stdout.readline() or "missing").strip().partition(" ")
        if word != "ready":
            self.close()
            raise Missing(self.note or self.last_error())

    def last_error(self):
        self.errors.seek(0)
        lines = [line.strip() for line in self.errors if line.strip()]
        return lines[-1] if lines else "it ended without a word"

    def run(self, seconds):
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Missing(f"it ended: {self.last_error()}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def our_step(options, network, side, channels, batch, threads, *more):
    return Side([options.program("tests/bench/bench_step"), network, side, channels, batch, threads, "--serve", *more],
                threads)


def peer(options, script, threads, *arguments):
    return Side([options.python, FOLDER / "peers" / script, *arguments], threads)


def once(options, script, threads, *arguments):
    """A script of the peers that answers with one JSON object and ends; raises Missing."""
    side = peer(options, script, threads, *arguments)
    line = side.process.stdout.readline()
    side.close()
    if not line.startswith("{"):
        raise Missing(line.strip().removeprefix("missing ") or side.last_error())
    return json.loads(line)


def measure(options, starters, say):
    """Runs the sides in turns. starters: {name: function that gives a Side}; returns {name: best, median, note}.
    Starting and warming up is outside of the lock: compiling takes minutes.
    """
    sides, times = {}, {}
    for name, start in starters.items():
        try:
            sides[name] = start()
            sides[name].wait()
        except Missing as why:
            sides.pop(name, None)
            say(f"{name}: not measured: {why}")
    for _ in range(options.rounds):
        for name, side in list(sides.items()):
            try:
                with options.lock:
                    times.setdefault(name, []).extend(side.run(options.seconds))
            except Missing as why:
                say(f"{name}: {why}")
                del sides[name]
                times.pop(name, None)
    for side in sides.values():
        side.close()
    return {name: {"best_ms": min(t), "median_ms": statistics.median(t), "runs": len(t), "note": sides[name].note}
            for name, t in times.items()}
