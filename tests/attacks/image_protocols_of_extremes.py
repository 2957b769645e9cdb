"""The most extreme images that limits allow, resized by each protocol: at most some hundred megabytes.

1 x 4194304 pixels took 14 GB in ``"torchmetrics"`` before the ratio of sides was bounded, and 21 images of 2048 x 2048
together 2.3 GB in ``"tf1"``, where they were copied to floats at once.
"""

import numpy as np

MEMORY = 1 << 30


def prepare():
    import torch  # noqa: PLC0415 - counts before the limit of memory is set

    from muge_fast.image.extractors.preprocessing import PROTOCOLS, preprocess  # noqa: PLC0415 - imports torch

    torch.set_num_threads(1)
    for protocol in PROTOCOLS:
        preprocess([np.zeros((9, 9, 3), "uint8")], protocol)
    return preprocess, PROTOCOLS


def attack(arguments):
    preprocess, protocols = arguments
    tall, wide, square = (np.zeros((*size, 3), "uint8") for size in ((16384, 256), (256, 16384), (2048, 2048)))
    for protocol in protocols:
        for images in ([tall], [wide], [tall, wide]):
            assert preprocess(images, protocol).shape == (len(images), 3, 299, 299)
    assert preprocess([square] * 8, "tf1").shape == (8, 3, 299, 299)
