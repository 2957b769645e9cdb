"""The original PTB tokenizer, in Java."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from muge_fast._internal.coco_files import coco_file

ARCHIVE = "tokenizer/stanford-corenlp-3.4.1.jar"
COMMAND = ["java", "-cp", ARCHIVE.rpartition("/")[2], "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines"]


def has_java() -> bool:
    return shutil.which("java") is not None


def jar_output(text: str) -> str:
    """Return what the program prints for a text, with the options of pycocoevalcap."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "captions")
        path.write_bytes(text.encode())
        command = [*COMMAND, "-lowerCase", str(path)]
        folder_of_jar = coco_file(ARCHIVE, purpose="the tests").parent
        result = subprocess.run(command, cwd=folder_of_jar, capture_output=True, check=True)  # noqa: S603
        return result.stdout.decode()
