"""test_command.py IMGCLS: the command line's forms that scripts rely on; prints "ok" and "not ok" lines."""

import csv
import fcntl
import io
import json
import os
import pathlib
import pty
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import zlib

from pictures import png

COMMAND = sys.argv[1]
failed = 0


def locale(name):
    return {**os.environ, "LC_ALL": name, "TERM": "xterm"}


def run(*arguments, code=0, env=None, text=""):
    """What it writes, given a text on standard input."""
    done = subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, encoding="utf-8", env=env, input=text)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done.stdout, done.stderr


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
    assert run("--version")[0].startswith("imgcls ") and run("version") == run("--version")
    listed = run("options")[0]
    assert "--learning-rate" in listed and "--network" in listed


def inspect():
    found = json.loads(run("inspect", photos, "--duplicates", "exact", "--json")[0])
    assert found["count"] == 40
    assert found["classes"] == [{"class": "dark", "count": 20}, {"class": "light", "count": 20}]
    assert len(found["broken"]) == 1 and found["broken"][0]["file"].endswith("cut.png")
    assert found["broken"][0]["reason"] and "sizes" in found
    sheet = root / "sheet.png"
    assert "dark" in run("inspect", photos, "--plot", sheet, "--policy", "trivial")[0]
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert found["pairs"] == [] and found["groups"] == 0 and found["formats"]["png"] == 40
    assert [finding["kind"] for finding in found["findings"]] == ["broken"]
    report = run("inspect", photos, "--duplicates", "exact")[0]
    assert "! not readable: 1 of 41 files\n" in report and "cut.png: " in report and "\n  -> get" in report
    assert "sheet.gif" in run("inspect", photos, "--plot", root / "sheet.gif", code=1)[1]


def advice_names_flags():
    """As a command line takes them, not as a program does."""
    for i in range(60):
        png(root / "uneven" / ("few" if i % 12 == 0 else "many") / f"{i}.png", i % 12 == 0, i)
    report = " ".join(run("inspect", root / "uneven")[0].split())
    assert "--sampling balanced (or --class-weights balanced)" in report and "=balanced" not in report, report


def inspect_leaks():
    leaky = root / "leaky"
    shutil.copytree(parted, leaky)
    shutil.copy(leaky / "train/dark/0.png", leaky / "test/light/again.png")
    report, messages = run("inspect", leaky, "--duplicates", "exact", "--pairs", root / "pairs.png", "--classes", root / "classes.svg")
    assert "! in the training part, too: 1 of 21 test pictures" in report and "again.png" in report
    assert "! filed under two classes: 1 pictures" in report
    assert (root / "pairs.png").read_bytes().startswith(b"\x89PNG")
    assert ">light</text>" in (root / "classes.svg").read_text()
    assert "leak" not in run("inspect", leaky, "--duplicates", "off", "--json")[0]
    assert "nothing to draw" in run("inspect", photos, "--duplicates", "off", "--pairs", root / "none.png")[1]
    out = root / "leaky.safetensors"
    assert "21 test pictures are in the training part" in run("train", leaky, "--out", out, *QUICK)[1]
    assert "training part" not in run("train", leaky, "--out", out, *QUICK, "--leaks", "off")[1]


def groups():
    for i in range(40):
        name = "light" if i % 2 else "dark"
        png(root / "grouped" / name / f"p{i // 4}_{i}.png", i % 2, i)
    group, out = ("--group", "name:(p*)_*"), root / "grouped.safetensors"
    messages = run("train", root / "grouped", "--out", out, *QUICK, *group, "--validation-share", 0.3)[1]
    assert "12 pictures (validation" in run(*shlex.split(re.search("next: imgcls (.*)", messages)[1]))[0], messages
    report = json.loads(run("evaluate", out, root / "grouped", *group, "--json")[0])
    assert report["split"] == "validation" and report["count"] == 12
    assert "option group = name:(p*)_*" in run("evaluate", out, root / "grouped", code=1)[1]
    assert "none of: auto, none" in run("inspect", root / "grouped", "--group", "x", code=1)[1]
    found, log = run("inspect", root / "grouped", "--json")
    assert json.loads(found)["groups"] == 10 and "10 groups, as p" in log
    assert json.loads(run("inspect", root / "grouped", "--group", "none", "--json")[0])["groups"] == 0


def train():
    out, messages = run("train", photos, "--out", model, "--json", "--plot", root / "curves.png", *QUICK)
    lines = [json.loads(line) for line in out.splitlines()]
    assert len(lines) == 4
    for key in ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy",
                "seconds", "pictures_per_second", "waiting"):
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


def find_rate():
    out, _ = run("train", photos, "--find-rate", *QUICK)
    assert 1e-5 < float(out) <= 1
    out, _ = run("train", photos, "--find-rate", "--json", *QUICK)
    assert 1e-5 < json.loads(out)["learning_rate"] <= 1
    assert "conv" in run("train", photos, "--find-rate", "--freeze", "head.*", *QUICK, code=1)[1]


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


def page():
    place = root / "a page.html"
    report = json.loads(run("evaluate", model, photos, "--report", place, "--split", "all", "--json", "--method", "gradcam",
                            "--resamples", 50)[0])
    text = place.read_text(encoding="utf-8")
    assert f" of {report['count']} pictures" in text and "<title>How good" in text
    assert f"imgcls evaluate {model} {photos} --report '{place}' --split all" in text
    assert report["command"] in text and report["model"]["flags"] in text
    assert report["model"]["training"]["best_epoch"] >= 1 and report["version"] in text
    assert report["data"]["count"] == report["count"] and "unknown" in report
    assert "cut.png" in text and "src=\"http" not in text
    for wrong in (root / "no/such.html", root, root / "rep.pdf", root / "rep"):
        for command in (("evaluate", model), ("cross-validate",)):
            messages = run(*command, photos, "--report", wrong, code=1)
            assert "--report" in messages[1] and not messages[0] and "pictures in" not in messages[1], messages
    assert "a report is a page, .html or .htm; choose" in run("evaluate", model, photos, "--report", root / "a.pdf", code=1)[1]
    run("evaluate", model, photos, "--report", root / "old.HTM", "--method", "gradcam", "--resamples", 50)
    run("cross-validate", photos, "--folds", 2, "--report", place, *QUICK)
    text = place.read_text(encoding="utf-8")
    assert "imgcls cross-validate" in text and "Model by model" in text
    assert "--command is not for imgcls evaluate" in run("evaluate", model, photos, "--command", "x", code=2)[1]


def says_how_sure_it_is():
    report = json.loads(run("evaluate", model, photos, "--json", "--split", "all", "--resamples", 50)[0])
    for name in ("accuracy", "auc", "f1", "mcc", "brier"):
        low, high = report["intervals"][name]
        assert low <= report[name] <= high, name
    assert len(report["pictures"]) == 40 and len(report["calibration"]["share"]) == 15
    assert report["per_class"][1]["roc"]["true_positive_rate"][-1] == 1
    again = json.loads(run("evaluate", model, photos, "--json", "--split", "all", "--resamples", 50, "--threads", 1)[0])
    assert report == again
    text = run("evaluate", model, photos, "--interval", "0.9")[0]
    assert "90 % interval" in text and "would be chance" in text, text


def compare():
    other = root / "other.safetensors"
    run("train", photos, "--out", other, *QUICK, "--seed", 3, "--epochs", "0.2")
    text = run("compare", model, other, photos, "--split", "all")[0]
    assert "40 pictures (all" in text and "McNemar's test: p = " in text, text
    found = json.loads(run("compare", model, other, photos, "--split", "all", "--json")[0])
    assert found["count"] == 40 and len(found["regressions"]) == found["only_before_right"]
    cells = ("both_right", "only_before_right", "only_after_right", "both_wrong")
    assert sum(found[cell] for cell in cells) == 40
    same = json.loads(run("compare", model, model, photos, "--json")[0])
    assert same["p_value"] == 1 and same["count"] == 6 and same["gains"] == []
    assert "two models" in run("compare", model, photos, code=2)[1]
    assert "missing" in run("compare", model, root / "missing", photos, code=1)[1]


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


def files_of(*arguments, code=0, text=""):
    """The pictures that a prediction is made of, in order."""
    out = run("predict", model, *arguments, "--json", "--top", 1, code=code, text=text)[0]
    return [json.loads(line)["file"] for line in out.splitlines()]


def folders_and_lists():
    """A folder stands for its pictures by their names, whatever else is there; - for a list."""
    many = root / "many kinds"
    for name in ("b/2.PNG", "b/1.png", "b/.hidden.png", "a.Jpeg", "c.jpg", ".git/0.png", "b/deep/er/0.png"):
        png(many / name, 1, 1)
    (many / "notes.txt").write_text("no picture")
    (many / "b" / "round").symlink_to(many)
    (many / "b" / "again").symlink_to(many / "b")
    (many / "linked").symlink_to(photos / "dark" / "..")
    (many / "linked.png").symlink_to(photos / "dark" / "0.png")
    (many / "lost.png").symlink_to(root / "nowhere")
    linked = [f"linked/{name}/{file}" for name in ("dark", "light")
              for file in sorted(path.name for path in (photos / name).iterdir())]
    expected = ["a.Jpeg", "b/1.png", "b/2.PNG", "b/deep/er/0.png", "c.jpg", *linked, "linked.png", "lost.png"]
    assert files_of(many, code=1) == [f"{many}/{name}" for name in expected]  # cut.png, lost.png
    (many / "b" / "round").unlink()
    assert files_of(f"{many}/b/", many / "c.jpg") == [f"{many}/b/1.png", f"{many}/b/2.PNG", f"{many}/b/deep/er/0.png",
                                                     f"{many}/c.jpg"]
    assert files_of("-", text=f"{many}/c.jpg\r\n\n{many}/b/1.png") == [f"{many}/c.jpg", f"{many}/b/1.png"]
    assert "it is a folder" in run("predict", model, "-", code=1, text=f"{many}\n")[1]
    none = root / "no pictures"
    png(none / ".cache" / "0.png", 1, 1)
    for command in ("predict", "explain"):
        assert f"no .jpg, .jpeg or .png in or below {none}\n" in run(command, model, none, code=1)[1]
        assert "standard input names no pictures" in run(command, model, "-", code=1)[1]
    assert files_of(none, many / "c.jpg", code=1) == [f"{many}/c.jpg"]
    kinds = root / "kinds"
    for name in ("a.jfif", "b.JPE", "c.png", "d.webp", "e.TIFF", "f.txt"):
        png(kinds / name, 1, 1)
    out, messages = run("predict", model, kinds)
    assert [line.split(":")[0] for line in out.splitlines()] == [f"{kinds}/{name}" for name in ("a.jfif", "b.JPE", "c.png")]
    assert f"{kinds}: 2 pictures of other formats, such as {kinds}/d.webp, passed over" in messages, messages
    lines = run("explain", model, many / "b", "--method", "gradcam", "--json", "--out", root / "heats")[0].splitlines()
    assert [json.loads(line)["out"] for line in lines] == [f"{root}/heats/{name}.heat.png" for name in ("1", "2", "deep/er/0")]
    assert all(pathlib.Path(json.loads(line)["out"]).exists() for line in lines)
    run("explain", model, photos / "dark", photos / "light", "--method", "gradcam", "--out", f"{root}/flat/", code=1)
    assert len(list((root / "flat").iterdir())) == 40
    messages = run("explain", model, "-", "--out", root / "flat", code=2, text=f"{many}/b/1.png\n{many}/c.jpg\n" +
                   f"{photos}/light/1.png\n")[1]
    assert f"{many}/b/1.png and {photos}/light/1.png have one name" in messages or \
        f"{photos}/light/1.png and {many}/b/1.png have one name" in messages, messages


def table():
    """What a spreadsheet opens: a row a picture, whatever its name is."""
    odd, costly = root / 'odd, "x"' / "a\nb\x1b.png", root / "costly table.safetensors"
    png(odd, 0, 0)
    files = [photos / "light" / "1.png", root / "missing.png", odd]
    out, messages = run("predict", model, *files, "--csv", code=1)
    rows = list(csv.reader(io.StringIO(out), strict=True))
    assert out.splitlines()[0] == "path,class,probability,unknown,decision" and len(out.splitlines()) == 4
    assert rows[1][:2] == [str(files[0]), "light"] and rows[1][3:] == ["", ""] and 0.5 <= float(rows[1][2]) <= 1
    assert rows[2] == [str(files[1]), "", "", "", ""] and "missing.png" in messages
    assert rows[3][:2] == [str(root / 'odd, "x"' / "a?b?.png"), "dark"], rows
    told = json.loads(run("predict", model, files[0], "--json")[0])
    assert float(rows[1][2]) == told["predictions"][0]["probability"] and told["decision"] is None
    run("decide", model, photos, "--class", "dark", "--threshold", 0.0001, "--out", costly)
    assert run("predict", costly, files[0], "--csv")[0].endswith(",dark\n")
    assert json.loads(run("predict", costly, files[0], "--json")[0])["decision"] == "dark"
    assert run("predict", costly, files[0])[0].endswith("; to act on: dark\n")
    assert "saved" in run("decide", costly, "--none")[0]
    assert json.loads(run("predict", costly, files[0], "--json")[0])["decision"] is None
    for wrong in ((costly, photos, "--none"), (costly, "--none", "--class", "dark"), (costly, "--none", "--costs", "x.csv")):
        assert "decide" in run("decide", *wrong, code=2)[1]
    assert "take one of them" in run("predict", model, files[0], "--csv", "--json", code=2)[1]
    assert "--top" in run("predict", model, files[0], "--csv", "--top", 2, code=2)[1]


def unknown():
    """Pictures unlike the training pictures are said to be so, by one model and by several."""
    one, two, blank = root / "one, calm.safetensors", root / "two.safetensors", root / "blank" / "0.png"
    many = root / "many"
    for i in range(120):
        png(many / ("light" if i % 2 else "dark") / f"{i}.png", i % 2, i)
    png(blank, 0, 0, flat=True)
    share = ("--validation-share", 0.5)
    assert "temperature" in run("train", many, "--out", one, *QUICK, *share)[1]
    run("train", many, "--out", two, *QUICK, *share, "--seed", 4)
    told = json.loads(run("info", one, "--json")[0])["confidence"]
    assert told["pictures"] >= 50 and "unknown" in told and "temperature" in run("info", one)[0]
    stranger, known = (json.loads(line) for line in
                       run("predict", one, blank, many / "dark" / "0.png", "--json")[0].splitlines())
    assert [row[3] for row in csv.reader(io.StringIO(run("predict", one, blank, many / "dark" / "0.png", "--csv")[0]))] == \
        ["unknown", "true", "false"]
    assert stranger["unknown"] is True and stranger["score"] > stranger["threshold"] > known["score"]
    assert known["unknown"] is False and known["spread"] == 0
    assert "unknown (looks like none of the training pictures" in run("predict", one, blank)[0]
    assert f"{blank}: unknown (looks like none of the training pictures" in run("explain", one, blank)[0]
    explained = json.loads(run("explain", one, blank, "--json")[0])
    assert {name: explained[name] for name in ("unknown", "score", "threshold")} == \
        {name: stranger[name] for name in ("unknown", "score", "threshold")}, explained
    assert "--out FILE.png draws" in run("explain", one, blank)[1]
    both = json.loads(run("predict", f"{one},{two}", blank, "--json")[0])
    assert both["unknown"] is True and both["threshold"] != stranger["threshold"]
    assert " +- " in run("predict", f"{two},{model},{one}", many / "dark" / "0.png")[0]
    assert json.loads(run("predict", model, blank, "--json")[0])["unknown"] is None
    assert "missing" in run("predict", f"{one},{root}/missing", blank, code=1)[1]
    plain = root / "plain.safetensors"
    run("train", many, "--out", plain, *QUICK, *share, "--unknown", "off", "--calibrate", "off")
    assert "confidence" not in json.loads(run("info", plain, "--json")[0])


def views():
    """Averages over mirrored and shifted views; only shifted ones where training mirrored nothing."""
    mirrored, picture = root / "mirrored.safetensors", photos / "light" / "1.png"
    run("train", photos, "--out", mirrored, "--flip", "on", *QUICK)
    rows = {}
    for of in (model, mirrored):
        for count in (1, 2, 6):
            line = json.loads(run("predict", of, picture, "--json", "--views", count)[0])
            rows[of, count] = {p["class"]: p["probability"] for p in line["predictions"]}
            assert abs(sum(rows[of, count].values()) - 1) < 1e-5
    assert rows[model, 1] == rows[model, 2] != rows[model, 6]
    assert len({tuple(sorted(rows[mirrored, count].items())) for count in (1, 2, 6)}) == 3
    loss = [json.loads(run("evaluate", mirrored, photos, "--json", "--views", n)[0])["loss"] for n in (1, 2, 6)]
    assert len(set(loss)) == 3, loss
    assert "3 of 6 views" in run("evaluate", model, photos, "--views", 6)[1]
    for wrong in (0, 3, "x"):
        assert "--views takes 1|2|6" in run("predict", model, picture, "--views", wrong, code=2)[1]
        assert "--views takes 1|2|6" in run("evaluate", model, photos, "--views", wrong, code=2)[1]


def explain():
    files, maps = [photos / "dark" / "0.png", root / "missing.png", photos / "light" / "1.png"], root / "maps"
    maps.mkdir()
    out, messages = run("explain", model, *files, "--json", "--out", maps, code=1)
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["file"] for line in lines] == [str(f) for f in files]
    assert "error" in lines[1] and "missing.png" in messages
    assert (lines[0]["class"], lines[2]["class"]) == ("dark", "light") and lines[0]["method"] == "occlusion"
    assert lines[0]["out"] == str(maps / "0.heat.png") and not (maps / "missing.heat.png").exists()
    check_png((maps / "0.heat.png").read_bytes())
    assert json.loads(run("predict", model, files[0], "--json")[0])["predictions"][0]["probability"] == \
        lines[0]["probability"]
    one = root / "one.png"
    assert "light" in run("explain", model, files[0], "--class", "light", "--method", "gradcam", "--out", one)[0]
    check_png(one.read_bytes())
    text = run("explain", model, files[0])[0]
    assert text.startswith(str(files[0]) + ": dark ") and "(occlusion)" in text
    assert "no class grey: its classes are dark, light" in run("explain", model, files[0], "--class", "grey", code=1)[1]
    assert "is a folder" in run("explain", model, files[0], files[2], "--out", one, code=2)[1]
    assert "is a folder" in run("explain", model, files[0], files[2], "--out", root / "new.png", code=2)[1]
    for place in ("heat.jpg", "heat", "no/such.png"):
        messages = run("explain", model, files[0], "--out", root / place, code=1)[1]
        assert f"cannot write {root / place}: " in messages and "--out" in messages and not (root / place).exists(), messages
    assert "a heat map is a .png" in run("explain", model, files[0], "--out", root / "heat.jpg", code=1)[1]
    assert "cannot make the folder" in run("explain", model, files[0], files[2], "--out", root / "no/such", code=1)[1]
    made = root / "made"
    run("explain", model, files[0], files[2], "--method", "gradcam", "--out", made)
    assert sorted(path.name for path in made.iterdir()) == ["0.heat.png", "1.heat.png"]
    (photos / "dark" / "0.png").read_bytes()
    same = root / "0.png"
    same.write_bytes(files[0].read_bytes())
    assert "one name" in run("explain", model, files[0], same, "--out", maps, code=2)[1]
    assert "auto, gradcam" in run("explain", model, files[0], "--method", "guess", code=2)[1].replace("|", ", ")
    run("explain", model, code=2)


def explain_interrupted():
    """Pictures that are left undone are a failure, whatever the explanation was doing when ^C came."""
    files = [photos / "dark" / "0.png"] * 20000
    with subprocess.Popen([COMMAND, "explain", model, *files, "--json", "--method", "gradcam"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8") as explaining:
        explaining.stdout.readline()
        explaining.send_signal(signal.SIGINT)
        out, messages = explaining.communicate(timeout=60)
    assert explaining.returncode == 1 and "stopped before" in messages and len(out.splitlines()) < len(files) - 1


def classes_without_pictures():
    """A share of nothing is no 0 %; and a list that ends early says so."""
    many, some, costly = root / "classes", root / "some classes", root / "costly.safetensors"
    for i in range(66):
        png(many / f"c{i // 3:02}" / f"{i}.png", i % 2, i)
    shutil.copytree(many, some)
    shutil.rmtree(some / "c01")
    run("train", many, "--out", costly, "--validation", many, *QUICK, "--epochs", 1)
    rows = run("evaluate", costly, some, "--split", "all")[0].splitlines()
    assert [row.split()[-1] for row in rows if row.startswith("c0")][:3] == ["3", "0", "3"], rows
    row = [row for row in rows if row.startswith("c01 ")][0]
    assert re.fullmatch(r"c01 +(-|0\.0 %) +- +- +0", row) and len(row) == len(rows[rows.index(row) + 1]), row
    (root / "costs.csv").write_text("c00,c02,5\n")
    text = run("decide", costly, some, "--costs", root / "costs.csv", "--split", "all")[0]
    right = json.loads(run("evaluate", costly, some, "--split", "all", "--json")[0])["accuracy"]
    assert f"by the most probable class: {100 * right:.2f} % right\n" in text, text
    assert re.search(r"of each class: c00 [\d.]+ %, c01 -, c02 [\d.]+ %, .*, c19 [\d.]+ % and 2 more\n", text), text


def cross_validation():
    """The plan is told once, then what differs; ^C says what becomes of models that are done."""
    log = run("cross-validate", photos, "--folds", 3, *QUICK)[1].splitlines()
    assert len(log) == len(set(log)) and sum("learning rate" in line for line in log) == 1, log
    assert [line[:12] for line in log if line.startswith("model ")] == ["model 1 of 3", "model 2 of 3", "model 3 of 3"]
    for arguments in (("cross-validate", photos), ("inspect", photos, "--labels", "--duplicates", "off")):
        with subprocess.Popen([COMMAND, *map(str, arguments), "--network", "lenet5", "--epochs", "100000", "--patience", "0"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as validating:
            while "training on" not in validating.stderr.readline():
                pass
            validating.send_signal(signal.SIGINT)
            messages = validating.communicate(timeout=60)[1]
        assert validating.returncode == 1 and "finished are not kept" in messages and "--folds" in messages, messages
        assert "callback" not in messages, messages


def labels():
    """Those that are likely wrong; and that models which know nothing cannot tell."""
    swapped, noise, many = root / "swapped", root / "noise", ("--duplicates", "off", "--labels", "--folds", 2)
    shutil.copytree(photos, swapped)
    (swapped / "light" / "1.png").rename(swapped / "dark" / "1.png")
    report = run("inspect", swapped, *many, *QUICK, "--epochs", 60)[0]
    assert re.search(r"1 label is likely wrong; .*\n  \S*swapped/dark/1.png\n      filed under dark, looks like light .*"
                     r"\n  -> look at them", report) and "weak" not in report, report
    for i in range(40):  # the classes have nothing to do with what is seen
        png(noise / ("light" if (i * 7919 >> 3) % 2 else "dark") / f"{i}.png", i % 2, i)
    report = run("inspect", noise, *many, *QUICK, "--repeats", 2)[0]
    said = re.search(r"too weak to judge labels: .* (\d+) of 40 labels look wrong", report, re.S)
    assert said and 3 * int(said[1]) > 40 and said.end() < report.index(f"\n{said[1]} labels look wrong; "), report
    assert "move those" not in report and "too weak" in run("inspect", noise, *many, *QUICK, "--json")[1]


def models_that_are_none():
    """What a model is, and that it comes first."""
    listed, made = root / "listed.csv", "; MODEL is the file that imgcls train --out wrote\n"
    listed.write_text("path,label\n" + "".join(f"{photos}/{('dark', 'light')[i % 2]}/{i}.png,{i % 2}\n" for i in range(40)))
    threshold, picture = ("--class", "dark", "--threshold", 0.5), photos / "dark" / "0.png"
    for wrong in (photos, listed, root / "nowhere"):
        for command, *rest in (("info",), ("evaluate", photos), ("compare", model, photos), ("decide", photos, *threshold),
                               ("predict", picture), ("explain", picture)):
            messages = run(command, wrong, *rest, code=1)[1]
            assert messages.endswith(made) and str(wrong) in messages, messages
        assert run("train", photos, "--out", root / "x", "--from", wrong, code=1)[1].endswith(made)
        assert run("inspect", photos, "--labels", "--model", wrong, code=1)[1].endswith(made)
    for first, command, *rest in ((photos, "evaluate", model), (listed, "evaluate", model), (photos, "compare", model, model),
                                  (photos, "decide", model, *threshold), (picture, "predict", model),
                                  (photos, "explain", model)):
        assert f"MODEL comes first: {model} is one, and {first} is none" in run(command, first, *rest, code=1)[1]
    assert "comes first" not in run("evaluate", root / "nowhere", model, code=1)[1]


def names_of_classes():
    """A class that there is not: the one that is meant, or all of them, before the pictures are measured."""
    picture, grey = photos / "dark" / "0.png", "the model has no class grey: its classes are dark, light\n"
    for arguments in (("decide", model, photos, "--threshold", 0.5), ("explain", model, picture)):
        for wrong, meant in (("Dark", "dark"), ("lights", "light"), ("lihgt", "light")):
            messages = run(*arguments, "--class", wrong, code=1)[1]
            assert f"imgcls: the model has no class {wrong}; did you mean {meant}?\n" == messages, messages
        assert run(*arguments, "--class", "grey", code=1)[1] == f"imgcls: {grey}"
    assert "its classes are dark, light\n" in run("explain", model, picture, "--class", "d", code=1)[1]
    costs, out = root / "named.csv", root / "costs.safetensors"
    for text, line, problem in (("dark,light,5\nDark,light,1", 2, "the model has no class Dark; did you mean dark?\n"),
                                ("# so\n\ndark,grey,1", 3, grey), ("actual,called,cost\ndark,light", 2, "costs are "),
                                ("dark,light,much", 1, "this is not a number: much\n"),
                                ("x" * 5000, 1, "the line is too long\n")):
        costs.write_text(text)
        messages = run("decide", model, photos, "--costs", costs, "--out", out, code=1)[1]
        assert messages.startswith(f"imgcls: line {line} of {costs}: {problem}"), messages
    for heading in ("actual,called,cost\n", "\ufeffActual,Called,Cost\r\n", "\ufeff", ""):
        costs.write_text(heading + "dark,light,5\n", encoding="utf-8")
        run("decide", model, photos, "--costs", costs, "--out", out)
        assert json.loads(run("info", out, "--json")[0])["costs"] == [[0, 5], [1, 0]]


def wrong_usage():
    assert "did you mean train?" in run("trian", code=2)[1]
    assert "did you mean" not in run("xrxxn", code=2)[1]
    assert "--epochs" in run("train", photos, "--out", model, "--epoch", 3, code=2)[1]
    assert "resnet9" in run("train", photos, "--out", model, "--network", "resnet99", code=2)[1]
    assert "--out" in run("train", photos, code=2)[1]
    assert "--batch-size takes" in run("train", photos, "--out", model, "--batch-size", "x", code=2)[1]
    for flag, value in (("--minutes", 1), ("--from", model)):
        for rest in (("--out", model), ("--find-rate",)):
            messages = run("train", photos, *rest, "--resume", model, flag, value, code=2)[1]
            assert "--resume goes on" in messages and flag + " " in messages.splitlines()[0], messages
    run("predict", model, code=2)
    run(code=2)


def help_of_commands():
    for command in ("train", "evaluate", "compare", "predict", "explain", "inspect", "info", "options"):
        out, messages = run(command, "--help")
        assert out.startswith("usage: imgcls " + command) and messages == "" and run("help", command) == (out, "")
    assert "--epochs" in run("train", "-h")[0] and "--epochs" not in run("predict", "--help")[0]
    assert "imgcls train" in run("--help")[0] and run("help") == run("--help") == run("-h")
    assert "did you mean train?" in run("help", "trian", code=2)[1]
    keys = json.loads(run("predict", model, photos / "dark" / "0.png", "--json")[0])
    assert all(re.search(rf"^  {key}\b", run("help", "predict")[0], re.M) for key in [*keys, "error"]), keys
    assert all(len(line) <= 100 for line in run("help", "predict")[0].splitlines()[:20])


def places_are_tried_before_the_training():
    in_the_way = root / "in the way"
    in_the_way.mkdir()
    for flag, place in (("--plot", root / "curves.gif"), ("--plot", root / "no/such.png"),
                        ("--out", root), ("--out", "/dev/null"), ("--checkpoint", in_the_way),
                        ("--checkpoint", root / "no/such")):
        messages = run("train", photos, "--out", model, flag, place, code=1)[1]
        assert str(place) in messages and flag in messages and "epoch" not in messages, messages
    assert "curves.gif" in run("evaluate", model, photos, "--plot", root / "curves.gif", code=1)[1]


def harmless(text):
    """Nothing in it that a terminal would obey."""
    return not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def strange_names():
    names = ['a "b", \\c', "Größe\nzwei\x1b[2J\x9b2J\x7f\xa0"]
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
        assert harmless(text) and "Größe?zwei?[2J?2J?\xa0" in text, text
    assert "\x1b" not in (root / "strange.svg").read_text()
    (root / "not_utf8").mkdir()
    broken = bytes(root / "not_utf8") + b"/\xff.jpg"
    with open(broken, "wb") as file:
        file.write(b"no picture")
    done = subprocess.run([COMMAND, "predict", strange, broken, "--json"], capture_output=True)
    assert "error" in json.loads(done.stdout.decode())
    (root / "strange" / names[1] / "cut\x1b\x9b.png").write_bytes(b"no picture")
    report, messages = run("inspect", root / "strange", "--duplicates", "exact")
    assert harmless(report) and harmless(messages) and "cut??.png: " in report, report
    evil, out = "\x1b\x9b2J", root / "never.safetensors"
    for arguments, code in (((evil,), 2), (("train", "--" + evil), 2), (("train", "-" + evil), 2), (("info", evil), 1),
                            (("train", photos, "--out", out, "--network", evil), 2),
                            (("decide", strange, root / "strange", "--class", evil, "--threshold", 0.5), 1)):
        messages = run(*arguments, code=code)[1]
        assert harmless(messages) and "??2J" in messages, messages


def json_is_utf8():
    """Bytes that are no character become U+FFFD each; the characters next to them stay."""
    texts = ((b"\xc0\x80", 2), (b"\xe0\x9f\xbf", 3), (b"\xed\xa0\x80", 3), (b"\xed\xbf\xbf", 3), (b"\xf0\x8f\xbf\xbf", 4),
             (b"\xf4\x90\x80\x80", 4), (b"\xf5\x80\x80\x80", 4), (b"\xe2\x82", 2), (b"\x80", 1),
             (b"\xe0\xa0\x80", 0), (b"\xed\x9f\xbf\xee\x80\x80", 0), (b"\xf0\x90\x80\x80", 0), (b"\xf4\x8f\xbf\xbf", 0))
    for command in ("predict", "explain"):
        done = subprocess.run([COMMAND, command, model, *(text + b".png" for text, _ in texts), "--json"],
                              capture_output=True)
        lines = [json.loads(line) for line in done.stdout.decode().splitlines()]
        assert len(lines) == len(texts)
        for line, (text, wrong) in zip(lines, texts):
            wanted = "\ufffd" * wrong if wrong else text.decode()
            assert line["file"] == wanted + ".png", (command, text, line)


def stopped(*arguments):
    """What a training writes that gets ^C after its first epoch."""
    with subprocess.Popen([COMMAND, "train", *map(str, arguments), "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8") as training:
        assert json.loads(training.stdout.readline())["epoch"] == 1
        training.send_signal(signal.SIGINT)
        out, messages = training.communicate(timeout=60)
    assert training.returncode == 1 and "stopped" in messages, messages
    return out, messages


def interrupt():
    """^C keeps the best epoch."""
    kept = root / "kept.safetensors"
    out, messages = stopped(photos, "--out", kept, "--epochs", 100000, "--network", "lenet5")
    assert f"--resume {kept}.checkpoint" in messages, messages
    assert json.loads(out.splitlines()[-1])["model"] == str(kept)
    assert json.loads(run("info", kept, "--json")[0])["training"]["best_epoch"] >= 1
    assert "lacks what comes behind the last epoch" in messages
    before = kept.read_bytes()
    out, messages = stopped(photos, "--out", kept, "--minutes", 5, "--network", "lenet5")
    assert "the same again" not in messages and f"{kept} was there before, and is kept; the best epoch" in messages
    assert kept.read_bytes() == before and json.loads(out.splitlines()[-1])["model"] == f"{kept}.checkpoint"
    run("predict", f"{kept}.checkpoint", photos / "light" / "1.png")
    assert "whatever its name: no .onnx" in run("train", photos, "--out", root / "q.onnx", *QUICK)[1]


def resume():
    """What ^C interrupted ends as if it had not been; the checkpoint is gone then."""
    whole, part = root / "whole.safetensors", root / "part.safetensors"
    checkpoint = root / "part.safetensors.checkpoint"
    long = ("--network", "lenet5", "--epochs", 400, "--batch-size", 8, "--flip", "on")
    run("train", photos, "--out", whole, *long)
    stopped(photos, "--out", part, *long)
    assert checkpoint.exists() and part.read_bytes() != whole.read_bytes()
    run("info", checkpoint)  # is a model too
    elsewhere = root / "elsewhere.checkpoint"
    shutil.copy(checkpoint, elsewhere)
    run("train", photos, "--out", part, "--resume", checkpoint)
    assert part.read_bytes() == whole.read_bytes() and not checkpoint.exists()
    checkpoint.write_bytes(b"of another training")
    run("train", photos, "--out", part, "--resume", elsewhere)
    assert pathlib.Path(f"{checkpoint}.old").read_bytes() == b"of another training"
    assert "not a checkpoint" in run("train", photos, "--out", part, "--resume", whole, code=1)[1]


def the_printed_command_goes_on():
    """With what opens the data set as before, but without what the checkpoint knows."""
    files, part, checkpoint = root / "files.csv", root / "went on.safetensors", root / "of files.checkpoint"
    files.write_text("path,label,who\n" + "".join(f"photos/{name}/{i}.png,{name},{i // 4}\n" for i in range(40)
                                                 for name in [("dark", "light")[i % 2]]))
    messages = stopped(files, "--out", part, "--group", "column:who", "--verify=header", "--threads", 2, "--seed", 3,
                       "--network", "lenet5", "--epochs", 400, "--cache_mb", 100, "--checkpoint", checkpoint)[1]
    words = shlex.split(re.search(r"to go on: imgcls (.*)", messages)[1])
    assert words == ["train", str(files), "--out", str(part), "--resume", str(checkpoint), "--checkpoint", str(checkpoint),
                     "--threads", "2", "--verify", "header", "--group", "column:who", "--cache-mb", "100"], words
    run(*words)
    assert part.exists() and not checkpoint.exists()


def again(messages, out):
    """Runs the command that repeats a training, with another place for the model; its words."""
    words = shlex.split(re.search(r"the same again, exactly: imgcls (.*)", messages)[1])
    names = words[2::2]
    assert "--replan" in names and "--minutes" not in names and len(names) == len(set(names)), words
    words[words.index("--out") + 1] = str(out)
    run(*words)
    return words


def minutes():
    """Within the time, and the printed flags repeat it without a clock. In steps so many or so slow that no machine comes
    to the most epochs that there may be, which would need no other plan."""
    fitted, repeated, validation = root / "fitted.safetensors", root / "repeated.safetensors", root / "for validation"
    began = time.monotonic()
    messages = run("train", photos, "--out", fitted, "--minutes", "0.05", "--network", "plain", "--validation-share",
                   "0.2", "--batch-size", 2)[1]
    assert time.monotonic() - began < 0.05 * 60 * 1.05 + 1, time.monotonic() - began
    again(messages, repeated)
    assert fitted.read_bytes() == repeated.read_bytes()
    shutil.copytree(parted / "test", validation)
    for more in (("--network", "lenet5", "--denoise", "median", "--seed", 7, "--batch-size", 1),
                 ("--from", model, "--validation", validation, "--flip", "on", "--batch-size", 1, "--optimizer", "muon")):
        words = again(run("train", photos, "--out", fitted, "--minutes", 0.02, *more)[1], repeated)
        assert fitted.read_bytes() == repeated.read_bytes(), words


def from_an_earlier_model():
    """Another class is learnt on top of what a model knows."""
    for i in range(20):
        png(root / "three" / ("dark", "light", "grey")[i % 3] / f"{i}.png", i % 3 == 1, 3 * i)
    messages = run("train", root / "three", "--out", root / "three.safetensors", "--from", model, "--epochs", 1)[1]
    assert "2 of its 2 classes are kept, 1 are new" in messages, messages
    assert "network" in run("train", photos, "--out", root / "x", "--from", model, "--network", "plain", code=1)[1]


def earlier_checkpoints_stay():
    """Whatever has the checkpoint's name is kept under another one."""
    checkpoint = root / "model.safetensors.checkpoint"
    for number in ("", 2, 3):
        checkpoint.write_bytes(f"of earlier training {number}".encode())
        messages = run("train", photos, "--out", model, *QUICK)[1]
        assert f"is kept as {checkpoint}.old{number}: if" in messages and "--resume" in messages, messages
    for number in ("", 2, 3):
        kept = root / f"model.safetensors.checkpoint.old{number}"
        assert kept.read_bytes() == f"of earlier training {number}".encode()


def checkpoint_and_model_are_two_files():
    """Else the model would be removed as the checkpoint in the end; nothing is touched."""
    before = model.read_bytes()
    linked, fresh = root / "linked", root / "fresh"
    os.link(model, linked)
    for out, checkpoint in ((model, model), (model, linked), (fresh, fresh), (fresh, f"{root}/./photos/../fresh")):
        messages = run("train", photos, "--out", out, "--checkpoint", checkpoint, *QUICK, code=2)[1]
        assert "one file" in messages and "usage: imgcls train" in messages, messages
    assert model.read_bytes() == before == linked.read_bytes() and not fresh.exists()
    linked.unlink()


def on_terminal(columns, *arguments, env):
    """What the command writes to a terminal so wide."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    written = b""
    with subprocess.Popen([COMMAND, *map(str, arguments)], stdin=its, stdout=its, stderr=its, env=env) as command:
        os.close(its)
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert command.returncode == 0, written
    return written.decode().replace("\r\n", "\n")


def screen_of(written):
    """The lines that stand on a terminal in the end."""
    lines, column = [""], 0
    for token in re.findall(r"\x1b\[K|.", written, re.S):
        if token == "\n":
            lines.append("")
            column = 0
        elif token == "\r":
            column = 0
        elif token == "\x1b[K":
            lines[-1] = lines[-1][:column]
        else:
            lines[-1] = lines[-1][:column] + token + lines[-1][column + 1:]
            column += 1
    return lines


def live_line():
    """One line that is written over, within the terminal, and gone in the end."""
    for name, columns in (("C.UTF-8", 200), ("C", 80), ("C.UTF-8", 50), ("C", 24), ("C", 8)):
        written = on_terminal(columns, "train", photos, "--out", root / "live.safetensors", "--network", "lenet5",
                              "--epochs", 40, "--patience", 0, "--batch-size", 2, env=locale(name))
        live = re.findall(r"\r([^\r\n\x1b]+)\x1b\[K", written)
        assert len(live) > 40 and max(map(len, live)) <= min(79, columns - 1), (columns, live[-1])
        assert name != "C" or written.isascii()
        assert any(line.startswith("epoch") for line in live)
        if columns >= 24:
            assert re.match(r"epoch 40/40 .*\d:\d\d left", live[-1]), live[-1]
        if columns >= 80:
            assert re.search(r"epoch  9/40 \[.{12}\] loss \d\.\d+ +\d+\.\d % right .* \d:\d\d left", "\n".join(live))
            assert any("pictures/s" in line for line in live)
        shown = screen_of(written)
        assert not any(re.search(r"\d left$|validating", line) for line in shown), shown
        assert sum(line.lstrip().startswith(f"{n}/40 ") for n in range(1, 41) for line in shown) == 40
        assert shown[-1] == "" and any(line.startswith("best: epoch") for line in shown)
    plain = run("train", photos, "--out", root / "live.safetensors", *QUICK)[1]
    assert "\r" not in plain and "\x1b" not in plain, "lines alone where there is no terminal"
    dumb = on_terminal(80, "train", photos, "--out", root / "live.safetensors", *QUICK,
                       env={**locale("C"), "TERM": "dumb"})
    assert "\r" not in dumb and "\x1b" not in dumb


def summary():
    """The curve's size, scale and best epoch; the commands to go on with work as they are printed."""
    out_file = root / "it's a model.safetensors"
    for name, epochs, mark in (("C", 3, "*"), ("C.UTF-8", 15, "●"), ("C", 40, "*"), ("C", 1, None)):
        out, messages = run("train", photos, "--out", out_file, "--json", "--network", "lenet5", "--seed", 3,
                            "--epochs", epochs, "--patience", 0, env=locale(name))
        results = [json.loads(line) for line in out.splitlines()]
        last, results = results[-1], results[:-1]
        lines = messages.splitlines()
        assert f"best: epoch {last['best_epoch']} of {epochs}, " in messages
        best = 100 * results[last["best_epoch"] - 1]["validation_accuracy"]
        assert f"{best:.1f} % of unseen pictures right" in messages and f"saved {out_file}" in messages
        assert name != "C" or messages.isascii()
        following = [shlex.split(line.replace("next:", ""))[1:] for line in lines if " imgcls " in line]
        assert [words[0] for words in following] == ["evaluate", "predict"], following
        for words in following:
            assert words[1] == str(out_file) and run(*words)[0]
        if mark is None:
            assert "accuracy:" not in messages
            continue
        curve = lines[[i for i, line in enumerate(lines) if line[8:9] in ("+", "┤")][0]:]
        curve = curve[:[line.startswith("accuracy:") for line in curve].index(True) + 1]
        assert len(curve) <= 8 and max(map(len, curve)) <= 60, curve
        shares = [100 * epoch[key] for epoch in results for key in ("train_accuracy", "validation_accuracy")]
        high, low = float(curve[0][:5]), float(curve[4][:5])
        assert 0 <= low <= min(shares) and max(shares) <= high <= 100 and low < high, (low, high)
        assert float(curve[2][:5]) == (low + high) / 2
        row = [i for i in range(5) if mark in curve[i]]
        assert len(row) == 1 and abs((high - best) / (high - low) * 4 - row[0]) <= 0.7, (curve, best)
        width = len(curve[5]) - 9
        place = (last["best_epoch"] - 1) / (epochs - 1) * (width - 1)
        assert abs(curve[row[0]].index(mark) - 9 - place) <= 1, (curve, place)
        assert curve[6].split() == ["1", str(epochs)] and f"{mark} best" in curve[7]


def what_was_set_aside():
    """At the end of a training, counted by reason; of all parts, and of both data sets."""
    mixed, listed = root / "mixed", root / "mixed.csv"
    shutil.copytree(parted, mixed)
    for i in range(12):
        (mixed / "train" / "dark" / f"gif{i}.png").write_bytes(b"GIF89a" + bytes(10))
    for i in range(3):
        cut = mixed / "test" / "dark" / f"cut{i}.png"
        cut.write_bytes((parted / "test" / "dark" / "2.png").read_bytes()[:60 + i])
    (mixed / "train" / "light" / "none.jpg").touch()
    table = f"16 of 56 files of {mixed} were set aside; inspect --json lists them\n     12  this is GIF\n" \
            "      3  the PNG is cut short\n      1  the picture is empty\nsaved "
    assert table in run("train", mixed, "--out", root / "x", *QUICK)[1]
    listed.write_text("path,label\n" + "".join(f"parted/train/{name}/{i}.png,{name}\n" for i in range(0, 40)
                                               for name in [("dark", "light")[i % 2]]))
    messages = run("train", listed, "--validation", photos, "--out", root / "x", *QUICK)[1]
    assert f"20 of 40 files of {listed} were set aside; inspect --json lists them\n     20  cannot open: No such file" in \
        messages and f"\n1 of 41 files of {photos} were set aside; " in messages, messages
    assert "set aside" not in run("train", parted, "--out", root / "x", *QUICK)[1]


def check_png(data):
    """Whole, with all its pixels."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, pixels = 8, b""
    while True:
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]
        at += 12 + length
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        pixels += body if kind == b"IDAT" else b""
        if kind == b"IEND":
            break
    assert at == len(data) and len(zlib.decompress(pixels)) == height * (1 + 3 * width)


def plot_while_training():
    """There after the first epoch, whole at all times, new now and then; it stays when the training is stopped."""
    plot = root / "live.png"
    with subprocess.Popen([COMMAND, "train", photos, "--out", root / "live.safetensors", "--plot", plot, "--epochs",
                           "100000", "--network", "lenet5", "--patience", "0"], stderr=subprocess.DEVNULL) as training:
        seen, end = [], time.monotonic() + 60
        while len(seen) < 3 and time.monotonic() < end:
            if plot.exists():
                data = plot.read_bytes()
                check_png(data)
                if data not in seen:
                    seen.append(data)
            time.sleep(0.02)
        assert len(seen) == 3 and training.poll() is None
        training.send_signal(signal.SIGINT)
    check_png(plot.read_bytes())
    assert not list(root.glob(".imgcls*")), "no temporary file is left"


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


for body in (version_and_options, inspect, advice_names_flags, inspect_leaks, groups, train, the_same_file_again, find_rate, info,
             evaluate, page, says_how_sure_it_is, compare, parts, predict, folders_and_lists, table, unknown, views, explain,
             explain_interrupted, classes_without_pictures, cross_validation, labels, models_that_are_none, names_of_classes,
             wrong_usage, help_of_commands, places_are_tried_before_the_training, strange_names, json_is_utf8, interrupt,
             resume, the_printed_command_goes_on, minutes, from_an_earlier_model, earlier_checkpoints_stay,
             checkpoint_and_model_are_two_files, live_line, summary, what_was_set_aside, plot_while_training, failures):
    test(body)
folder.cleanup()
sys.exit(failed)
