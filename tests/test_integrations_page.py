"""The Python in docs/integrations.md runs as written."""

import importlib.util
import re

import pytest

from source_files import ROOT, read

PAGE = read(ROOT / "docs" / "integrations.md")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
PACKAGES = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("code", BLOCKS, ids=[f"block {index}" for index in range(1, len(BLOCKS) + 1)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_examples_run_as_written(code):
    for package in {*PACKAGES.findall(code), *(["lmms_eval"] if "register(" in code else [])}:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"needs {package}")
    exec(compile(code, "integrations.md", "exec"), {})  # noqa: S102 - our own document


def test_the_page_has_all_integrations():
    found = {path.stem for path in (ROOT / "python" / "muge_fast" / "integrations").iterdir()} - {
        "__init__",
        "__pycache__",
    }
    assert all(f"muge_fast.integrations.{name}" in PAGE for name in found), found
