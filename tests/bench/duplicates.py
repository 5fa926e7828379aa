"""duplicates.py IMGCLS DATA [COPIES] [--seed N]: how many hidden copies `imgcls inspect` finds.

Copies the pictures of DATA (a folder with train/ and test/) into a temporary folder, makes COPIES (100)
re-encoded, resized, slightly cropped or mirrored versions of training pictures, puts those into train and
test of the same class, and counts which of them are reported, and which pairs are reported besides. What
the data reports without any copy is found out first, and printed, to be looked at. Needs Pillow."""

import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

from PIL import Image


def inspect(command, folder):
    began = time.time()
    text = subprocess.run([command, "inspect", folder, "--json"], check=True, stdout=subprocess.PIPE).stdout
    pairs = json.loads(text)["pairs"]
    return {frozenset(pathlib.Path(pair[side]).relative_to(folder) for side in ("first", "second")): pair
            for pair in pairs}, time.time() - began


def change(picture, kind, draw):
    """A copy as people make them: saved again, for another page, cut a little, mirrored."""
    width, height = picture.size
    if kind in ("crop", "mixed"):
        left, top, right, bottom = (draw.uniform(0, 0.06) for _ in range(4))
        picture = picture.crop((round(left * width), round(top * height), round((1 - right) * width),
                                round((1 - bottom) * height)))
    if kind in ("mirror", "mixed"):
        picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if kind in ("resize", "mixed"):
        scale = draw.uniform(0.5, 1.5)
        picture = picture.resize((max(24, round(scale * picture.width)), max(24, round(scale * picture.height))),
                                 draw.choice([Image.Resampling.BILINEAR, Image.Resampling.LANCZOS]))
    return picture, draw.choice([50, 75, 90])


def main():
    arguments = [a for a in sys.argv[1:] if not a.startswith("--")]
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 1
    if "--seed" in sys.argv:
        arguments.remove(str(seed))
    command, data = arguments[0], pathlib.Path(arguments[1])
    copies = int(arguments[2]) if len(arguments) > 2 else 100
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as root:
        folder = pathlib.Path(root) / "data"
        shutil.copytree(data, folder)
        before, seconds = inspect(command, folder)
        files = sorted(p for p in (folder / "train").rglob("*") if p.is_file())
        print(f"{sum(1 for p in folder.rglob('*') if p.is_file())} pictures, {seconds:.1f} s; "
              f"{len(before)} pairs are reported without copies:")
        for names, pair in before.items():
            print(f"  {pair['kind']} {pair['score']:.3f}", *sorted(map(str, names)))
        made = {}
        for number, source in enumerate(draw.sample(files, copies)):
            kind = ("encode", "resize", "crop", "mirror", "mixed")[number % 5]
            copy, quality = change(Image.open(source).convert("RGB"), kind, draw)
            part = ("test", "train")[number % 2]
            target = folder / part / source.parent.name / f"copy{number}.jpg"
            copy.save(target, quality=quality)
            made[target.relative_to(folder)] = (source.relative_to(folder), kind)
        after, seconds = inspect(command, folder)
    found = {copy for copy, (source, _) in made.items() if frozenset((copy, source)) in after}
    for copy, (source, kind) in made.items():
        if copy not in found:
            print("missed:", kind, source)
    # A copy of a picture that has a twin already is rightly paired with both.
    twins = {name for names in before for name in names} | set(made)
    false = [names for names in after if names not in before and
             not (names & set(made) and all(made.get(n, (n,))[0] in twins or n in made for n in names))
             and not any(frozenset((c, made[c][0])) == names for c in names if c in made)]
    print(f"found {len(found)} of {copies}; {len(false)} pairs beside those; {seconds:.1f} s")
    for names in false:
        print("beside:", *map(str, names))
    sys.exit(len(found) < 0.95 * copies or len(false) > 1)


main()
