"""A folder of a CLIP model with code: it is never run, and the terminal is not asked.

transformers asked on the terminal, and ran the code after "y".
"""

import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

MEMORY = 4 << 30
CODE = "from pathlib import Path\nPath({0!r}).write_text('run')\nclass Evil: pass\n"
CLASSES = {
    "config.json": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"},
    "preprocessor_config.json": {"AutoImageProcessor": "evil.Evil"},
    "tokenizer_config.json": {"AutoTokenizer": ["evil.Evil", "evil.Evil"]},
}


def prepare():
    if importlib.util.find_spec("transformers") is None:
        return None
    sys.path.insert(0, str(Path(__file__).parents[1]))
    import clip_models  # noqa: PLC0415 - needs transformers
    from muge_fast.image.extractors import ClipExtractor  # noqa: PLC0415 - needs torch

    folder = Path(tempfile.mkdtemp())
    clip_models.tiny(folder / "known", "clip")
    clip_models.tiny(folder / "unknown", "clip")
    for kind in ("known", "unknown"):
        for name, classes in CLASSES.items():
            path = folder / kind / name
            path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": classes}))
        (folder / kind / "evil.py").write_text(CODE.format(str(folder / "RUN")))
    path = folder / "unknown" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_type": "evil", "architectures": ["Evil"]}))
    ClipExtractor(folder / "known")
    return folder


def attack(folder):
    if folder is None:
        return
    from muge_fast.image.extractors import ClipExtractor  # noqa: PLC0415 - needs torch

    # Somebody who says yes to everything.
    answers, writer = os.pipe()
    os.write(writer, b"y\n" * 100)
    os.close(writer)
    os.dup2(answers, 0)
    assert ClipExtractor(folder / "known").texts(["red"]).shape == (1, 24)
    try:
        ClipExtractor(folder / "unknown")
    except ValueError:
        refused = True
    else:
        refused = False
    assert refused
    assert not (folder / "RUN").exists()
    assert os.read(0, 1000) == b"y\n" * 100
