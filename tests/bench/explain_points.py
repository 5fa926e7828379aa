#!/usr/bin/env python3
"""Does the explanation point at the object? Pastes flowers on leaves at known places and looks where the hottest point is.

    python3 tests/bench/explain_points.py MODEL FLOWERS LEAVES [--method gradcam] [--count 100] [--seed 1]
        [--class true|predicted] [--keep FOLDER] [--command build/examples/cli/imgcls]

MODEL was trained on FLOWERS; FLOWERS and LEAVES are folders of test pictures, a folder a class. Each picture is a leaf's
crop, scaled up, with a whole flower picture on a quarter of its area. Prints the share of the pictures in which the
hottest point lies in the flower's box, of all and of those that the model gets right. Needs Pillow.
--keep: draws the heat maps there, too, to be looked at.
SPDX-License-Identifier: MIT
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from PIL import Image

SIDE, SHARE = 256, 0.25


def pictures(folder):
    return sorted(p for p in pathlib.Path(folder).glob("*/*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))


def background(path, random):
    leaf = Image.open(path).convert("RGB")
    side = int(min(leaf.size) * random.uniform(0.5, 0.9))
    x, y = (random.randrange(length - side + 1) for length in leaf.size)
    return leaf.crop((x, y, x + side, y + side)).resize((SIDE, SIDE), Image.BICUBIC)


def compose(flower, leaf, random):
    """(picture, box of the flower)"""
    picture, object_ = background(leaf, random), Image.open(flower).convert("RGB")
    w, h = object_.size
    scale = min((SHARE * SIDE * SIDE / (w * h)) ** 0.5, SIDE / w, SIDE / h)
    w, h = int(w * scale), int(h * scale)
    x, y = random.randrange(SIDE - w + 1), random.randrange(SIDE - h + 1)
    picture.paste(object_.resize((w, h), Image.BICUBIC), (x, y))
    return picture, (x, y, x + w, y + h)


def explain(arguments, files, extra):
    command = [arguments.command, "explain", arguments.model, *files, "--json", "--method", arguments.method, *extra]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def explain_all(arguments, cases):
    extra = ["--out", arguments.keep] if arguments.keep else []
    if arguments.class_ == "predicted":
        return explain(arguments, [case["file"] for case in cases], extra)
    found = {}
    for name in {case["class"] for case in cases}:
        files = [case["file"] for case in cases if case["class"] == name]
        found.update((f["file"], f) for f in explain(arguments, files, extra + ["--class", name]))
    return [found[case["file"]] for case in cases]


def main():
    parser = argparse.ArgumentParser()
    for name in ("model", "flowers", "leaves"):
        parser.add_argument(name)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--class", dest="class_", choices=("true", "predicted"), default="predicted")
    parser.add_argument("--keep")
    parser.add_argument("--command", default="imgcls")
    arguments = parser.parse_args()
    if arguments.keep:
        pathlib.Path(arguments.keep).mkdir(parents=True, exist_ok=True)

    draw = random.Random(arguments.seed)
    flowers, leaves = pictures(arguments.flowers), pictures(arguments.leaves)
    draw.shuffle(flowers)
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        for number, flower in enumerate(flowers[: arguments.count]):
            picture, box = compose(flower, draw.choice(leaves), draw)
            file = f"{folder}/{number:03d}.png"
            picture.save(file)
            cases.append({"file": file, "box": box, "class": flower.parent.name})
        hits = right = right_hits = 0
        for case, found in zip(cases, explain_all(arguments, cases)):
            spot, (left, top, end, bottom) = found["hottest"], case["box"]
            hit = spot is not None and left <= spot["x"] < end and top <= spot["y"] < bottom
            hits += hit
            right += found["class"] == case["class"]
            right_hits += hit and found["class"] == case["class"]
            if arguments.keep and not hit:
                print(f"missed: {case['file'].rsplit('/', 1)[1]} {case['class']} as {found['class']}, {case['box']}, {spot}")
    print(f"hottest point in the flower: {hits} of {len(cases)} ({100 * hits / len(cases):.0f} %); "
          f"of {right} explained as their own class {100 * right_hits / max(right, 1):.0f} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
