"""The stock networks in PyTorch: torchvision's, and those of tests/tools/goldens.py. SPDX-License-Identifier: MIT"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))
import goldens  # noqa: E402


def make(network, classes=10):
    own = {"lenet5": goldens.LeNet, "plain": goldens.Plain, "resnet9": goldens.ResNet9}
    if network in own:
        return own[network]()
    return getattr(goldens.torchvision_models(), network)(num_classes=classes)
