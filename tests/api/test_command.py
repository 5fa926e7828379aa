"""test_command.py IMGCLS: the command line's forms that scripts rely on; prints "ok" and "not ok" lines."""

import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import zlib

COMMAND = sys.argv[1]
failed = 0


def run(*arguments, code=0):
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done.stdout, done.stderr


def png(path, light, seed, side=28):
    """A grey PNG file written by hand."""
    rows = b"".join(b"\0" + bytes((170 if light else 20) + (x * 7 + y * 3 + seed * 13) % 60
                                  for x in range(side)) for y in range(side))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test(body):
    global failed
    try:
        body()
        print("ok command", body.__name__)
    except Exception as problem:  # every test is told of
        failed = 1
        print("not ok command", body.__name__, repr(problem))


folder = tempfile.TemporaryDirectory()
root = pathlib.Path(folder.name)
photos, parted, model = root / "photos", root / "parted", root / "model.safetensors"
for i in range(40):
    name = "light" if i % 2 else "dark"
    png(photos / name / f"{i}.png", i % 2, i)
    png(parted / ("test" if i % 4 > 1 else "train") / name / f"{i}.png", i % 2, i)
(photos / "dark" / "cut.png").write_bytes((photos / "dark" / "0.png").read_bytes()[:100])
QUICK = ("--network", "lenet5", "--epochs", 3, "--batch-size", 8, "--seed", 3)


def version_and_options():
    assert run("--version")[0].startswith("imgcls ")
    listed = run("options")[0]
    assert "--learning-rate" in listed and "--network" in listed


def inspect():
    found = json.loads(run("inspect", photos, "--json")[0])
    assert found["count"] == 40
    assert found["classes"] == [{"class": "dark", "count": 20}, {"class": "light", "count": 20}]
    assert len(found["broken"]) == 1 and found["broken"][0]["file"].endswith("cut.png")
    assert found["broken"][0]["reason"] and "sizes" in found
    sheet = root / "sheet.png"
    assert "dark" in run("inspect", photos, "--plot", sheet, "--policy", "trivial")[0]
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert "sheet.gif" in run("inspect", photos, "--plot", root / "sheet.gif", code=1)[1]


def train():
    out, messages = run("train", photos, "--out", model, "--json", "--plot", root / "curves.png", *QUICK)
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 4
    for key in ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
                "seconds", "pictures_per_second"):
        assert all(key in line for line in lines[:3]), key
    assert [line["epoch"] for line in lines[:3]] == [1, 2, 3]
    assert lines[3]["model"] == str(model) and lines[3]["epochs"] == 3
    assert 1 <= lines[3]["best_epoch"] <= 3 and lines[3]["seconds"] > 0
    assert messages.count("epoch") >= 3
    assert (root / "curves.png").read_bytes()[:4] == b"\x89PNG"


def the_same_file_again():
    for threads in (1, 2):
        again = root / f"again{threads}.safetensors"
        out, _ = run("train", photos, "--out", again, "--threads", threads, *QUICK)
        assert out == "", "JSON alone goes to stdout"
        assert again.read_bytes() == model.read_bytes()


def info():
    found = json.loads(run("info", model, "--json")[0])
    assert found["network"] == "lenet5" and found["classes"] == ["dark", "light"]
    assert "lenet5" in run("info", model)[0]


def evaluate():
    report = json.loads(run("evaluate", model, photos, "--json", "--plot", root / "confusion.png")[0])
    for key in ("accuracy", "top5_accuracy", "loss", "auc", "count", "classes", "confusion"):
        assert key in report, key
    assert report["split"] == "validation" and report["count"] == 6, report
    assert set(report["per_class"][0]) >= {"class", "precision", "recall", "f1", "support"}
    assert report["skipped"][0]["file"].endswith("cut.png")
    assert json.loads(run("evaluate", model, photos, "--json", "--split", "all")[0])["count"] == 40
    assert json.loads(run("evaluate", model, parted, "--json")[0])["count"] == 20
    text, _ = run("evaluate", model, photos)
    assert "validation: held out" in text
    assert "also those that the model may have been trained on" in run("evaluate", model, photos,
                                                                       "--split", "all")[0]
    assert (root / "confusion.png").read_bytes()[:4] == b"\x89PNG"


def parts():
    other = root / "parted.safetensors"
    run("train", parted, "--out", other, *QUICK)
    report = json.loads(run("evaluate", other, parted, "--json")[0])
    assert report["split"] == "test" and report["count"] == 20
    run("train", parted / "train", "--validation", parted / "test", "--out", other, *QUICK)


def predict():
    files = [photos / "dark" / "0.png", root / "missing.png", photos / "light" / "1.png"]
    out, messages = run("predict", model, *files, "--json", "--top", 1, code=1)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["file"] for line in lines] == [str(f) for f in files]
    assert "error" in lines[1] and "missing.png" in messages
    assert lines[0]["predictions"][0]["class"] == "dark"
    assert len(lines[2]["predictions"]) == 1 and 0 <= lines[2]["predictions"][0]["probability"] <= 1
    assert "light" in run("predict", model, files[2])[0]


def wrong_usage():
    assert "train" in run("trian", code=2)[1]
    assert "--epochs" in run("train", photos, "--out", model, "--epoch", 3, code=2)[1]
    assert "resnet9" in run("train", photos, "--out", model, "--network", "resnet99", code=2)[1]
    assert "--out" in run("train", photos, code=2)[1]
    assert "--batch-size takes" in run("train", photos, "--out", model, "--batch-size", "x", code=2)[1]
    run("predict", model, code=2)
    run(code=2)


def help_of_commands():
    for command in ("train", "evaluate", "predict", "inspect", "info", "options"):
        out, messages = run(command, "--help")
        assert out.startswith("usage: imgcls " + command) and messages == ""
    assert "--epochs" in run("train", "-h")[0] and "--epochs" not in run("predict", "--help")[0]
    assert "imgcls train" in run("--help")[0]


def places_are_tried_before_the_training():
    for flag, place in (("--plot", root / "curves.gif"), ("--plot", root / "no/such.png"),
                        ("--out", root), ("--out", "/dev/null")):
        messages = run("train", photos, "--out", model, flag, place, code=1)[1]
        assert str(place) in messages and flag in messages and "epoch" not in messages, messages
    assert "curves.gif" in run("evaluate", model, photos, "--plot", root / "curves.gif", code=1)[1]


def strange_names():
    names = ['a "b", \\c', "Größe\nzwei\x1b[2J"]
    for i in range(20):
        png(root / "strange" / names[i % 2] / f"{i}.png", i % 2, i)
    strange = root / "strange.safetensors"
    run("train", root / "strange", "--out", strange, *QUICK)
    assert json.loads(run("info", strange, "--json")[0])["classes"] == sorted(names)
    picture = root / "strange" / names[1] / "1.png"
    line = json.loads(run("predict", strange, picture, "--json")[0])
    assert {p["class"] for p in line["predictions"]} == set(names) and line["file"] == str(picture)
    for text in (run("info", strange)[0], run("predict", strange, picture)[0],
                 run("evaluate", strange, root / "strange", "--plot", root / "strange.svg")[0]):
        assert "\x1b" not in text and "Größe?zwei?[2J" in text, text
    assert "\x1b" not in (root / "strange.svg").read_text()
    (root / "not_utf8").mkdir()
    broken = bytes(root / "not_utf8") + b"/\xff.jpg"
    with open(broken, "wb") as file:
        file.write(b"no picture")
    done = subprocess.run([COMMAND, "predict", strange, broken, "--json"], capture_output=True)
    assert "error" in json.loads(done.stdout.decode())


def interrupt():
    """^C keeps the best epoch."""
    kept = root / "kept.safetensors"
    with subprocess.Popen([COMMAND, "train", photos, "--out", kept, "--json", "--epochs", "100000",
                           "--network", "lenet5"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as training:
        assert json.loads(training.stdout.readline())["epoch"] == 1
        training.send_signal(signal.SIGINT)
        out, messages = training.communicate(timeout=60)
    assert training.returncode == 1 and "stopped" in messages, messages
    assert json.loads(out.splitlines()[-1])["model"] == str(kept)
    assert json.loads(run("info", kept, "--json")[0])["training"]["best_epoch"] >= 1


def failures():
    before = model.read_bytes()
    assert "nowhere" in run("train", root / "nowhere", "--out", model, code=1)[1]
    (root / "empty").mkdir()
    assert "empty" in run("train", root / "empty", "--out", model, code=1)[1]
    png(root / "single" / "only" / "a.png", 1, 1)
    png(root / "single" / "only" / "b.png", 1, 2)
    assert "class" in run("train", root / "single", "--out", model, code=1)[1]
    assert model.read_bytes() == before, "a failed training leaves the old model"
    assert "no/such" in run("train", photos, "--out", root / "no/such/x.safetensors", code=1)[1]
    cut = root / "cut.safetensors"
    cut.write_bytes(before[:-10])
    assert "cut.safetensors" in run("info", cut, code=1)[1]


for body in (version_and_options, inspect, train, the_same_file_again, info, evaluate, parts, predict,
             wrong_usage, help_of_commands, places_are_tried_before_the_training, strange_names, interrupt,
             failures):
    test(body)
folder.cleanup()
sys.exit(failed)
