"""test_kill.py IMGCLS [KILLS]: a training killed at random moments and resumed each time ends with the file of one that
was left alone. Prints "ok" and "not ok" lines."""

import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from pictures import png

COMMAND = sys.argv[1]
KILLS = int(sys.argv[2]) if len(sys.argv) > 2 else 8
SETTINGS = ("--network", "plain", "--epochs", "4", "--batch-size", "16", "--input-size", "24", "--flip", "on",
            "--checkpoint-minutes", "0")


def command(photos, out, *more):
    return [COMMAND, "train", str(photos), "--out", str(out), *SETTINGS, *more]


def interrupted(photos, out, seconds):
    """Runs until done, with a kill about every `seconds` seconds; returns the kills."""
    checkpoint, kills = pathlib.Path(f"{out}.checkpoint"), 0
    while True:
        threads = ("--threads", str(1 + kills % 2))
        more = ("--resume", str(checkpoint)) if checkpoint.exists() else ()
        training = subprocess.Popen(command(photos, out, *threads, *more), stderr=subprocess.DEVNULL)
        try:
            assert training.wait(random.uniform(0, 2 * seconds)) == 0
            return kills
        except subprocess.TimeoutExpired:
            training.send_signal(signal.SIGKILL)
            training.wait()
            kills += 1


def main():
    random.seed(5)
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for i in range(240):
            png(root / "photos" / ("light" if i % 2 else "dark") / f"{i}.png", i % 2, i)
        whole, part, kills = root / "whole.safetensors", root / "part.safetensors", 0
        began = time.monotonic()
        subprocess.run(command(root / "photos", whole), check=True, stderr=subprocess.DEVNULL)
        seconds = (time.monotonic() - began) / 4
        while kills < KILLS:
            part.unlink(missing_ok=True)
            kills += interrupted(root / "photos", part, seconds)
            if part.read_bytes() != whole.read_bytes():
                print(f"not ok kill: another file after {kills} kills")
                return 1
    print(f"ok kill: the same file through {kills} kills")
    return 0


sys.exit(main())
