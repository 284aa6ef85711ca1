"""Trained networks that the lessons start from: architecture, weights and how to make them.

``resnet20(pretrained=True)`` is the CIFAR ResNet-20 of He et al. (2016), trained by this project
on CIFAR-10 with ``python -m course.zoo.train``; ``card()`` says how and how well.
"""

from course.zoo.resnet import ResNet20
from course.zoo.weights import CLASSES, MEAN, STD, card, preprocess, resnet20

__all__ = ["CLASSES", "MEAN", "STD", "ResNet20", "card", "preprocess", "resnet20"]
