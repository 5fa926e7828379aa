"""Tests of the Python package on bare Python; prints "ok" and "not ok" lines."""

import array
import base64
import contextlib
import copy
import io
import json
import math
import os
import pathlib
import pickle
import shlex
import signal
import struct
import sys
import tempfile
import threading
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import imgcls  # noqa: E402

SETTINGS = {"network": "lenet5", "epochs": 3, "batch_size": 10, "seed": 5}

LARGE_JPEG = base64.b64decode(  # waves, grey, 96 x 80 pixels
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhb"
    "WGkJ6jq62rZ4C8ybqmx5moq6T/wAALCABQAGABAREA/8QAGgABAAMBAQEAAAAAAAAAAAAABAIDBQABBv/EAB0QAAMAAgMB"
    "AQAAAAAAAAAAAAABAwIhBBExE2H/2gAIAQEAAD8AZKiL/rootbXpm8m3pm2tsM6Psulk2xse2LwxbR7lNtBqyDZx34aU7F"
    "v10VVo+gF8mwFO2yGOLbFQmzT48fB846JuOvA9ZBaTSKItsVim0eZ4NoNWTC5x2dhHfg3jx8NPjy8G4YJI9zSSB3aRn2zS"
    "I8eXg6cdE8o6D1iFzkiOOCTExSQ+LSELNJFda6M7k292Zl7b9Nrjy8HYTSR2eKSB36QCuSRQ6LstnUVOxd9telNbaM/kUe"
    "zOtk2z62LSErNJFVaLozuRb0zL22Gdtk51GSo2IxybRHPtoJbBsJnN9n0M7Fv216UWtozuRV7M62bbKe22Iim2aEMGx05P"
    "ok46KKR/A2cScqMvWbaIU7aB2xbB5zbZHCWxvHiafHj5o0Jx0Symug1sEgVUkGhi2Mwm+iWUdB6x/A2cdnYS2LhNGjDFIZ"
    "j0kQpkkgPIotmbeuxXHj5ofOOvCWUtBq4JA6JIqTSZfLNIZKqLvtoprbXpncm3pm3rs//Z")


def picture(light, seed, side=28):
    """A grey picture as a 2-d memoryview, no two alike."""
    base = 170 if light else 20
    pixels = bytes(base + (i * 7 + seed * 13) % 60 for i in range(side * side))
    return memoryview(pixels).cast("B", (side, side))


def pictures(count=60):
    return ([picture(i % 2, i) for i in range(count)],
            ["light" if i % 2 else "dark" for i in range(count)])


class Interface:
    """What numpy arrays and Pillow's pictures offer."""

    def __init__(self, pixels, shape, kind="|u1"):
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": kind, "data": pixels}


class Pillows(Interface):
    """As much of PIL.Image.Image as is used; converted pictures are black."""

    samples = {"LA": 2, "La": 2, "PA": 2, "RGB": 3, "YCbCr": 3, "HSV": 3, "LAB": 3, "RGBA": 4,
               "RGBa": 4, "RGBX": 4, "CMYK": 4}
    kinds = {"1": "|b1", "I": "<i4", "F": "<f4", "I;16": "<u2", "I;16B": ">u2"}
    turns = (lambda rows: [row[::-1] for row in rows],
             lambda rows: rows[::-1],
             lambda rows: list(zip(*rows))[::-1],
             lambda rows: [row[::-1] for row in rows[::-1]],
             lambda rows: list(zip(*rows[::-1])),
             lambda rows: list(zip(*rows)),
             lambda rows: [row[::-1] for row in list(zip(*rows))[::-1]])

    def __init__(self, rows, mode="L", info=None, exif=None):
        self.rows, self.mode, self.info, self.exif = rows, mode, info or {}, exif or {}
        shape, kind = (len(rows), len(rows[0])), self.kinds.get(mode, "|u1")
        pixels = b"".join(map(bytes, rows)) * int(kind[2]) * self.samples.get(mode, 1)
        if mode in self.samples:
            shape = (*shape, self.samples[mode])
        super().__init__(pixels, shape, kind)

    def convert(self, mode):
        return Pillows([bytes(len(row)) for row in self.rows], mode)

    def getexif(self):
        if isinstance(self.exif, Exception):
            raise self.exif
        return self.exif

    def transpose(self, method):
        return Pillows(Pillows.turns[method](self.rows), self.mode, self.info, self.exif)


def png_file(rows, orientation):
    """A grey PNG file that says how it is to be turned."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0))
            + chunk(b"eXIf", exif)
            + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + bytes(row) for row in rows)))
            + chunk(b"IEND", b""))


class Tests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.model = imgcls.Classifier(**SETTINGS).fit(*pictures())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        return pathlib.Path(self.folder.name) / name

    def test_predicts(self):
        self.assertEqual(self.model.predict(picture(True, 99)), "light")
        self.assertEqual(self.model.predict([picture(False, 98), picture(True, 97)]),
                         ["dark", "light"])
        row = self.model.predict_proba(picture(True, 99))
        self.assertAlmostEqual(sum(row), 1, places=5)
        best, probability = self.model.top(picture(True, 99), 1)[0]
        self.assertEqual((best, probability), ("light", max(row)))
        self.assertEqual(self.model.classes_, ["dark", "light"])

    def test_saves_and_loads_the_same_bits(self):
        path = self.path("model.safetensors")
        self.model.save(path)
        wanted = self.model.predict_proba(picture(True, 7))
        for again in (imgcls.Classifier.load(path), imgcls.Classifier.load(path.read_bytes())):
            self.assertEqual(again.predict_proba(picture(True, 7)), wanted)
        self.assertEqual(self.model.to_bytes(), path.read_bytes())

    def test_same_seed_same_file(self):
        again = imgcls.Classifier(**SETTINGS, threads=1).fit(*pictures())
        self.assertEqual(again.to_bytes(), self.model.to_bytes())

    def test_evaluates(self):
        report = self.model.evaluate(*pictures(), split="all")
        self.assertGreater(report.accuracy, 0.9)
        self.assertEqual(report.count, 60)
        self.assertEqual(sum(map(sum, report.confusion)), 60)
        self.assertGreater(self.model.score(*pictures()), 0.9)
        report.plot_confusion(self.path("confusion.svg"))
        self.assertIn("<svg", self.path("confusion.svg").read_text())
        events = []
        report.save_html(self.path("report.html"), progress=events.append, method="gradcam")
        self.assertIn(" of 60 pictures", self.path("report.html").read_text(encoding="utf-8"))
        self.assertLessEqual({event["phase"] for event in events}, {"report", "resample"})
        with self.assertRaises(ValueError):
            report.save_html(self.path("report.html"), method="magic")
        with self.assertRaises(AttributeError):
            report.nonsense

    def test_says_how_sure_it_is(self):
        report = self.model.evaluate(*pictures(), split="all", resamples=50, interval=0.9)
        low, high = report.interval("accuracy")
        self.assertTrue(low < report.accuracy <= high)
        self.assertEqual(report.data["intervals"]["auc"], list(report.interval("auc")))
        self.assertEqual(report.data["interval"], 0.9)
        self.assertEqual(report.data["per_class"][1]["intervals"]["recall"],
                         list(report.interval("recall", 1)))
        self.assertEqual((report.mcc, report.ece_limit), (report.data["mcc"], report.data["ece_limit"]))
        with self.assertRaises(imgcls.NotFoundError):
            report.interval("count")

    def test_curves_and_points(self):
        report = self.model.evaluate(*pictures(), split="all")
        x, y, threshold = report.curve("roc", 1)
        self.assertEqual((x[0], y[0], threshold[0], x[-1], y[-1]), (0, 0, float("inf"), 1, 1))
        area = sum((b - a) * (c + d) / 2 for a, b, c, d in zip(x, x[1:], y, y[1:]))
        self.assertAlmostEqual(area, report.auc)
        self.assertAlmostEqual(sum(report.curve("calibration")[2]), 1)
        cut, sensitivity, specificity = report.operating_point(1, "sensitivity", 0.9)
        rows = report.pictures()
        self.assertEqual(len(rows), 60)
        self.assertEqual(rows[0]["file"], "memory#1")
        called = [row["probabilities"][1] >= cut for row in rows]
        light = [row["actual"] == 1 for row in rows]
        self.assertAlmostEqual(sum(map(min, called, light)) / sum(light), sensitivity)
        self.assertGreaterEqual(sensitivity, 0.9)
        self.assertLessEqual(specificity, 1)

    def test_neighbours(self):
        data, labels = pictures()
        with self.model.neighbours(data, labels) as all_of_them:
            nearest = all_of_them.find(picture(True, 99), 3)
            self.assertEqual(len(nearest), 3)
            self.assertEqual(nearest[0][1], "light")
            self.assertGreaterEqual(nearest[0][2], nearest[2][2])
            self.assertAlmostEqual(all_of_them.find(data[0])[0][2], 1, places=5)

    def test_decides(self):
        """A threshold or costs, kept in the model."""
        model = imgcls.Classifier.load(self.model.to_bytes())
        one = picture(True, 99)
        self.assertIsNone(model.costs)
        with self.assertRaises(imgcls.Error):
            model.decide(one)
        dark, light = model.predict_proba(one)
        model.set_threshold("light", min(light + (1 - light) / 2, 1 - 1e-9))
        self.assertEqual(model.decide(one), "dark")
        model.costs = [[0, 1], [1e6, 0]]
        self.assertEqual(model.decide([one, one]), ["light", "light"])
        self.assertEqual(imgcls.Classifier.load(model.to_bytes()).costs, [[0, 1], [1e6, 0]])
        with self.assertRaises(ValueError):
            model.costs = [[0, 1]]
        with self.assertRaises(ValueError):
            model.costs = [[0, -1], [1, 0]]
        report = model.evaluate(*pictures(), split="all", resamples=20)
        self.assertEqual(report.decision(0, 0) + report.decision(0, 1), 30)
        self.assertEqual(report.decisions["cost"], report.decision_cost)
        model.costs = None
        self.assertIsNone(model.costs)
        report.decide()
        self.assertIsNone(report.data["decisions"])
        self.assertEqual(model.decide([]), [])

    def test_compares(self):
        data, labels = pictures()
        report = self.model.evaluate(data, labels, split="all")
        other = imgcls.Classifier(**{**SETTINGS, "epochs": 0.1, "seed": 9}).fit(data, labels)
        compared = report.compare(other.evaluate(data, labels, split="all"))
        self.assertEqual(compared["count"], 60)
        self.assertEqual(len(compared["regressions"]), compared["only_before_right"])
        self.assertAlmostEqual(compared["accuracy_before"], report.accuracy)
        self.assertEqual(report.compare(report)["p_value"], 1)

    def test_cross_validates(self):
        data, events = imgcls.Dataset(), []
        for index, (pixels, label) in enumerate(zip(*pictures())):  # one light one among the dark
            data.add(picture(True, index) if index == 6 else pixels, label)
        settings = {**SETTINGS, "epochs": 6, "folds": 3, "resamples": 20}
        report = data.cross_validate(progress=events.append, **settings)
        self.assertLessEqual({"train", "evaluate"}, {event["phase"] for event in events})
        self.assertEqual((report.split, report.count, report.classes),
                         ("folds", 60, ["dark", "light"]))
        self.assertEqual((report.fold_count, len(report.folds)), (3, 3))
        self.assertEqual(sum(fold["count"] for fold in report.folds), 60)
        self.assertAlmostEqual(sum(fold["count"] * fold["accuracy"] for fold in report.folds) / 60,
                               report.accuracy)
        self.assertEqual(report.fold_value(2, "loss"), report.folds[2]["loss"])
        self.assertLess(report.interval("accuracy")[0], report.accuracy)
        doubt = report.label_errors()[0]
        self.assertEqual((doubt.file, doubt.label, doubt.suggested), ("memory#7", "dark", "light"))
        self.assertTrue(0 < doubt.margin <= 1)
        self.assertEqual(len(report.label_errors()), len(report.data["label_errors"]))
        with self.assertRaises(ValueError):
            report.fold_value(3, "accuracy")
        with self.assertRaises(ValueError):
            data.cross_validate(folds=1)
        with self.assertRaises(imgcls.Error):
            data.cross_validate(progress=lambda _: True, **settings)
        plain = self.model.evaluate(*pictures(), split="all", resamples=0)
        self.assertEqual((plain.fold_count, plain.folds, plain.label_errors()), (0, [], []))

    def test_history(self):
        self.assertEqual([epoch["epoch"] for epoch in self.model.history], [1, 2, 3])
        self.model.plot_history(self.path("history.png"))
        self.assertEqual(self.path("history.png").read_bytes()[:4], b"\x89PNG")
        self.assertEqual(self.model.info["network"], "lenet5")

    def test_flags_repeat_the_training(self):
        words = shlex.split(self.model.flags)
        settings = {name[2:].replace("-", "_"): value
                    for name, value in zip(words[::2], words[1::2])}
        self.assertEqual((settings["network"], settings["epochs"]), ("lenet5", "3"))
        again = imgcls.Classifier(**settings).fit(*pictures())
        self.assertEqual(again.to_bytes(), self.model.to_bytes())

    def test_plot_while_training(self):
        seen = []

        def look(event):
            if event.get("epoch_done"):
                seen.append(self.path("live.svg").read_text().count("<circle"))

        model = imgcls.Classifier(**SETTINGS).fit(*pictures(), progress=look,
                                                  plot=self.path("live.svg"))
        self.assertEqual(len(seen), 3)
        model.plot_history(self.path("whole.svg"))
        self.assertEqual(self.path("live.svg").read_bytes(), self.path("whole.svg").read_bytes())
        self.assertGreater(self.path("whole.svg").read_text().count("<circle"), seen[0])
        with self.assertRaises(ValueError):
            imgcls.Classifier(**SETTINGS).fit(*pictures(), plot=self.path("live.gif"))
        with imgcls.Classifier(**SETTINGS).training(*pictures()) as training:
            with self.assertRaises(imgcls.Error):
                training.plot(self.path("early.png"))
            training.run(progress=lambda _: True, plot=self.path("early.png"))
        self.assertFalse(self.path("early.png").exists())

    def test_tells_of_each_epoch(self):
        """In the log, and on stderr when asked to; the progress function is still called."""
        events, printed = [], io.StringIO()
        with self.assertLogs("imgcls", "INFO") as logged, contextlib.redirect_stderr(printed):
            model = imgcls.Classifier(**SETTINGS).fit(*pictures(), verbose=True,
                                                      progress=events.append)
        told = [record.getMessage() for record in logged.records
                if record.getMessage().startswith("epoch ")]
        self.assertEqual(printed.getvalue().splitlines(), told)
        self.assertEqual(len(told), 3)
        for line, epoch in zip(told, model.history):
            self.assertRegex(line, r"^epoch \d of 3: loss [\d.]+, accuracy [\d.]+ %; "
                                   r"unseen pictures: loss [\d.]+, accuracy [\d.]+ %.*; [\d.]+ s$")
            self.assertIn(f"unseen pictures: loss {epoch['validation_loss']:.3f}, ", line)
        self.assertEqual(sum("epoch_done" in event for event in events), 3)
        self.assertEqual(model.to_bytes(), self.model.to_bytes())
        quiet = io.StringIO()
        with contextlib.redirect_stderr(quiet):
            imgcls.Classifier(**SETTINGS).fit(*pictures())
        self.assertEqual(quiet.getvalue(), "")

    def test_step_loop(self):
        model = imgcls.Classifier(**SETTINGS)
        with model.training(*pictures()) as training:
            steps = 0
            while training.step():
                steps += 1
            self.assertGreater(steps, 3)
            self.assertFalse(training.step())
        self.assertEqual(model.to_bytes(), self.model.to_bytes())

    def test_resume(self):
        """A training that is interrupted ends as if it had not been; so does one left to itself."""
        path, by_itself = self.path("some.checkpoint"), self.path("by itself.checkpoint")
        model = imgcls.Classifier(**SETTINGS, checkpoint=by_itself, checkpoint_minutes=0)
        with model.training(*pictures()) as training:
            for _ in range(9):
                training.step()
            training.save(path)
        self.assertEqual(imgcls.Classifier.load(path).classes_, ["dark", "light"])
        for checkpoint in (path, by_itself):
            again = imgcls.Classifier(threads=1).fit(*pictures(), resume=checkpoint)
            self.assertEqual(again.to_bytes(), self.model.to_bytes())
        with imgcls.Classifier().training(*pictures(), resume=path) as training:
            training.step()
            training.save(path)
            self.assertEqual(training.value("epoch"), 2)
        again.fit(*pictures(), resume=path)
        self.assertEqual(again.to_bytes(), self.model.to_bytes())
        finished = self.path("finished.safetensors")
        again.save(finished)
        for source, reason in ((finished, "not a checkpoint"), (path, "not the pictures")):
            with self.assertRaises(ValueError) as caught:
                again.fit(*pictures(58), resume=source)
            self.assertIn(reason, str(caught.exception))
        self.assertEqual(again.to_bytes(), self.model.to_bytes())

    def test_resume_with_a_validation_set(self):
        data, held_out = imgcls.Dataset(), imgcls.Dataset()
        for index, (pixels, label) in enumerate(zip(*pictures())):
            (held_out if index < 10 else data).add(pixels, label)
        wanted = imgcls.Classifier(**SETTINGS).fit(data, validation=held_out)
        with imgcls.Classifier(**SETTINGS).training(data, validation=held_out) as training:
            training.step()
            training.save(self.path("two.checkpoint"))
        again = imgcls.Classifier().fit(data, validation=held_out,
                                        resume=self.path("two.checkpoint"))
        self.assertEqual(again.to_bytes(), wanted.to_bytes())

    def test_start_from_another(self):
        """Fine-tuning: from a classifier, a file or bytes; a class more; not with a resume."""
        settings = {"epochs": 1, "batch_size": 10, "learning_rate": 0.001}
        data, labels = pictures()
        labels = ["grey" if index % 3 == 0 else label for index, label in enumerate(labels)]
        path = self.path("start.safetensors")
        self.model.save(path)
        tuned = imgcls.Classifier(threads=1, **settings).fit(data, labels, start=self.model)
        self.assertEqual(tuned.classes_, ["grey", "light", "dark"])  # as they come
        self.assertEqual(tuned.info["network"], "lenet5")
        for source in (path, path.read_bytes()):
            again = imgcls.Classifier(**settings).fit(data, labels, start=source)
            self.assertEqual(again.to_bytes(), tuned.to_bytes())
        little = imgcls.Classifier(**{**settings, "learning_rate": 1e-9}).fit(*pictures(),
                                                                              start=self.model)
        for seed in range(4):  # begins with what was learnt
            for a, b in zip(little.predict_proba(picture(True, seed)),
                            self.model.predict_proba(picture(True, seed))):
                self.assertAlmostEqual(a, b, places=2)
        with self.assertRaises(ValueError) as caught:
            imgcls.Classifier(network="plain").fit(data, labels, start=self.model)
        self.assertIn("network", str(caught.exception))
        with self.assertRaises(ValueError):
            tuned.fit(data, labels, start=path, resume=path)
        with self.assertRaises(RuntimeError):
            tuned.fit(data, labels, start=imgcls.Classifier())

    def test_explains(self):
        one = picture(True, 99, 40)
        events = []
        for method in ("gradcam", "occlusion"):
            found = self.model.explain(one, method=method, progress=events.append)
            self.assertEqual((found.label, found.method), ("light", method))
            self.assertEqual(found.probability, max(self.model.predict_proba(one)))
            self.assertEqual((found.map.shape, found.tensor_map.shape), ((40, 40), (28, 28)))
            values = [value for row in found.tensor_map.tolist() for value in row]
            self.assertTrue(min(values) >= 0 and max(values) in (0, 1))
            self.assertEqual(found.image.info, (40, 40, 3, 8))
            found.save_png(self.path("heat.png"))
            self.assertEqual(imgcls.Image(self.path("heat.png")).info, (40, 40, 3, 8))
        self.assertEqual({event["phase"] for event in events}, {"explain"})
        self.assertEqual(self.model.explain(one, "dark").label, "dark")
        self.assertIn("light", repr(found))
        with self.assertRaises(imgcls.NotFoundError):
            self.model.explain(one, "grey")
        with self.assertRaises(ValueError):
            self.model.explain(one, method="guess")

    def test_answers(self):
        """Calibrated probabilities, unknown pictures, and the spread of an ensemble."""
        one, blank = picture(True, 99), memoryview(bytes(28 * 28)).cast("B", (28, 28))
        answer = self.model.answer(one)  # 9 validation pictures are too few to learn from
        self.assertEqual((answer.unknown, answer.score, answer.threshold, answer.spread),
                         (None, None, None, 0))
        self.assertEqual((answer.label, answer.probabilities),
                         ("light", self.model.predict_proba(one)))
        self.assertNotIn("confidence", self.model.info)
        model, other = (imgcls.Classifier(**{**SETTINGS, "seed": seed}, validation_share=0.85)
                        .fit(*pictures(80)) for seed in (5, 6))
        told = model.info["confidence"]
        self.assertGreaterEqual(told["pictures"], 50)
        self.assertNotEqual(told["temperature"], 1)
        known, stranger = model.answer([one, blank])
        self.assertIs(stranger.unknown, True)
        self.assertGreater(stranger.score, known.score)
        self.assertAlmostEqual(known.threshold, told["unknown"]["threshold"], places=5)
        self.assertEqual(imgcls.Classifier.load(model.to_bytes()).answer(one), known)
        both = model.answer(one, others=[other])
        rows = [m.predict_proba(one) for m in (model, other)]
        for together, a, b in zip(both.probabilities, *rows):
            self.assertAlmostEqual(together, (a + b) / 2, places=6)
        self.assertAlmostEqual(both.spread, abs(rows[0][1] - rows[1][1]) / 2, places=6)
        self.assertEqual(model.answer([], others=[other]), [])
        with self.assertRaises(ValueError):
            model.answer(one, others=[imgcls.Classifier(**SETTINGS).fit(
                pictures()[0], ["a", "b"] * 30)])

    def test_views(self):
        def mirrored(pixels):
            return memoryview(b"".join(bytes(row[::-1]) for row in pixels.tolist())).cast(
                "B", pixels.shape)

        model = imgcls.Classifier(**SETTINGS, flip=True).fit(*pictures())
        one = picture(True, 99)
        plain, other = (model.predict_proba(p)[0] for p in (one, mirrored(one)))
        both = model.predict_proba(one, views=2)[0]
        self.assertNotEqual(plain, other)
        odds = math.sqrt(plain / (1 - plain) * other / (1 - other))  # logits are averaged
        self.assertAlmostEqual(both, odds / (1 + odds), places=6)
        self.assertAlmostEqual(model.predict_proba([mirrored(one)], views=2)[0][0], both, places=6)
        six = model.predict_proba(one, views=6)
        self.assertNotIn(six[0], (plain, both))
        self.assertEqual(model.top(one, 2, views=6), sorted(zip(model.classes_, six),
                                                            key=lambda pair: -pair[1]))
        self.assertEqual(model.predict(one, views=6), "light")
        self.assertEqual(model.predict_proba(one)[0], plain)
        plain_report, report = (model.evaluate(*pictures(), split="all", views=views)
                                for views in (1, 6))
        self.assertNotEqual(report.loss, plain_report.loss)
        self.assertEqual(self.model.predict_proba(one, views=2), self.model.predict_proba(one))
        for wrong in (0, 3, -1):
            with self.assertRaises(ValueError):
                model.predict_proba(one, views=wrong)
            with self.assertRaises(ValueError):
                model.evaluate(*pictures(), views=wrong)

    def test_find_rate(self):
        phases = set()
        model = imgcls.Classifier(**SETTINGS)
        with model.training(*pictures()) as training:
            rate = training.find_rate(progress=lambda event: phases.add(event["phase"]))
            self.assertTrue(1e-5 < rate <= 1)
            training.run()
        self.assertEqual(phases, {"rate"})
        self.assertEqual(model.to_bytes(), self.model.to_bytes())

    def test_progress_cancels(self):
        events = []
        model = imgcls.Classifier(**SETTINGS)

        def stop_after_one(event):
            events.append(event)
            return bool(event.get("epoch_done"))

        model.fit(*pictures(), progress=stop_after_one)
        self.assertEqual(events[-1]["epoch"], 1)
        self.assertIn("validation_accuracy", events[-1])
        self.assertTrue(0 <= events[-1]["waiting"] <= 1)

    def test_interrupt(self):
        """Ctrl-C stops a training without a progress function, in one go and step by step."""
        def step_by_step(model):
            with model.training(*pictures()) as training:
                while training.step():
                    pass

        for train in (lambda model: model.fit(*pictures()), step_by_step):
            timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
            timer.start()
            with self.assertRaises(KeyboardInterrupt):
                train(imgcls.Classifier(**{**SETTINGS, "epochs": 100000}))
            timer.join()
            self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_exceptions_come_out_of_callbacks(self):
        def broken(event):
            raise KeyError("mine")

        with self.assertRaises(KeyError):
            imgcls.Classifier(**SETTINGS).fit(*pictures(), progress=broken)

    def test_folders(self):
        root = self.path("photos")
        for i in range(24):
            name = "light" if i % 2 else "dark"
            (root / name).mkdir(parents=True, exist_ok=True)
            imgcls.Image(picture(i % 2, i)).save_png(root / name / f"{i}.png")
        (root / "dark" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
        data = imgcls.Dataset(root)
        self.assertEqual(data.classes, {"dark": 12, "light": 12})
        self.assertEqual(len(data), 24)
        self.assertEqual(data[0][1], "dark")
        self.assertEqual([pathlib.Path(p).name for p, _ in data.broken], ["broken.png"])
        self.assertEqual(data.summary()["count"], 24)
        data.plot_augmentation(self.path("sheet.svg"), rotation=30)
        self.assertIn(">rotation 30</text>", self.path("sheet.svg").read_text())
        train, held_out = data.split(validation_share=0.25)
        self.assertEqual(len(train) + len(held_out), 24)
        self.check_folds(data)
        self.check_inspection(data)
        model = imgcls.Classifier(**SETTINGS).fit(root)
        self.assertEqual(model.evaluate(root).split, "validation")
        self.assertIn(model.predict(root / "dark" / "0.png"), ("dark", "light"))

    def check_folds(self, data):
        seen = []
        for index in range(4):
            train, held_out = data.fold(4, index, seed=2)
            self.assertEqual(held_out.classes, {"dark": 3, "light": 3})
            self.assertEqual(len(train), 18)
            seen += [held_out[i][0] for i in range(len(held_out))]
        self.assertEqual(len(set(seen)), 24)
        self.assertEqual(len(data.fold(0, 7, validation_share=0.5)[1]), 12)
        with self.assertRaises(ValueError):
            data.fold(4, 4)

    def check_inspection(self, data):
        inspection = data.inspect(duplicates="exact")
        kinds = [finding["kind"] for finding in inspection.findings]
        self.assertEqual(kinds, ["broken", "tiny"])
        self.assertIn("broken.png", inspection.findings[0]["examples"][0])
        self.assertEqual(inspection.pairs, [])
        self.assertEqual(inspection.data["formats"], {"raw": 0, "jpeg": 0, "png": 24})
        inspection.plot("classes", self.path("classes.svg"))
        self.assertIn(">light</text>", self.path("classes.svg").read_text())
        self.assertIn("broken", repr(inspection))
        phases = []
        data.inspect(progress=lambda event: phases.append(event["phase"]))
        self.assertIn("duplicates", phases)

    def test_groups(self):
        data = imgcls.Dataset()
        for index in range(24):
            data.add(picture(index % 2, index), index % 2, group=f"patient {index // 4}")
        self.assertEqual(data.group(0), data.group(3))
        self.assertNotEqual(data.group(3), data.group(4))
        pairs = imgcls.Dataset()
        for _ in range(2):
            pairs.add(picture(0, 1), "a")
        self.assertEqual(pairs.group(0), 0)
        pair, = pairs.inspect(duplicates="exact").pairs
        self.assertEqual((pair["kind"], pair["score"]), ("exact", 1))
        for index in range(3):
            _, held_out = data.fold(3, index)
            groups = {held_out.group(i) for i in range(len(held_out))}
            self.assertEqual((len(held_out), len(groups)), (8, 2))
        with self.assertRaises(ValueError):
            imgcls.Dataset(group="patient")

    def test_pictures_of_all_kinds(self):
        rgba = bytes(range(4 * 6)) * 2
        self.assertEqual(imgcls.Image(memoryview(rgba).cast("B", (4, 3, 4))).info, (3, 4, 4, 8))
        deep = array.array("H", range(12))
        self.assertEqual(imgcls.Image(memoryview(deep).cast("B").cast("H", (3, 4))).info,
                         (4, 3, 1, 16))
        self.assertEqual(imgcls.Image(Interface(bytes(18), (2, 3, 3))).info, (3, 2, 3, 8))
        path = self.path("deep.png")
        imgcls.Image(memoryview(deep).cast("B").cast("H", (3, 4))).save_png(path)
        self.assertEqual(imgcls.Image(path.read_bytes()).info, (4, 3, 1, 16))
        with self.assertRaises(TypeError):
            imgcls.Image(42)
        with self.assertRaises(ValueError):
            imgcls.Image(memoryview(bytes(40)).cast("B", (2, 4, 5)))

    def test_files_are_loaded_as_the_model_wants_them(self):
        """Its evaluation reads them so, too."""
        folder = self.path("large")
        for index, name in enumerate(("light/a.jpg", "dark/b.jpg", "light/c.jpg", "dark/d.jpg")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(LARGE_JPEG + bytes(index))  # no copies
        file = folder / "light/a.jpg"
        said = {}
        for decode in ("full", "shrink"):
            data = imgcls.Dataset(folder)
            model = imgcls.Classifier(network="lenet5", input_size=28, decode=decode, epochs=1,
                                      batch_size=2, calibrate="off", unknown="off")
            model.fit(data, validation=data)
            measured = model.evaluate(data, split="all").data["pictures"][0]["probability"]
            ways = [model.predict_proba(source) for source in (file, LARGE_JPEG, io.BytesIO(LARGE_JPEG))]
            ways += model.predict_proba(data) + [model.predict_proba(model.image(file))]
            together = model.answer(file, others=[model])  # loaded in full
            said[decode] = {max(way) for way in ways} | {measured}
            self.assertAlmostEqual(model.neighbours(data).find(file)[0][2], 1, 6)
            heat = model.explain(file).map
            self.assertEqual(heat.shape, (40, 48) if decode == "shrink" else (80, 96))
            in_full = max(model.predict_proba(imgcls.Image(file)))
            said[decode].add(in_full)
            self.assertAlmostEqual(together.probability, in_full, 6)
            self.assertAlmostEqual(model.answer(data, others=[model])[0].probability, in_full, 6)
        self.assertEqual({decode: len(said[decode]) for decode in said}, {"full": 1, "shrink": 2})

    def test_arrays_in_either_byte_order(self):
        values = range(1, 60001, 5000)
        files = []
        for kind, code in (("<u2", "<"), (">u2", ">")):
            pixels = b"".join(struct.pack(code + "H", value) for value in values)
            files.append(self.png(Interface(pixels, (3, 4), kind)))
        self.assertEqual(files, [self.png(memoryview(array.array("H", values)).cast("B")
                                          .cast("H", (3, 4)))] * 2)
        for kind in ("|i1", "|b1", "<i4", "<f4", "<u4", "|V1", ""):
            with self.assertRaises(ValueError) as caught:
                imgcls.Image(Interface(bytes(48), (3, 4), kind))
            self.assertIn("uint16", str(caught.exception))
        with self.assertRaises(ValueError):
            imgcls.Image(Interface(bytes(47), (3, 4, 4)))  # one byte too few

    def png(self, source):
        image = source if isinstance(source, imgcls.Image) else imgcls.Image(source)
        image.save_png(self.path("some.png"))
        return self.path("some.png").read_bytes()

    def test_pictures_of_pillows_modes(self):
        """Grey and RGB are taken as they are, palettes, CMYK and the like are converted."""
        rows = [bytes([9, 8, 7, 6])] * 3
        for mode, info in (("L", (4, 3, 1, 8)), ("LA", (4, 3, 2, 8)), ("RGB", (4, 3, 3, 8)),
                           ("RGBA", (4, 3, 4, 8)), ("I;16", (4, 3, 1, 16)),
                           ("I;16B", (4, 3, 1, 16))):
            self.assertEqual(imgcls.Image(Pillows(rows, mode)).info, info)
            self.assertNotEqual(self.png(Pillows(rows, mode)),
                                self.png(Pillows(rows, mode).convert(mode)))
        clear = {"transparency": 0}
        for mode, info, wanted in (("P", {}, "RGB"), ("P", clear, "RGBA"), ("PA", {}, "RGBA"),
                                   ("1", {}, "L"), ("1", clear, "LA"), ("L", clear, "LA"),
                                   ("RGB", clear, "RGBA"), ("CMYK", {}, "RGB"),
                                   ("YCbCr", {}, "RGB"), ("HSV", {}, "RGB"), ("LAB", {}, "RGB"),
                                   ("RGBX", {}, "RGB"), ("RGBa", {}, "RGBA"), ("La", {}, "LA")):
            self.assertEqual(self.png(Pillows(rows, mode, info)),
                             self.png(Pillows(rows, mode).convert(wanted)), (mode, info))
        for mode in ("I", "F"):
            with self.assertRaises(ValueError) as caught:
                imgcls.Image(Pillows(rows, mode))
            self.assertIn(f"mode {mode!r}", str(caught.exception))
            self.assertIn('.convert("RGB")', str(caught.exception))

    def test_pillows_pictures_are_turned_upright(self):
        """As the files are that they come from."""
        rows = [bytes(range(y * 20, y * 20 + 8)) for y in range(12)]
        for orientation in range(10):
            one = Pillows(rows, exif={0x112: orientation})
            file = png_file(rows, orientation)
            turned = 5 <= orientation <= 8
            self.assertEqual(imgcls.Image(file).info[:2], (12, 8) if turned else (8, 12))
            self.assertEqual(self.png(one), self.png(file))
            self.assertEqual(self.model.predict_proba(one), self.model.predict_proba(file))
        for exif in ({}, SyntaxError("not a TIFF file")):
            self.assertEqual(self.png(Pillows(rows, exif=exif)), self.png(png_file(rows, 1)))

    def test_advice_about_arrays(self):
        def said(source, error=ValueError):
            with self.assertRaises(error) as caught:
                imgcls.Image(source)
            return str(caught.exception)

        class Tensor(Interface):
            dtype = "torch.float32"

            def numpy(self):
                raise AssertionError("that is the caller's to do")

            def __array__(self):
                raise AssertionError("__array_interface__ is there")

        for kind in ("<f2", "<f4", ">f8"):
            self.assertIn("in 0..1 give (a * 255).round().astype('uint8')",
                          said(Interface(bytes(96), (3, 4), kind)))
        for code in "fd":
            self.assertIn("(a * 255).round()", said(array.array(code, range(4))))
        self.assertIn("not torch.float32: of values in 0..1 give (a.numpy() * 255).round()",
                      said(Tensor(bytes(48), (3, 4), "<f4")))
        for pixels in (Interface(bytes(96), (3, 4), "<i8"), array.array("q", range(4))):
            self.assertIn("in 0..255 give a.astype('uint8')", said(pixels))
        self.assertIn("give a.astype('uint8') * 255", said(Interface(bytes(12), (3, 4), "|b1")))
        for channels in (1, 3, 4):
            self.assertIn("a.transpose(1, 2, 0)",
                          said(Interface(bytes(42 * channels), (channels, 6, 7))))
        self.assertNotIn("transpose", said(Interface(bytes(5 * 42), (5, 6, 7))))
        self.assertIn("grey pictures give a[..., None]", said(Interface(bytes(5 * 42), (5, 6, 7))))
        self.assertIn("several pictures", said(Interface(bytes(36), (1, 3, 4, 3))))

    def test_answers_with_the_labels_of_fit(self):
        """Numbers stay numbers, also in copies; in model files and of folders they are texts."""
        class Number:  # as those of numpy and torch
            def __init__(self, value):
                self.value = value

            def tolist(self):
                return self.value

            def __str__(self):
                return f"tensor({self.value})"

        data, one = pictures()[0], picture(True, 99)
        numbers = [index % 2 for index in range(60)]
        model = imgcls.Classifier(**SETTINGS).fit(data, map(Number, numbers))
        self.assertEqual(model.predict_proba(one), self.model.predict_proba(one))
        with imgcls.Classifier(**SETTINGS).training(data, iter(numbers)) as training:
            training.save(self.path("numbers.checkpoint"))
        resumed = imgcls.Classifier().fit(data, numbers, resume=self.path("numbers.checkpoint"))
        tuned = imgcls.Classifier(epochs=1).fit(data, numbers, start=model)
        for same in (model, copy.copy(model), pickle.loads(pickle.dumps(model)), resumed, tuned,
                     copy.copy(model).set_params(epochs=1)):
            self.assertEqual((same.classes_, same.classes_.tolist()), ([0, 1], [0, 1]))
            self.assertEqual(same.predict([one, data[0]]), [1, 0])
            self.assertEqual((same.top(one, 1)[0][0], same.answer(one).label), (1, 1))
            self.assertEqual(same.score(data, map(Number, numbers)), 1)
        self.assertEqual((model.explain(one).label, model.explain(one, 0).label), (1, 0))
        model.set_threshold(1, 1 - 1e-9)
        self.assertEqual(model.decide(one), 0)
        self.assertEqual(model.evaluate(data, numbers).classes, ["0", "1"])
        loaded = imgcls.Classifier.load(model.to_bytes())
        self.assertEqual((loaded.classes_, loaded.predict(one)), (["0", "1"], "1"))
        self.assertEqual(loaded.score(data, numbers), 1)
        again = imgcls.Classifier()
        again.__setstate__({"settings": {}, "model": model.to_bytes()})  # as 0.1.0 pickled it
        self.assertEqual(again.classes_, ["0", "1"])
        kept = imgcls.Dataset()
        for pixels, number in zip(data, numbers):
            kept.add(pixels, number)
        self.assertEqual(model.fit(kept).classes_, ["0", "1"])
        with self.assertRaises(ValueError) as caught:
            model.fit(data, [1, "1"] * 30)
        self.assertIn("1 and '1' would be one class", str(caught.exception))
        self.assertEqual(model.classes_, ["0", "1"])

    def test_advice_about_labels(self):
        data, labels = pictures()
        model = imgcls.Classifier(**SETTINGS)
        for call in (model.fit, self.model.evaluate, self.model.score, self.model.neighbours):
            with self.assertRaises(TypeError) as caught:
                call(data)
            self.assertIn("(pictures, labels)", str(caught.exception))
        for whole in ("photos", b"photos", pathlib.Path("photos"), imgcls.Dataset()):
            with self.assertRaises(TypeError) as caught:
                model.fit(whole, labels)
            self.assertIn("has its own", str(caught.exception))
        with self.assertRaises(TypeError) as caught:
            model.fit(data, labels, validation=data)
        self.assertIn("(pictures, labels)", str(caught.exception))
        held_out = imgcls.Dataset()
        for pixels, label in zip(data[:10], labels):
            held_out.add(pixels, label)
        for pair in ((data[:10], labels[:10]), [iter(data[:10]), iter(labels[:10])]):
            model.fit(data[10:], labels[10:], validation=pair)
            self.assertEqual(model.to_bytes(), imgcls.Classifier(**SETTINGS).fit(
                data[10:], labels[10:], validation=held_out).to_bytes())
        for weights in ({"dark": 2, "light": 1}, [1, 2], None):
            for call in (imgcls.Classifier, held_out.cross_validate):
                with self.assertRaises(ValueError) as caught:
                    call(class_weights=weights)
                self.assertIn('"balanced"', str(caught.exception))
        with self.assertRaises(ValueError):
            imgcls.Classifier(class_weights="heavy")
        self.assertEqual(imgcls.Classifier(class_weights="balanced").get_params(),
                         {"class_weights": "balanced"})

    def test_classes_by_their_names(self):
        model = imgcls.Classifier.load(self.model.to_bytes())
        model.set_threshold("light", 0.5)
        data, labels = pictures()
        report = model.evaluate(data, ["light"] + labels[1:], split="all", resamples=20)
        for call in (lambda which: report.interval("recall", which),
                     lambda which: report.curve("roc", which),
                     lambda which: report.operating_point(which, "sensitivity", 0.9),
                     lambda which: report.decision(which, which)):
            self.assertEqual(call("light"), call(1))
            self.assertNotEqual(call("light"), call("dark"))
        for call in (lambda which: report.interval("recall", which),
                     lambda which: report.decision("dark", which),
                     lambda which: model.set_threshold(which, 0.3)):
            for wrong, advice in (("lihgt", "did you mean 'light'?"),
                                  ("rose", "the classes are dark, light")):
                with self.assertRaises(imgcls.NotFoundError) as caught:
                    call(wrong)
                self.assertIn(f"no class {wrong!r}: {advice}", str(caught.exception))
        labels = [f"class {index % 12}" for index in range(60)]
        many = imgcls.Classifier(**{**SETTINGS, "epochs": 0.1}).fit(pictures()[0], labels)
        with self.assertRaises(imgcls.NotFoundError) as caught:
            many.set_threshold("rose", 0.3)
        self.assertIn("class 6, class 7 and 4 more", str(caught.exception))

    def test_top_is_of_one_picture(self):
        one = picture(True, 1)
        for several in ([one, one], [one], iter([one])):
            with self.assertRaises(TypeError) as caught:
                self.model.top(several, 2)
            self.assertIn("predict_proba", str(caught.exception))

    def test_files_that_are_no_models(self):
        path = self.path("list.csv")
        path.write_text("path,label\na.png,b\n")
        for source in (path, str(path), path.read_bytes(), self.model.to_bytes()[:-4]):
            for call in (imgcls.Classifier.load,
                         lambda start: imgcls.Classifier().fit(*pictures(), start=start)):
                with self.assertRaises(ValueError) as caught:
                    call(source)
                text = str(caught.exception)
                self.assertIn("not a model, or a damaged one: give the file that fit(...).save "
                              "wrote", text)
                if source in (path, str(path)):
                    self.assertTrue(text.startswith(f"{path}: not a safetensors file"), text)
        self.assertEqual(str(pickle.loads(pickle.dumps(caught.exception))), text)

    def test_errors_name_the_thing(self):
        with self.assertRaises(FileNotFoundError) as caught:
            imgcls.Classifier.load(self.path("missing.safetensors"))
        self.assertIn("missing.safetensors", str(caught.exception))
        self.assertEqual(caught.exception.status, "IC_ERROR_NOT_FOUND")
        with self.assertRaises(ValueError) as caught:
            imgcls.Classifier(epoch=3)
        self.assertIn("epochs", str(caught.exception))
        with self.assertRaises(ValueError):
            imgcls.Classifier.load(b"no model at all")
        with self.assertRaises(RuntimeError):
            imgcls.Classifier().predict("x.jpg")
        with self.assertRaises(FileNotFoundError):
            self.model.predict(self.path("missing.jpg"))

    def test_numbers_that_are_too_large(self):
        """They are refused, not taken by their last bits."""
        data = imgcls.Dataset()
        for pixels, label in zip(*pictures()):
            data.add(pixels, label)
        report = self.model.evaluate(data, split="all", resamples=0)
        one = picture(True, 99)
        for call in (lambda n: report.interval("recall", n), lambda n: report.curve("roc", n),
                     lambda n: report.operating_point(n, "sensitivity", 0.9),
                     lambda n: report.decision(n, 0), lambda n: report.decision(0, n),
                     lambda n: report.fold_value(n, "accuracy"), lambda n: data.fold(n, 0),
                     lambda n: data.fold(5, n), lambda n: data.group(n),
                     lambda n: self.model.predict(one, views=n)):
            for number in (2**32 + 1, 2**64 + 1, 1 - 2**32, 1 - 2**64, 2**31, -2**31 - 1):
                with self.assertRaises(ValueError, msg=number):
                    call(number)
            with self.assertRaises(TypeError):
                call(1.5)
        with self.assertRaises(ValueError) as caught:
            report.interval("recall", 2**32)
        self.assertIn("4294967296", str(caught.exception))
        for seed in (2**64 + 5, 2**63, 5 - 2**64, 2**32, -1):
            with self.assertRaises(ValueError) as caught:
                imgcls.Classifier(seed=seed)
            self.assertIn("seed", str(caught.exception))
        self.assertEqual(imgcls.Classifier(seed=2**32 - 1).get_params(), {"seed": 2**32 - 1})
        with self.assertRaises(ValueError):
            imgcls.Image(Interface(b"", (0, 2**32 + 4)))
        with self.model.neighbours(data) as all_of_them:
            self.assertEqual(len(all_of_them.find(one, 2**40)), 60)
            for count in (0, -1):
                with self.assertRaises(ValueError):
                    all_of_them.find(one, count)

    def test_parameters(self):
        model = imgcls.Classifier(epochs=3)
        self.assertEqual(model.get_params(), {"epochs": 3})
        self.assertEqual(model.set_params(learning_rate=0.1).get_params()["learning_rate"], 0.1)
        names = {option["name"] for option in imgcls.options()}
        self.assertTrue({"epochs", "network", "threads"} <= names)

    def test_parameters_of_a_trained_one(self):
        wanted = self.model.predict_proba(picture(True, 7))
        model = imgcls.Classifier.load(self.model.to_bytes()).set_params(threads=2, epochs=7)
        self.assertEqual(model.get_params(), {"threads": 2, "epochs": 7})
        self.assertEqual(model.predict_proba(picture(True, 7)), wanted)
        self.assertEqual(repr(model), "<Classifier(threads=2, epochs=7): lenet5, 28 x 28 pixels, "
                                      "2 classes: dark, light>")
        self.assertEqual(repr(imgcls.Classifier(epochs=7)), "Classifier(epochs=7)")
        with self.assertRaises(ValueError):
            model.set_params(epoch=3)

    def test_copies_and_pickles(self):
        wanted = self.model.predict_proba(picture(True, 7))
        for again in (copy.copy(self.model), pickle.loads(pickle.dumps(self.model))):
            self.assertEqual(again.predict_proba(picture(True, 7)), wanted)
            self.assertEqual(again.get_params(), self.model.get_params())
        untrained = pickle.loads(pickle.dumps(imgcls.Classifier(epochs=2)))
        self.assertEqual(untrained.get_params(), {"epochs": 2})

    def test_what_repr_says(self):
        data, labels = pictures()
        path = self.path("gone.png")
        image = imgcls.Image(picture(True, 1))
        self.assertEqual(repr(image), "<Image: 28 x 28 pixels, grey, 8 bits>")
        for channels, name in ((2, "grey + alpha"), (3, "RGB"), (4, "RGBA")):
            self.assertEqual(repr(imgcls.Image(Interface(bytes(24 * channels), (3, 4, channels),
                                                         "<u2"))),
                             f"<Image: 4 x 3 pixels, {name}, 16 bits>")
        dataset = imgcls.Dataset()
        self.assertEqual(repr(dataset), "<Dataset: 0 pictures of 0 classes>")
        for index in range(24):
            dataset.add(data[index], f"class {index % 10}")
        self.assertEqual(repr(dataset), "<Dataset: 24 pictures of 10 classes: " + ", ".join(
            f"class {index}" for index in range(8)) + " and 2 more>")
        with self.assertLogs("imgcls", "WARNING"):
            dataset.add(path, "class 0")
        self.assertTrue(repr(dataset).endswith("; 1 set aside>"))
        report = self.model.evaluate(data, labels, split="all")
        self.assertRegex(repr(report), r"^<Report: [\d.]+ % of 60 pictures \(all\) of 2 classes: "
                                       r"dark, light>$")
        training = imgcls.Classifier(**SETTINGS).training(data, labels)
        training.step()
        self.assertRegex(repr(training), r"^<Training: 1 of \d+ steps done>$")
        neighbours = self.model.neighbours(data, labels)
        self.assertEqual(repr(neighbours), "<Neighbours: of 60 pictures>")
        for one in (image, dataset, report, training, neighbours, dataset.inspect(),
                    self.model.explain(picture(True, 1), method="gradcam")):
            name = type(one).__name__
            self.assertTrue(repr(one).startswith(f"<{name}: "))
            one.close()
            self.assertEqual(repr(one), f"<{name}: closed>")

    def test_pixels_of_an_image(self):
        """As numpy.asarray takes them."""
        deep = array.array("H", range(0, 48000, 1000))
        for pixels, shape, kind in ((bytes(range(12)), (3, 4), "|u1"),
                                    (bytes(range(24)), (3, 4, 2), "|u1"),
                                    (bytes(range(36)), (3, 4, 3), "|u1"),
                                    (deep.tobytes(), (3, 4, 4),
                                     "<u2" if sys.byteorder == "little" else ">u2")):
            image = imgcls.Image(Interface(pixels, shape, kind))
            found = image.__array_interface__
            self.assertEqual((found["version"], found["shape"], found["typestr"]),
                             (3, shape, kind))
            self.assertEqual(self.png(imgcls.Image(image)), self.png(image))
            image.close()
            self.assertEqual(found["data"], pixels)  # a copy
            with self.assertRaises(ValueError):
                image.__array_interface__

    def test_what_cannot_be_pickled(self):
        data = imgcls.Dataset()
        for pixels, label in zip(*pictures()):
            data.add(pixels, label)
        report = self.model.evaluate(data, split="all")
        for one, advice in ((data, "open it where it is needed"), (report, "save_html"),
                            (imgcls.Image(picture(True, 1)), "numpy.asarray(image)"),
                            (data.inspect(), "cannot")):
            for call in (pickle.dumps, copy.copy, copy.deepcopy):
                with self.assertRaises(TypeError) as caught:
                    call(one)
                self.assertIn(f"{type(one).__name__} cannot be pickled or copied",
                              str(caught.exception))
                self.assertIn(advice, str(caught.exception))

    def test_answers_as_json(self):
        answer = json.loads(json.dumps(self.model.answer(picture(True, 1))._asdict()))
        self.assertEqual(list(answer), ["label", "probability", "unknown", "score", "threshold",
                                        "spread", "probabilities"])
        self.assertEqual((answer["label"], answer["unknown"]), ("light", None))
        report = self.model.evaluate(*pictures(), split="all")
        self.assertEqual(sorted(json.loads(json.dumps(report.data))["pictures"][0]),
                         ["actual", "file", "loss", "predicted", "probability"])

    def test_errors_pickle(self):
        for source, kind in (("missing.st", imgcls.NotFoundError), (b"junk", imgcls.InvalidError),
                             (self.folder.name, imgcls.FileError)):
            with self.assertRaises(kind) as caught:
                imgcls.Classifier.load(source)
            again = pickle.loads(pickle.dumps(caught.exception))
            self.assertIs(type(again), kind)
            self.assertEqual(str(again), str(caught.exception))
            self.assertEqual(again.status, caught.exception.status)
            self.assertTrue(str(again) and "(" not in repr(str(again))[:1])

    def test_many_threads(self):
        """Threads predict and measure with one classifier, while it is trained anew."""
        model = imgcls.Classifier.load(self.model.to_bytes(), epochs=3, network="lenet5")
        wanted = {seed: self.model.predict_proba([picture(True, seed)] * 3) for seed in range(4)}
        failed = []

        def use(seed):
            events = []
            for _ in range(10):
                if model.predict_proba([picture(True, seed)] * 3) != wanted[seed]:
                    failed.append(seed)
            report = model.evaluate(*pictures(), split="all", progress=events.append)
            if report.count != 60 or {event["phase"] for event in events} - {"prepare", "evaluate"}:
                failed.append(events)

        threads = [threading.Thread(target=use, args=(seed,)) for seed in range(4)]
        other = imgcls.Classifier(**SETTINGS)
        for thread in threads:
            thread.start()
        other.fit(*pictures(), progress=lambda event: failed.append(event)
                  if event["phase"] == "evaluate" else None)
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])

    def test_several_pictures(self):
        """Arrays, sets, generators and data sets of them; more than are read at a time."""
        class Array(list):  # as numpy's and those of pandas
            def __init__(self, items, ndim):
                super().__init__(items)
                self.ndim = ndim

            def __array__(self):
                return memoryview(bytes(12)).cast("B", (3, 4))

        both = [picture(True, 1), picture(False, 2)]
        for several in (Array(both, 4), Array(both, 1), tuple(both), iter(both),
                        {"a": both[0], "b": both[1]}.values(), (one for one in both)):
            self.assertEqual(self.model.predict(several), ["light", "dark"])
        for several in ([], iter(()), imgcls.Dataset()):
            self.assertEqual(self.model.predict(several), [])
        many, labels = pictures(35)
        data = imgcls.Dataset()
        for pixels, label in zip(many, labels):
            data.add(pixels, label)
        wanted = [self.model.predict_proba(one) for one in many]
        self.assertEqual(self.model.predict_proba(iter(many)), wanted)
        self.assertEqual(self.model.predict_proba(data), wanted)
        self.assertEqual([answer.probabilities for answer in self.model.answer(data)], wanted)
        self.assertEqual(self.png(data.image(34)), self.png(many[34]))
        with self.assertRaises(ValueError):
            data.image(35)

    def test_folders_of_pictures(self):
        root = self.path("new")
        names = ["B.PNG", "a.png", "c/d.png", "c/e.Png", "f.jpeg.png"]
        for index, name in enumerate(names):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            imgcls.Image(picture(index % 2, index)).save_png(root / name)
        for name in ("notes.txt", ".hidden.png", "png", ".c/d.png"):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_bytes(b"no picture")
        files = imgcls.pictures(root)
        self.assertEqual(files, [os.path.join(str(root), name) for name in names])
        for folder in (root, str(root)):
            self.assertEqual(self.model.predict_proba(folder),
                             [self.model.predict_proba(file) for file in files])
        (root / "empty").mkdir()
        with self.assertRaises(FileNotFoundError) as caught:
            self.model.predict(root / "empty")
        self.assertIn("holds no .jpg, .jpeg or .png", str(caught.exception))
        with self.assertRaises(FileNotFoundError):
            imgcls.pictures(root / "missing")

    def test_broken_ones_among_several(self):
        """They end the work, which says at which one, or are skipped."""
        class Truncated(Pillows):
            def transpose(self, method):
                raise OSError("image file is truncated (3 bytes not processed)")

        model = imgcls.Classifier.load(self.model.to_bytes())
        model.set_threshold("light", 0.5)
        truncated = Truncated([bytes(4)] * 4, exif={0x112: 6})
        several = [picture(True, seed) for seed in range(18)]
        for place, broken, kind in ((17, b"no picture", imgcls.InvalidError),
                                    (3, self.path("missing.png"), FileNotFoundError),
                                    (0, truncated, OSError), (1, None, TypeError)):
            given = several[:place] + [broken] + several[place:]
            for call in (model.predict, model.predict_proba, model.answer, model.decide):
                with self.assertRaises(kind) as caught:
                    call(iter(given))
                self.assertIn(f"pictures[{place}]: ", str(caught.exception))
                with self.assertLogs("imgcls", "WARNING") as logged:
                    told = call(given, on_error="skip")
                self.assertIn(f"skipped: pictures[{place}]: ", logged.output[0])
                self.assertEqual(len(logged.output), 1)
                self.assertEqual(told[:place] + [None] + told[place + 1:], told)
                self.assertEqual(told[:place] + told[place + 1:], call(several))
        with self.assertRaises(imgcls.InvalidError) as caught:
            model.predict(b"no picture")
        self.assertNotIn("pictures[", str(caught.exception))
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual(str(again), str(caught.exception))
        class Lazy:
            """A picture of Pillow's that is read when its pixels are asked for."""

            mode, info, convert = "L", {}, None

            @property
            def __array_interface__(self):
                raise OSError("image file is truncated")

        for broken in (b"no picture", Lazy()):
            with self.assertLogs("imgcls", "WARNING"):
                self.assertIsNone(model.predict(broken, on_error="skip"))
        with self.assertLogs("imgcls", "WARNING"):
            self.assertEqual(model.predict([b""] * 17, on_error="skip"), [None] * 17)
        with self.assertRaises(ValueError) as caught:
            model.predict([], on_error="ignore")
        self.assertIn('"skip"', str(caught.exception))

    def test_broken_files_are_set_aside(self):
        """Of lists with labels as of folders, in training and measuring."""
        root = self.path("listed")
        root.mkdir()
        files, labels = [str(root / f"{index}.png") for index in range(60)], pictures()[1]
        for file, pixels in zip(files, pictures()[0]):
            imgcls.Image(pixels).save_png(file)
        files[7] = str(root / "missing.png")
        (root / "20.png").write_bytes(b"no picture")
        with self.assertLogs("imgcls", "WARNING") as logged:
            model = imgcls.Classifier(**SETTINGS).fit(files, labels)
        told = [line for line in logged.output if "is set aside" in line]
        self.assertEqual([files[7] in told[0], files[20] in told[1], len(told)], [True, True, 2])
        with self.assertLogs("imgcls", "WARNING"):
            report = model.evaluate(files, labels, split="all")
        self.assertEqual(report.count, 58)
        self.assertEqual(report.pictures()[7]["file"], files[8])
        data = imgcls.Dataset()
        with self.assertLogs("imgcls", "WARNING"):
            for file, label in zip(files, labels):
                data.add(pathlib.Path(file), label, group=label)
        self.assertEqual([path for path, _ in data.broken], [files[7], files[20]])
        self.assertEqual((len(data), data[7]), (58, (files[8], "dark")))
        self.assertEqual(data.group(7), data.group(0))
        self.assertNotEqual(data.group(8), data.group(0))
        with self.assertLogs("imgcls", "WARNING"), self.assertRaises(ValueError) as caught:
            model.evaluate([files[7]] * 2, ["a", "b"])
        self.assertIn("none of the 2 pictures can be read", str(caught.exception))
        with self.assertRaises(ValueError) as caught:
            model.evaluate([picture(True, 1), b"no picture"], ["a", "b"])
        self.assertIn("pictures[1]: ", str(caught.exception))

    def test_open_files(self):
        path = self.path("one.png")
        imgcls.Image(picture(True, 1)).save_png(path)
        wanted = self.model.predict_proba(path)
        with open(path, "rb") as file:
            self.assertEqual(self.model.predict_proba(file), wanted)
            with self.assertRaises(ValueError) as caught:
                self.model.predict(file)
            self.assertIn(".seek(0)", str(caught.exception))
        data = path.read_bytes()
        self.assertEqual(self.model.predict_proba([io.BytesIO(data), io.BytesIO(data)]),
                         [wanted] * 2)
        with self.assertRaises(TypeError) as caught:
            self.model.predict(io.StringIO("text"))
        self.assertIn('"rb"', str(caught.exception))

    def test_objects_that_become_arrays(self):
        class Tensor:  # as torch's
            ndim = 2

            def __array__(self):
                return picture(True, 1)

            def __iter__(self):
                raise AssertionError("this is one picture")

        self.assertEqual(self.model.predict_proba(Tensor()),
                         self.model.predict_proba(picture(True, 1)))

    def test_names_that_are_not_utf8(self):
        name = os.fsencode(self.path("")) + b"/\xff.png"
        imgcls.Image(picture(True, 1)).save_png(name)
        self.assertEqual(imgcls.Image(pathlib.Path(os.fsdecode(name))).info[:2], (28, 28))

    def test_closing_twice(self):
        image = imgcls.Image(picture(True, 1))
        image.close()
        image.close()
        with imgcls.Image(picture(True, 1)) as other:
            self.assertEqual(other.info[0], 28)

    def test_what_is_closed_says_so(self):
        image, data = imgcls.Image(picture(True, 1)), imgcls.Dataset()
        report = self.model.evaluate(*pictures())
        for thing, uses in ((image, [lambda: image.info, lambda: self.model.predict(image)]),
                            (data, [lambda: len(data), lambda: self.model.predict(data)]),
                            (report, [lambda: report.classes, lambda: report.accuracy])):
            thing.close()
            for use in uses:
                with self.assertRaisesRegex(ValueError, f"{type(thing).__name__} is closed"):
                    use()

    def test_objects_of_another_kind_are_refused(self):
        data, report = imgcls.Dataset(), self.model.evaluate(*pictures())
        for mistake in (lambda: report.compare(data), lambda: report.compare(12345),
                        lambda: imgcls.Dataset(context=5), lambda: imgcls.Dataset(context=data),
                        lambda: imgcls.Image(picture(True, 1), data),
                        lambda: imgcls.Training(data.context, 5, None),
                        lambda: imgcls.Report(5, None)):
            with self.assertRaises(TypeError):
                mistake()

    def test_a_training_at_work_is_neither_closed_nor_stepped(self):
        failures = []
        with imgcls.Classifier(**SETTINGS).training(*pictures()) as training:
            def misuse(event):
                for mistake in (training.close, training.step):
                    with self.assertRaisesRegex(RuntimeError, "at work"):
                        mistake()
                    failures.append(mistake)
                return True

            training.run(misuse)
            self.assertEqual(len(failures), 2)
            training.run()

    def test_what_is_being_used_is_not_closed(self):
        """By another thread, in calls that take no progress."""
        image = imgcls.Image(memoryview(bytes(range(256)) * 36000).cast("B", (3000, 3072)))
        thread = threading.Thread(target=image.save_png, args=(self.path("large.png"),))
        thread.start()
        refused = 0
        while thread.is_alive():
            try:
                image.close()
                break
            except RuntimeError as error:
                self.assertIn("at work", str(error))
                refused += 1
        thread.join()
        self.assertGreater(refused, 0)
        image.close()

    def test_a_model_answers_until_the_next_one_has_learnt(self):
        model = imgcls.Classifier(**SETTINGS).fit(*pictures())
        labels = {"light": "day", "dark": "night"}
        others = pictures()[0], [labels[label] for label in pictures()[1]]
        before, seen = model.predict_proba(picture(True, 7)), []

        def watch(event):
            seen.append((bool(event.get("epoch_done")), model.predict(picture(True, 99))))
            return "train" if event["phase"] == "train" and not event.get("epoch_done") else None

        model.fit(*others, progress=watch)  # stopped before its first epoch is over
        self.assertEqual(seen[-1], (False, "light"))
        self.assertEqual(model.predict_proba(picture(True, 7)), before)
        with model.training(*others) as training:
            known = []
            while training.step():
                known.append(model.classes_)
            self.assertEqual((known[0], known[-1]), (["dark", "light"], ["night", "day"]))
        self.assertEqual(model.predict(picture(True, 99)), "day")

    def test_zero_bytes_in_texts(self):
        data = imgcls.Dataset()
        for mistake in (lambda: self.model.save("first\0second.safetensors"),
                        lambda: imgcls.Image("1.png\0.jpg"),
                        lambda: data.add(picture(True, 1), "cat\0dog"),
                        lambda: data.add(picture(True, 1), "cat", group="a\0b"),
                        lambda: imgcls.Classifier(network="resnet9\0"),
                        lambda: data.part("test\0zzz"),
                        lambda: self.model.evaluate(*pictures()).interval("accuracy\0z")):
            with self.assertRaisesRegex(ValueError, "zero byte"):
                mistake()

    def test_mistakes_are_told_what_to_do(self):
        folder = self.path("kinds")
        folder.mkdir()
        for name in ("a.webp", "b.jfif", "c.txt"):
            (folder / name).write_bytes(LARGE_JPEG)
        with self.assertLogs("imgcls", "WARNING") as logged:
            self.assertEqual(imgcls.pictures(folder), [str(folder / "b.jfif")])
        self.assertRegex(logged.output[0], "1 pictures of other formats, such as .*a.webp")
        with self.assertRaisesRegex(TypeError, r"Classifier\(epochs=3\)"):
            imgcls.Classifier().fit(*pictures(), epochs=3)
        with self.assertRaisesRegex(AttributeError, "no 'acuracy'"):
            self.model.evaluate(*pictures()).acuracy
        with self.assertRaisesRegex(ValueError, "name it .png"):
            self.model.image(LARGE_JPEG).save_png(folder / "x.jpg")
        with self.assertRaises(LookupError):
            self.model.explain(picture(True, 1), "bright")

    def test_settings_of_other_types(self):
        class Switch:  # as numpy's bool
            dtype = bool

            def __bool__(self):
                return False

        path = self.path("checkpoint.st")
        model = imgcls.Classifier(**SETTINGS, checkpoint=os.fsencode(path), checkpoint_minutes=0.0,
                                  calibrate=Switch(), mean=[0.5], deviation=(0.25,))
        model.fit(*pictures())
        pipeline = model.info["pipeline"]
        self.assertEqual((pipeline["mean"], pipeline["deviation"]), ([0.5], [0.25]))
        self.assertEqual(model.info["training"]["options"]["calibrate"], "off")
        self.assertEqual([name for name in os.listdir(self.folder.name) if name.startswith("b'")], [])
        for nothing in (None, {"a": 1}):
            with self.assertRaisesRegex(TypeError, "epochs"):
                imgcls.Classifier(epochs=nothing)

    def test_contexts(self):
        path = self.path("limits") / "a"
        path.mkdir(parents=True)
        imgcls.Image(picture(True, 1)).save_png(path / "1.png")
        self.assertEqual(len(imgcls.Dataset(path.parent)), 1)
        for refused in (lambda: imgcls.Dataset(path.parent, max_side=27),
                        lambda: imgcls.Image(path / "1.png", imgcls.Context(max_side=27))):
            with self.assertRaisesRegex(ValueError, "option max_side"):
                refused()
        with self.assertRaises(TypeError):
            imgcls.Dataset(context=imgcls.Context(threads=2), threads=3)
        with self.assertRaisesRegex(RuntimeError, "shared"):
            imgcls.Dataset().context.close()
        imgcls.Context(threads=2).close()
        saved = self.model.to_bytes()
        one, two, three = (imgcls.Classifier.load(saved, threads=count) for count in (1, 1, 2))
        alone = one.predict_proba(picture(True, 7))
        self.assertEqual(one.answer(picture(True, 7), others=[two]).probabilities, alone)
        with self.assertRaisesRegex(ValueError, "same settings"):
            one.answer(picture(True, 7), others=[three])


class Result(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        print("ok python", test._testMethodName)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        print("not ok python", test._testMethodName)

    def addError(self, test, error):
        super().addError(test, error)
        print("not ok python", test)


if __name__ == "__main__":
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Result, verbosity=0))
