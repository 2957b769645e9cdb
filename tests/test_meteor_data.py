"""METEOR's data with several processes, folders and disks that cannot be written to, and damaged packages."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import meteor_oracle as oracle
import muge_fast as mf
from muge_fast import _core
from muge_fast._internal import coco_files
from muge_fast.caption import meteor_data
from muge_fast.caption.meteor import MeteorReferences, meteor_items, meteor_rows
from muge_fast.cli.error_language import in_chinese
from muge_fast.cli.main import main

posix = pytest.mark.skipif(os.name != "posix", reason="needs fork and flock")

ENTRIES = {
    "function/english.words": "the\n,\n",
    "nonbreaking/english.prefixes": "Mr\n",
    "synonym/english.synsets": "dress\n1\ngown\n1 2\n",
    "synonym/english.exceptions": "go\nwent\n",
}
PAIRS = "0.5\nred dress\ncrimson gown\n0.25\nlong\nnot short\n"
# Row of "a crimson gown" with the reference "the red dress": two words of a paraphrase in one chunk.
PREDICTION, REFERENCE = "a crimson gown", "the red dress"
ROW = [3, 3, 0, 1, *[0] * 12, 2, 2, 0, 0, 1, 2, 2]


def write_package(folder, pairs=PAIRS, entries=None):
    """Write what is read of pycocoevalcap, with other data."""
    (folder / "meteor/data").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / meteor_data.JAR, "w") as jar:
        for name, text in (entries or ENTRIES).items():
            jar.writestr(name, text)
    with gzip.GzipFile(folder / meteor_data.PARAPHRASES, "wb", compresslevel=1, mtime=0) as file:
        file.write(pairs.encode())


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package, an empty folder for caches, and no data that was loaded before."""
    folder = tmp_path / "package"
    write_package(folder)
    spec = type("Spec", (), {"submodule_search_locations": [str(folder)]})
    monkeypatch.setattr(coco_files, "PathFinder", type("Finder", (), {"find_spec": staticmethod(lambda _: spec)}))
    monkeypatch.setenv(meteor_data.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(meteor_data._State, "data", None)
    return folder


def row():
    return meteor_rows([PREDICTION], [[REFERENCE]])[0].tolist()


def in_child(call):
    """Run a call in a child process and return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            call()
            code = 0
        except BaseException as error:  # noqa: BLE001 - seen in the exit code
            print(repr(error), file=sys.stderr)
            code = 1
        os._exit(code)
    return child


def test_tables_of_other_data_have_another_name_and_signature(package, tmp_path):
    assert row() == ROW
    assert mf.score_captions([PREDICTION], [[REFERENCE]], metrics=["meteor"])["meteor"].per_item[0] > 0
    names = [path.name for path in (tmp_path / "cache").iterdir()]
    assert names == [f"meteor-{meteor_data.load_data().fingerprint}-1.tables"]
    write_package(package, PAIRS.replace("crimson", "scarlet"))
    meteor_data._State.data = None
    assert row() == [3, 3, 0, 1, *[0] * 8, 1, 1, *[0] * 6, 1, 1, 1]
    assert len(list((tmp_path / "cache").iterdir())) == 2


@pytest.fixture
def damaged_tables(tmp_path, package):  # noqa: ARG001 - the tables are those of the package
    """Tables with a good head and damaged sections, that were not read yet; their path, and what they were."""
    assert row() == ROW
    (path,) = (tmp_path / "cache").iterdir()
    good = path.read_bytes()
    (length,) = meteor_data.HEADER.unpack_from(good, len(meteor_data.MAGIC))
    start = len(meteor_data.MAGIC) + meteor_data.HEADER.size + length
    assert start < len(good)
    path.write_bytes(good[:start] + bytes(len(good) - start))
    meteor_data._State.data = None
    return path, good


def test_damaged_tables_are_made_again(damaged_tables):
    path, good = damaged_tables
    meteor_data.load_data()
    assert path.read_bytes() != good, "tables with a good head are read"
    assert row() == ROW
    assert path.read_bytes() == good


def test_tables_that_are_damaged_where_predictions_need_them_are_made_again(damaged_tables):
    path, good = damaged_tables
    prepared = MeteorReferences([[PREDICTION]])
    assert path.read_bytes() != good, "no phrase begins with a word of the references"
    assert prepared.score([REFERENCE]).tolist() == [[3, 3, 1, 0, *[0] * 12, 2, 2, 0, 0, 1, 2, 2]]
    assert prepared.data is meteor_data.load_data()
    assert path.read_bytes() == good


def test_ctrl_c_ends_the_making_of_tables_and_leaves_nothing(package, tmp_path, monkeypatch):
    rng = random.Random(0)
    words = [f"{first}{second}" for first in "abcdefghij" for second in range(60)]
    phrases = (f"{rng.choice(words)} {rng.choice(words)} {rng.choice(words)}\n" for _ in range(400_000))
    write_package(package, "".join(f"1\n{phrase}{next(phrases)}" for phrase in phrases))
    made = _core.MeteorTables

    class Interrupted:
        def __init__(self):
            self._made = made()
            self.feed = self._made.feed

        def finish(self, *arguments):
            # While it works, which takes a second.
            timer = threading.Timer(0.02, signal.raise_signal, [signal.SIGINT])
            timer.start()
            try:
                return self._made.finish(*arguments)
            finally:
                timer.join()

    monkeypatch.setattr(_core, "MeteorTables", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        row()
    assert list((tmp_path / "cache").iterdir()) == []
    write_package(package)
    monkeypatch.setattr(_core, "MeteorTables", made)
    assert row() == ROW


WORDS = str.split("red crimson dress dresses gown long short not the , go went run running 红 裙")
LANGUAGE = oracle.Language(
    functions=frozenset({"the", ","}),
    stems={"dresses": "dress", "running": "run"},
    # Those of base forms too.
    sets={"dress": {1}, "dresses": {1}, "gown": {1, 2}, "go": {3}, "went": {3}, "run": {3, 4}},
    paraphrases=[],
)
SETS = "dress\n1\ngown\n1 2\ngo\n3\nrun\n3 4\n"


def test_rows_of_all_modules_equal_the_plain_definition(package):
    matched = np.zeros(4)
    for seed in range(6):
        rng = random.Random(seed)
        phrase = lambda rng=rng: tuple(rng.choices(WORDS, k=rng.choice((1, 1, 2, 3))))  # noqa: E731
        pairs = [(phrase(), phrase()) for _ in range(60)]
        text = "".join(f"0.5\n{' '.join(one)}\n{' '.join(other)}\n" for one, other in pairs)
        write_package(package, text, ENTRIES | {"synonym/english.synsets": SETS})
        meteor_data._State.data = None
        language = replace(LANGUAGE, paraphrases=pairs)
        texts = [rng.choices(rng.sample(WORDS, rng.randint(2, len(WORDS))), k=rng.randrange(15)) for _ in range(120)]
        rows = meteor_rows([" ".join(words) for words in texts], [[" ".join(words)] for words in reversed(texts)])
        expected = [oracle.row(*both, language) for both in zip(texts, reversed(texts), strict=True)]
        assert rows.tolist() == expected
        assert meteor_items(rows).tolist() == [oracle.score(row) for row in expected]
        matched += rows[:, [4, 8, 12, 16]].sum(axis=0)
    assert matched.all(), "each module matches words"


@posix
@pytest.mark.usefixtures("package")
def test_processes_that_start_together_make_tables_once(tmp_path, monkeypatch):
    made = _core.MeteorTables
    log = tmp_path / "log"

    def slowly():
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.3)
        return made()

    monkeypatch.setattr(_core, "MeteorTables", slowly)

    def score():
        assert row() == ROW

    children = [in_child(score) for _ in range(5)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 5
    assert log.read_text() == "made\n"


@posix
@pytest.mark.usefixtures("package")
def test_a_process_that_is_killed_while_it_makes_tables_holds_up_no_other(tmp_path, monkeypatch):
    made = _core.MeteorTables

    def forever():
        (tmp_path / "begun").touch()
        time.sleep(100)

    monkeypatch.setattr(_core, "MeteorTables", forever)
    child = in_child(row)
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    monkeypatch.setattr(_core, "MeteorTables", made)
    assert row() == ROW


@pytest.mark.usefixtures("package")
def test_a_folder_that_cannot_be_written_to_is_a_warning_that_says_what_to_do(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(meteor_data.CACHE_VARIABLE, str(tmp_path / "file" / "folder"))
    with pytest.warns(
        UserWarning, match=r"cannot be kept in .*file.folder \(Not a directory\).* MUGE_FAST_CACHE"
    ) as seen:
        assert row() == ROW
    assert len(seen) == 1
    assert in_chinese(str(seen[0].message)).startswith("METEOR 的数据表无法保存到 ")
    # Once in a process.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert row() == ROW


@posix
@pytest.mark.usefixtures("package")
def test_a_full_disk_is_a_warning_and_leaves_nothing(tmp_path):
    import resource  # noqa: PLC0415 - not on Windows

    def score():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        with pytest.warns(UserWarning, match="File too large"):
            assert row() == ROW

    assert os.waitpid(in_child(score), 0)[1] == 0
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (
            lambda path: (path / meteor_data.PARAPHRASES).write_bytes(gzip.compress(PAIRS.encode())[:-12]),
            "ended before",
        ),
        (lambda path: (path / meteor_data.PARAPHRASES).write_bytes(b"x" * 100), "Not a gzipped file"),
        (lambda path: write_package(path, pairs="0.5\nred\n"), r"line 2: is the last, within a pair"),
        (lambda path: write_package(path, pairs="0.5\n\nred\n"), r"line 2: needs a phrase"),
        (lambda path: (path / meteor_data.JAR).write_bytes(b"PK" * 40), "not a zip file"),
        (lambda path: write_package(path, entries={"function/english.words": "the\n"}), "english.prefixes"),
    ],
)
def test_damaged_packages_are_errors_that_say_how_to_repair_them(package, damage, problem):
    damage(package)
    with pytest.raises(OSError, match=problem) as raised:
        row()
    message = str(raised.value)
    assert message.startswith(str(package))
    assert message.endswith("pip install --force-reinstall --no-deps pycocoevalcap==1.2")
    assert " 已损坏（" in in_chinese(message)
    # Again, and not half made.
    with pytest.raises(OSError, match=problem):
        row()


# The command


def run(tmp_path, *options, text="红色T恤"):
    for name, value in (("gold", ["红色T恤"]), ("submission", text)):
        line = json.dumps({"image_id": "a", "text": value}, ensure_ascii=False)
        (tmp_path / name).write_text(f"{line}\n", encoding="utf-8")
    files = ["--gold", str(tmp_path / "gold"), "--submission", str(tmp_path / "submission")]
    return CliRunner().invoke(main, ["score", "caption", *files, "--metric", "meteor", *options])


def test_the_command_says_what_to_install_in_both_languages(package, tmp_path):
    for path in package.rglob("*.*"):
        path.unlink()
    result = run(tmp_path)
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: pycocoevalcap is required for METEOR of texts with Latin letters or digits, such as "
        "references['a'][0]: pip install 'muge-fast[coco]'\n"
    )
    result = run(tmp_path, "--lang", "zh")
    assert (
        "对含拉丁字母或数字的文本（例如 references['a'][0]）计算 METEOR，需要 pycocoevalcap，请运行 pip"
        in result.stderr
    )


@pytest.mark.usefixtures("package")
def test_the_command_names_a_text_that_is_too_long_in_both_languages(tmp_path):
    result = run(tmp_path, text="的" * 10_001)
    assert result.exit_code == 2
    assert "predictions['a'] has 10001 words, METEOR takes at most 10000" in result.stderr
    assert (
        "predictions['a'] 有 10001 个词，METEOR 最多处理 10000 个"
        in run(tmp_path, "--lang", "zh", text="的" * 10_001).stderr
    )


@pytest.mark.usefixtures("package")
@pytest.mark.filterwarnings("always")
def test_the_command_warns_where_tables_cannot_be_kept(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(meteor_data.CACHE_VARIABLE, str(tmp_path / "file" / "folder"))
    result = run(tmp_path)
    assert result.exit_code == 0
    assert result.stderr.startswith("Warning: the tables of METEOR cannot be kept in ")
    assert "METEOR    100.00" in result.stdout
    meteor_data._State.data = None
    assert run(tmp_path, "--lang", "zh").stderr.startswith("警告：METEOR 的数据表无法保存到 ")


INTERRUPTED = """
import signal, sys
import muge_fast as mf
signal.signal(signal.SIGINT, signal.default_int_handler)
texts = ["的红色裙" * 200] * 2000
mf.score_captions(["红"], [["红"]], metrics=["meteor"])
print("go", flush=True)
try:
    mf.score_captions(texts, [["裙色红的" * 200]] * 2000, metrics=["meteor"])
except KeyboardInterrupt:
    print("interrupted")
"""


@posix
def test_ctrl_c_ends_a_long_scoring():
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - written here
        assert process.stdout.readline() == "go\n"
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        # Within a second on a machine that does nothing else; the whole call takes minutes.
        assert process.communicate(timeout=10)[0] == "interrupted\n"
