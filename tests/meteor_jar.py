"""The original METEOR, meteor-1.5.jar of pycocoevalcap 1.2, in a process of Java."""

import shutil
import subprocess

import numpy as np

from muge_fast._internal.coco_files import coco_file

COMMAND = ["java", "-jar", "-Xmx2G", "meteor-1.5.jar", "-", "-", "-stdio", "-l", "en", "-norm"]


def has_java() -> bool:
    return shutil.which("java") is not None


class MeteorJar:
    """Runs the program until the end of the block."""

    def __enter__(self):
        folder = coco_file("meteor/meteor-1.5.jar", purpose="METEOR").parent
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(COMMAND, cwd=folder, **pipes)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.kill()
        self.process.wait()

    def score(self, predictions: list[str], references: list[list[str]]) -> tuple[np.ndarray, list[float], float]:
        """Return the row and the score of each item, and the score of all; no text may have a line break or "|||"."""
        rows = []
        for prediction, texts in zip(predictions, references, strict=True):
            self._write(" ||| ".join(["SCORE", *texts, prediction]))
            rows.append(self.process.stdout.readline().decode().strip())
        self._write(" ||| ".join(["EVAL", *rows]))
        *scores, corpus = (float(self.process.stdout.readline()) for _ in range(len(rows) + 1))
        return np.array([row.split() for row in rows], dtype=float), scores, corpus

    def _write(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()
