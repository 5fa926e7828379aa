"""test_same.py IMGCLS LIBRARY ROOT: the command (C), Python and Lua give the same probabilities, to the last bit, and the
command the same model file from any number of threads. Prints "ok" and "not ok" lines."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

command, library, root = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
os.environ["IMGCLS_LIBRARY"] = str(library)
sys.path.insert(0, str(root / "bindings/python"))
import imgcls  # noqa: E402

SCRIPT = """
local imgcls = require "imgcls"
local model = assert(imgcls.load(arg[1]))
local _, _, ranking = assert(model:predict(arg[2]))
for _, entry in ipairs(ranking) do print(entry.class, ("%.17g"):format(entry.probability)) end
"""


def bits(probability):
    """The float32 that was printed."""
    return struct.pack("<f", float(probability))


def from_command(model, picture):
    out = subprocess.run([command, "predict", model, picture, "--json"], capture_output=True, text=True,
                         check=True).stdout
    return {p["class"]: bits(p["probability"]) for p in json.loads(out)["predictions"]}


def from_python(model, picture):
    return {name: bits(p) for name, p in imgcls.Classifier.load(model).top(picture, 100)}


def from_lua(lua, module, model, picture, folder):
    flags = subprocess.run(["pkg-config", "--cflags", lua], capture_output=True, text=True,
                           check=True).stdout.split()
    subprocess.run(["cc", "-std=c11", "-fPIC", "-shared", f"-I{root}/include", *flags,
                    *map(str, (root / "bindings/lua").glob("*.c")), "-o", str(module), f"-L{library.parent}", "-limgcls",
                    f"-Wl,-rpath,{library.parent}"], check=True)
    script = folder / "predict.lua"
    script.write_text(SCRIPT)
    out = subprocess.run([lua, str(script), model, picture], capture_output=True, text=True, check=True,
                         env={**os.environ, "LUA_CPATH": f"{module.parent}/?.so"}).stdout
    return {name: bits(p) for name, p in (line.rsplit("\t", 1) for line in out.splitlines())}


def write_pictures(folder):
    for i in range(40):
        pixels = bytes((20 + 70 * (i % 3) + (j * 7 + i * 13) % 60) for j in range(28 * 28))
        path = folder / "photos" / f"class {i % 3}" / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        imgcls.Image(memoryview(pixels).cast("B", (28, 28))).save_png(path)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_pictures(folder)
        model, picture = str(folder / "model.safetensors"), str(folder / "photos" / "class 1" / "4.png")
        subprocess.run([command, "train", folder / "photos", "--out", model, "--network", "lenet5", "--epochs",
                        "2", "--batch-size", "8"], capture_output=True, check=True)
        wanted = from_command(model, picture)
        failed = 0

        def compare(what, got):
            nonlocal failed
            failed |= got != wanted
            print("ok" if got == wanted else "not ok", what, "and the command give the same probabilities")

        compare("Python", from_python(model, picture))
        for lua in ("lua5.4", "lua5.1", "luajit"):
            if subprocess.run(["sh", "-c", f"command -v {lua} && pkg-config --exists {lua}"],
                              capture_output=True).returncode == 0:
                compare(lua, from_lua(lua, folder / "imgcls.so", model, picture, folder))
        return failed


sys.exit(main())
