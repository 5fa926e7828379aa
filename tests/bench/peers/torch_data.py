"""A whole training as PyTorch scripts do it: ImageFolder, transforms of torchvision, DataLoader.

    torch_data.py FOLDER EPOCHS THREADS WORKERS SIZE BATCH CROP JITTER VALIDATION

resnet18 from scratch in channels_last, a validation share after every epoch. Answers with the pictures a second,
training and validation, from the making of the data sets to the end; the imports are not counted.
SPDX-License-Identifier: MIT
"""
import json
import sys
import time

import answers

try:
    import torch
    import torch.nn.functional as F

    import networks
    models = networks.goldens.torchvision_models()
    from torchvision import datasets, transforms
except ImportError as error:
    answers.missing(error)


def loaders(folder, workers, size, batch, crop, jitter, validation):
    normalise = [transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]
    augment = transforms.Compose([
        transforms.RandomResizedCrop(size, scale=(crop, 1)), transforms.RandomHorizontalFlip(),
        transforms.ColorJitter(jitter, jitter, jitter), *normalise])
    plain = transforms.Compose([transforms.Resize(size), transforms.CenterCrop(size), *normalise])
    data, unchanged = datasets.ImageFolder(folder, augment), datasets.ImageFolder(folder, plain)
    held_out = round(len(data) * validation)
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(1)).tolist()
    make = lambda which, indices, shuffle: torch.utils.data.DataLoader(
        torch.utils.data.Subset(which, indices), batch, shuffle=shuffle, num_workers=workers,
        persistent_workers=workers > 0)
    return len(data), make(data, order[held_out:], True), make(unchanged, order[:held_out], False)


def train(folder, epochs, workers, size, batch, crop, jitter, validation):
    begin = time.perf_counter()
    count, training, held_out = loaders(folder, workers, size, batch, crop, jitter, validation)
    model = models.resnet18(num_classes=len(training.dataset.dataset.classes)).to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, total_steps=epochs * len(training))
    run = lambda x: model(x.to(memory_format=torch.channels_last))
    for _ in range(epochs):
        model.train()
        for x, y in training:
            optimiser.zero_grad(set_to_none=True)
            F.cross_entropy(run(x), y, label_smoothing=0.1).backward()
            optimiser.step()
            schedule.step()
        model.eval()
        with torch.inference_mode():
            right = sum((run(x).argmax(1) == y).sum().item() for x, y in held_out)
    seconds = time.perf_counter() - begin
    return {"pictures_per_second": epochs * count / seconds, "accuracy": right / len(held_out.dataset)}


def main():
    folder, epochs, threads, workers, size, batch = sys.argv[1], *map(int, sys.argv[2:7])
    torch.set_num_threads(threads)
    answers.answer(json.dumps(train(folder, epochs, workers, size, batch, *map(float, sys.argv[7:10]))))


main()
