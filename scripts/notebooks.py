"""Run the notebooks of ``examples/`` and write their outputs.

    python scripts/notebooks.py

Outputs are part of the files, so that they can be read where nothing runs; ``tests/test_notebooks.py`` compares them.
Only text is kept: what a cell prints, and the plain form of its value.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from nbformat import NotebookNode

NOTEBOOKS = Path(__file__).parent.parent / "examples" / "notebooks"


def execute(path: Path, folder: Path | None = None) -> NotebookNode:
    """Return a notebook with the outputs of a new run in some folder, that of the notebook if None."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder or path.parent)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _text(output)) is not None]
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return notebook


def _text(output: NotebookNode) -> NotebookNode | None:
    """Return an output without its time and its other forms; None for what has no text."""
    if output.output_type == "stream" and output.name == "stdout":
        return output
    if output.output_type == "execute_result":
        output.data = {"text/plain": output.data["text/plain"]}
        return output
    return None


def main() -> None:
    """Write the outputs of all notebooks."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        nbformat.write(execute(path), path)


if __name__ == "__main__":
    main()
