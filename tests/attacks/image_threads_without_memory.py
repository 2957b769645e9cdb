"""Threads that cannot be started, or that end before they begin, while images are decoded: a result, and no hang.

CPython's ``Thread.start`` waits forever for a thread that finds no memory when it begins.
"""

import _thread

from image_bytes import saved
from muge_fast.datasets import decoding_threads
from muge_fast.datasets.decoding import broken_images

MEMORY = 256 << 20


def prepare():
    return dict.fromkeys(range(200), saved("L", "PNG")) | {"broken": b"no image"}


def attack(images):
    start = _thread.start_new_thread

    def refuse(*_):
        raise RuntimeError("can't start new thread")

    def vanish(*_):
        return start(int, ())

    def lack_memory(*_):
        raise MemoryError

    try:
        for replaced in (refuse, vanish, lack_memory):
            decoding_threads._thread.start_new_thread = replaced
            assert list(dict(broken_images(images, list(images), threads=2))) == ["broken"]
    finally:
        _thread.start_new_thread = start
