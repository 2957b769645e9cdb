"""The notebooks of ``examples/`` run, and their outputs are those in the files."""

import pytest

from source_files import ROOT

pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

from notebooks import NOTEBOOKS, execute  # noqa: E402 - needs these packages

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def test_there_is_a_notebook_for_each_task():
    assert [path.stem for path in PATHS] == ["captions", "retrieval", "text_to_image", "vqa"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_outputs_are_those_of_a_new_run(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "python"))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "settings"))
    kept = nbformat.read(path, as_version=4)
    assert any(cell.get("outputs") for cell in kept.cells)
    assert execute(path, tmp_path) == kept
