"""The blocks of code of README.md and of every page of the documentation run as they are written."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from documentation_blocks import (
    RUN,
    SHOWN,
    Block,
    blocks_of,
    check_command,
    commands_of,
    documents,
    make_files,
    run_document,
)
from source_files import ROOT, read

DOCUMENTS = {str(path.relative_to(ROOT)): read(path) for path in documents()}
PACKAGES = r"(?:datasets|evaluate|lightning|ray|torch|torchmetrics|transformers)"
LARGE = re.compile(rf"^(?:>>> )?(?:import|from) {PACKAGES}\b", re.MULTILINE)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Make the files that examples name, once."""
    pytest.importorskip("PIL")
    folder = tmp_path_factory.mktemp("documents")
    make_files(folder)
    return folder


@pytest.fixture
def folder(prepared, tmp_path, monkeypatch):
    """Copy the files, and make their folder the current one."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def with_blocks():
    """Yield the documents with blocks that run; those that import a large package are slow."""
    for name, text in DOCUMENTS.items():
        code = "".join(block.code for block in blocks_of(text) if block.runs)
        if code:
            yield pytest.param(name, marks=[pytest.mark.slow] * bool(LARGE.search(code)))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", [*with_blocks()])
def test_blocks_run_as_written(name):
    run_document(ROOT / name, DOCUMENTS[name])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_blocks_have_a_known_language_or_a_reason(name):
    blocks = blocks_of(DOCUMENTS[name])
    assert [block for block in blocks if block.language not in RUN + SHOWN] == []
    reasons = [block.reason for block in blocks if block.reason]
    assert [reason for reason in reasons if not reason.startswith(("needs ", "shows "))] == []
    assert [block for block in blocks if block.reason and block.language not in RUN] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_exist(name):
    for line in commands_of(DOCUMENTS[name]):
        check_command(line)


# The rules themselves

PAGE = """
<!-- setup
x = 1
-->
Text.

- In a list:
  ```python
  y = x + 1
  ```

```pycon
>>> print(x, y)
1 2
```

<!-- not run: needs weights -->
```python
raise SystemExit
```

````{note}
```python
assert y == 2
```
````
```json
{}
```
"""


def test_blocks_are_found_with_their_lines():
    assert [(block.language, block.line, block.runs) for block in blocks_of(PAGE)] == [
        ("python", 3, True),
        ("python", 9, True),
        ("pycon", 13, True),
        ("python", 19, False),
        ("python", 24, True),
        ("json", 28, False),
    ]
    assert blocks_of(PAGE)[1] == Block("python", "y = x + 1\n", 9)
    with pytest.raises(AssertionError, match="line 2: the block has no end"):
        blocks_of("\n```python\n")


@pytest.mark.usefixtures("folder")
def test_blocks_share_a_namespace():
    run_document(Path("page.md"), PAGE)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "assert 1 == 2"),
        ("pycon", ">>> 1 + 1\n3"),
        ("pycon", ">>> 1 / 0\n2"),
        ("console", "$ muge-fast check caption --submission IC_valid.jsonl"),
        ("console", "$ muge-fast check caption --submission IC_valid.pred.jsonl  # exits with 1"),
        ("console", "$ muge-fast --version\nmuge-fast 0.0.0"),
        ("console", "$ echo one | cat\ntwo"),
        ("console", "$ false | cat"),
        ("console", "muge-fast --version"),
    ],
)
def test_a_wrong_block_fails(language, code):
    with pytest.raises(AssertionError):
        run_document(Path("page.md"), f"```{language}\n{code}\n```\n")


@pytest.mark.usefixtures("folder")
def test_commands_run_in_the_folder_of_the_document():
    run_document(
        Path("page.md"),
        "```python\nfrom pathlib import Path\nPath('a.py').write_text('print(1)\\nprint(2)')\n```\n"
        "```console\n$ python a.py\n1\n2\n$ python a.py | \\\n  cat\n1\n2\n$ muge-fast --version | cat\n...\n"
        "$ muge-fast info absent.tsv  # exits with 2\n```\n",
    )


@pytest.mark.usefixtures("folder")
def test_a_document_leaves_the_process_as_it_was():
    modules, environment = set(sys.modules), dict(os.environ)
    run_document(
        Path("page.md"),
        "```python\nimport os\nos.environ['A'] = 'b'\n"
        "from muge_fast.compat.pycocoevalcap import install\ninstall()\n```\n",
    )
    assert "pycocoevalcap.bleu.bleu" not in set(sys.modules) - modules
    assert dict(os.environ) == environment


def test_commands_are_found():
    assert len(commands_of(DOCUMENTS["docs/leaderboard.md"])) > 15
    assert commands_of("```bash\nmuge-fast info a \\\n  b  # c\n```\n`muge-fast check\nvqa`") == [
        "muge-fast info a   b",
        "muge-fast check vqa",
    ]
    with pytest.raises(AssertionError):
        check_command("muge-fast board serve --wokers 2")
