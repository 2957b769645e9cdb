"""Ctrl-C while the first call loads NumPy's C interface: the crate for NumPy panicked, with an exception of PyO3.

That is not an ``Exception``: it went through every ``except Exception`` of the caller, and the command ended with
another code than that of the signal.
"""

import subprocess
import sys

MEMORY = 1 << 30
# What the crate runs; an error in it stands for a signal that comes then.
SCRIPT = """
import numpy as np
import muge_fast as mf
from numpy.lib import NumpyVersion
def interrupted(*_):
    raise KeyboardInterrupt
NumpyVersion.__init__ = interrupted
captions = mf.Captions([["红裙"], ["黑鞋"]])
print(captions.score(["红裙", "黑"], metrics=("rouge_l",))["rouge_l"].per_item[0])
one = np.ones((1, 1), dtype="float32")
print(mf.top_k(one, one, 1).indices.tolist())
"""


def attack():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert done.stdout == "1.0\n[[0]]\n", done.stderr
