"""Blocks of code of the documents, and how tests run them; CONTRIBUTING.md says how to write them."""

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import numpy as np
from click.testing import CliRunner

import muge_fast as mf
from muge_fast.cli.main import main
from source_files import ROOT

SAMPLES = Path(str(files("muge_fast"))) / "samples"
RUN = ("python", "pycon", "console")
SHOWN = ("", "math", "bash", "sh", "text", "json", "jsonl", "tsv", "toml", "yaml", "ini", "html", "bibtex", "diff")
REASON = re.compile(r"<!-- not run: (.+?) -->")
FENCE = re.compile(r"( *)(`{3,}|:{3,})\s*(\S*).*")
SHELL = set("|<>&;$`*?(){}~")
DURATION = re.compile(r"\b[\d.]+ (?:ms|s)\b")
# What compat.pycocoevalcap.install() replaces in a process.
REPLACED = re.compile(r"pycocoevalcap(?:\.|$)")


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text, the number of its first line, and why it is not run, if so."""

    language: str
    code: str
    line: int
    reason: str = ""

    @property
    def runs(self) -> bool:
        return self.language in RUN and not self.reason


def documents() -> list[Path]:
    """Return README.md and all pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(text: str) -> list[Block]:
    """Return all blocks of code of a document and the code of its comments ``<!-- setup ... -->``, in their order."""
    blocks, fences, start, reason = [], [], 0, ""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not fences and line.strip() == "<!-- setup":
            fences, start = [("", "-->", "python")], number
        elif fences and is_end(line, fences[-1]):
            indent, _, language = fences.pop()
            if not language.startswith("{"):
                code = "\n".join(row.removeprefix(indent) for row in lines[start : number - 1]) + "\n"
                blocks.append(Block(language, code, start + 1, reason))
                reason = ""
        elif (not fences or fences[-1][2].startswith("{")) and (found := FENCE.fullmatch(line)):
            language = found[3] if found[2][0] == "`" else "{" + found[3]
            fences.append((found[1], found[2], language))
            start = number
        elif not fences and line.strip():
            reason = found[1] if (found := REASON.fullmatch(line.strip())) else ""
    assert fences == [], f"line {start}: the block has no end"
    return blocks


def is_end(line: str, fence: tuple[str, str, str]) -> bool:
    """Return whether a line ends a block: the mark that began it, or a longer one, alone."""
    stripped, mark = line.strip(), fence[1]
    return stripped.startswith(mark) and set(stripped) <= set(mark)


def run_document(path: Path, text: str) -> None:
    """Run the blocks of a document in their order, in one namespace and in the current folder.

    Raises:
        AssertionError: If a block prints something else than the document shows, or a command fails.
        Exception: Whatever a block raises.

    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    runners = {"python": run_python, "pycon": run_session, "console": run_commands}
    with restored_process():
        for block in blocks_of(text):
            if block.runs:
                runners[block.language](block, path, namespace)


def run_python(block: Block, path: Path, namespace: dict[str, Any]) -> None:
    code = "\n" * (block.line - 1) + block.code  # Tracebacks name the line of the document.
    exec(compile(code, str(path), "exec"), namespace)  # noqa: S102 - our own document


def run_session(block: Block, path: Path, namespace: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.code, {}, path.name, str(path), block.line - 1)
    test.globs = namespace
    printed: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    assert runner.run(test, out=printed.append, clear_globs=False).failed == 0, "".join(printed)


def run_commands(block: Block, path: Path, _: dict[str, Any]) -> None:
    for command, expected in commands_of_block(block.code):
        place = f"{path.name}, block at line {block.line}: {command}"
        exit_code, printed = run_command(command)
        wanted = int(found[1]) if (found := re.search(r"# exits with (\d+)$", command)) else 0
        assert exit_code == wanted, f"{place}\nexits with {exit_code}\n{printed}"
        same = not expected or doctest.OutputChecker().check_output(plain(expected), plain(printed), doctest.ELLIPSIS)
        assert same, f"{place}\nprints\n{printed}"


def commands_of_block(code: str) -> list[tuple[str, str]]:
    """Return the commands of a block, which begin with ``$``, each with the output that is shown below it."""
    joined = code.replace("\\\n", "")
    assert joined.startswith("$ "), f"a block of commands begins with $: {code}"
    parts = re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]
    return [(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def plain(printed: str) -> str:
    """Return printed text with all durations equal and without white space at ends of lines."""
    lines = DURATION.sub("0 s", printed).splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines).strip("\n") + "\n"


def run_command(command: str) -> tuple[int, str]:
    """Run a command of the package in this process, which is fast, and any other in a shell."""
    if command.startswith("muge-fast ") and not SHELL & set(command):
        result = CliRunner().invoke(main, shlex.split(command, comments=True)[1:], prog_name="muge-fast")
        return result.exit_code, result.output
    shell = shutil.which("bash")
    assert shell is not None
    done = subprocess.run(  # noqa: S603 - our own document
        [shell, "-o", "pipefail", "-c", command], stdout=-1, stderr=subprocess.STDOUT, check=False, timeout=60
    )
    # 141 is a pipe whose reader ended, as `head` does.
    return (0 if done.returncode == 141 else done.returncode), done.stdout.decode()


@contextmanager
def restored_process() -> Iterator[None]:
    """Set an environment for commands, and restore it and what a document may replace in this process."""
    environment, replaced = dict(os.environ), {name: sys.modules[name] for name in sys.modules if REPLACED.match(name)}
    programs = Path(".programs").absolute()
    programs.mkdir(exist_ok=True)
    for name, arguments in (("muge-fast", " -m muge_fast"), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{arguments} "$@"\n')
        (programs / name).chmod(0o755)
    os.environ.update(PATH=f"{programs}:{os.environ['PATH']}", MPLBACKEND="Agg", COLUMNS="120")
    os.environ.update(HF_HOME=str(programs.parent / ".hugging_face"), HF_HUB_OFFLINE="1", HF_EVALUATE_OFFLINE="1")
    os.environ.pop("MUGE_FAST_LANG", None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        for name in [name for name in sys.modules if REPLACED.match(name)]:
            del sys.modules[name]
        sys.modules.update(replaced)


# Files that documents name


def make_files(folder: Path) -> None:
    """Make the files that examples name, from the samples of the package: captions, retrieval, features, images."""
    captions, retrieval = folder / "IC_valid.jsonl", folder / "MR_valid_queries.jsonl"
    shutil.copy(SAMPLES / "caption" / "IC_sample.jsonl", captions)
    shutil.copy(SAMPLES / "retrieval" / "MR_sample_queries.jsonl", retrieval)
    for system in ("template", "base", "large"):
        for prefix, area in (("IC", "caption"), ("MR", "retrieval")):
            source = SAMPLES / area / f"{prefix}_sample.pred.{system}.jsonl"
            shutil.copy(source, folder / f"{prefix}_valid.pred.{system}.jsonl")
    shutil.copy(folder / "IC_valid.pred.base.jsonl", folder / "IC_valid.pred.jsonl")
    shutil.copy(folder / "MR_valid.pred.base.jsonl", folder / "pred.jsonl")
    make_features(folder, mf.read_queries(retrieval))
    make_images(folder)


def make_features(folder: Path, queries: dict[int, list[int]]) -> None:
    random = np.random.default_rng(0)
    items = sorted({item for relevant in queries.values() for item in relevant})
    for name, ids in (("img", items), ("txt", list(queries))):
        features = random.standard_normal((len(ids), 16)).astype(np.float32)
        mf.write_features(folder / f"{name}_feat.jsonl", ids, features)


def make_images(folder: Path) -> None:
    """Make small images in one colour: folders and image files of the benchmark, and their texts."""
    from PIL import Image  # noqa: PLC0415 - an optional package

    colours = {"1": ("red", "红色长裙"), "2": ("blue", "蓝色衬衫"), "3": ("black", "黑色皮鞋")}
    for name in ("folder", "real", "generated"):
        (folder / name).mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "folder" / "42967.png")
    for number, (colour, _) in colours.items():
        Image.new("RGB", (16, 16), colour).save(folder / "real" / f"{number}.png")
        Image.new("RGB", (16, 16), colour).rotate(10).save(folder / "generated" / f"{number}.png")
    for name, images in (("MR_valid_imgs", "folder"), ("T2I_val.img", "real"), ("T2I_val.pred", "generated")):
        mf.datasets.ImageTsv.write(folder / f"{name}.tsv", folder / images)
    rows = "".join(f"{number}\t{text}\n" for number, (_, text) in colours.items())
    (folder / "T2I_val.text.tsv").write_text(rows, encoding="utf-8")


# Commands that documents name


def commands_of(text: str) -> list[str]:
    """Return commands of blocks and between single backticks, without comments and redirections."""
    blocks = [block.code for block in blocks_of(text) if block.language in ("bash", "sh", "console")]
    lines = [line.removeprefix("$ ").partition("  #")[0] for code in blocks for line in joined(code).splitlines()]
    lines += [found.replace("\n", " ") for found in re.findall(r"`(muge-fast [^`]+)`", text)]
    lines += re.findall(r"(?:ExecStart=\S+/|exec )(muge-fast [^\n;\"]+)", text)
    return [re.split(r" [>|] | < | &", line)[0].strip() for line in lines if line.startswith("muge-fast ")]


def joined(code: str) -> str:
    return textwrap.dedent(code).replace("\\\n", "")


def check_command(line: str) -> None:
    """Raise if a command, or one of its options, does not exist."""
    words = [word for word in shlex.split(line, comments=True)[1:] if word not in ("…", "COMMAND")]
    command, context = main, click.Context(main)
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command, context = found, click.Context(found, parent=context)
    options = {name for parameter in command.get_params(context) for name in parameter.opts}
    assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in options] == [], line
