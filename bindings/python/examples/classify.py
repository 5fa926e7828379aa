"""Trains on a folder of pictures, measures, saves and names one picture: classify.py FOLDER PICTURE"""

import sys

import imgcls


def main(folder, picture):
    def show(event):
        if event.get("epoch_done"):
            print(f"epoch {event['epoch']:.0f}: {100 * event['validation_accuracy']:.1f} % of unseen")

    model = imgcls.Classifier().fit(folder, progress=show)
    print(model.evaluate(folder))
    model.save("photos.safetensors")
    for name, probability in model.top(picture, 3):
        print(f"{name}: {100 * probability:.1f} %")


if __name__ == "__main__":
    main(*sys.argv[1:])
