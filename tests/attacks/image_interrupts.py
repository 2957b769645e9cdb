"""Ctrl-C while the slowest images that limits allow are decoded: the process ends within a second.

It waited for the images in progress, and again for their threads when the process ended.
"""

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from image_bytes import saved, with_scans
from muge_fast.datasets import ImageTsv

MEMORY = 1 << 30
SECONDS = 1.5
SCRIPT = """
import signal, sys
import muge_fast as mf, muge_fast.image
from PIL import Image
Image.init()
def brightness(images):
    return [[float(image.mean())] for image in images]
signal.signal(signal.SIGINT, signal.default_int_handler)
print("ready", flush=True)
path = sys.argv[2]
if sys.argv[1] == "check":
    mf.check("t2i", path)
else:
    mf.image.fid(path, path, extractor=brightness)
"""


def prepare():
    slow = with_scans(saved(Image.new("L", (2048, 2048)), "JPEG", progressive=True), 480)
    large = saved(Image.linear_gradient("L").resize((2048, 2048)).convert("RGB"), "WEBP", lossless=True, method=0)
    path = Path(tempfile.mkdtemp()) / "pred.tsv"
    ImageTsv.write(path, {str(number): slow if number % 2 else large for number in range(200)})
    return path


def attack(path):
    for call in ("check", "fid"):
        command = [sys.executable, "-c", SCRIPT, call, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:  # noqa: S603 - our own
            assert child.stdout.readline() == b"ready\n", child.stderr.read()
            time.sleep(0.7)
            assert child.poll() is None, (call, child.stderr.read())
            start = time.perf_counter()
            child.send_signal(signal.SIGINT)
            error = child.communicate(timeout=60)[1]
            taken = time.perf_counter() - start
        assert b"KeyboardInterrupt" in error, error
        assert taken < SECONDS, (call, taken)
