"""Names of files and arguments with terminal escapes, for each command: what is printed is visible text alone."""

import tempfile
from pathlib import Path

from hostile_text import CONTROLS, check_output, run, write

MEMORY = 512 << 20

CAPTION = {"image_id": "a", "text": ["x"]}
QUERY = {"query_id": 1, "query_text": "x", "item_ids": list(range(10))}
FEATURE = {"image_id": 1, "feature": [1.0]}


def commands(folder, bad):  # noqa: C901 - a list of loops
    """Yield arguments with a hostile name; each command, with files that are good, broken and missing."""
    good = write(folder, f"g{bad}.jsonl", [CAPTION])
    wrong = write(folder, f"w{bad}.jsonl", [{"image_id": 5}])
    predictions = write(folder, f"p{bad}.jsonl", [{"image_id": "a", "text": "x"}])
    queries = write(folder, f"q{bad}.jsonl", [QUERY])
    features, more = (
        write(folder, f"f{bad}.jsonl", [FEATURE]),
        write(folder, f"m{bad}.jsonl", [FEATURE, {"image_id": 2}]),
    )
    missing, inside = folder / f"no{bad}", folder / f"no{bad}" / "x"
    subfolder = folder / f"d{bad}"
    subfolder.mkdir()
    for command in (["check", "caption"], ["score", "caption", "-g", good]):
        for submission in (predictions, wrong, missing, inside, subfolder, queries):
            yield [*command, "-s", submission]
    for gold in (wrong, missing, subfolder, queries):
        yield ["score", "caption", "-g", gold, "-s", predictions]
        yield ["official", "caption", gold, predictions, folder / f"out{bad}"]
        yield ["official", "retrieval", gold, queries, folder / f"out{bad}"]
    for option in ("--html", "--markdown", "--per-item", "--official"):
        for target in (folder / f"t{bad}.csv", inside, subfolder, good):
            yield ["score", "caption", "-g", good, "-s", predictions, option, target]
    for pool in (missing, wrong, subfolder):
        yield ["score", "retrieval", "-g", queries, "-s", queries, "--pool", pool]
    for option in ("--texts", "--weights", "--images", "--image-feats"):
        for path in (missing, wrong):
            yield ["score", "t2i", "-g", good, "-s", predictions, option, path]
    for images, output in ((features, folder / f"o{bad}"), (more, "-"), (missing, "-"), (features, inside)):
        yield ["top-k", "--image-feats", images, "--text-feats", features, "--top-k", "1", "--output", output]
    for path in (good, wrong, missing, subfolder, folder):
        yield ["info", path]
        yield ["info", "--json", path]
    yield ["demo", "--html", inside]
    yield [bad]
    yield ["check", bad, "-s", good]
    yield ["check", "caption", "-s", good, bad]
    yield ["check", "caption", "-s", good, f"--{bad}"]
    yield ["check", "caption", "-s", good, "--lang", bad]
    yield ["--debug", "score", "caption", "-g", wrong, "-s", good]
    yield ["top-k", "--image-feats", features, "--text-feats", features, "--output", "-", "--metric", bad]
    yield ["top-k", "--image-feats", features, "--text-feats", features, "--output", "-", "--top-k", bad]
    yield ["score", "t2i", "-g", good, "-s", good, "--device", bad, "--clip", bad]


def attack():
    bad = "".join(value for key, value in CONTROLS.items() if key not in ("accents", "private")).replace("/", "")
    codes = set()
    for name in (bad, CONTROLS["accents"][:60]):
        with tempfile.TemporaryDirectory() as folder:
            for arguments in commands(Path(folder), name[:100]):
                code, output = run(*arguments)
                codes.add(code)
                check_output(arguments, output)
    assert codes == {0, 1, 2}
