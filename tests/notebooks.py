"""Scripts with ``# %%`` between their cells, executed as notebooks in fresh kernels."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

import analysis.plots
import stimsynth.plots

#: Functions whose call in a cell draws something that the reader expects to see.
DRAWING = {
    name
    for name in (*analysis.plots.__all__, *stimsynth.plots.__all__)
    if name.startswith(("plot_", "display_", "animate")) or name.endswith("show")
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A cell: the text above it, as in the gallery, and its code."""

    text: str
    code: str

    @property
    def draws(self) -> bool:
        """Whether the code calls a function that draws."""
        calls = [node.func for node in ast.walk(ast.parse(self.code)) if isinstance(node, ast.Call)]
        return any((getattr(f, "id", None) or getattr(f, "attr", None)) in DRAWING for f in calls)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands under a cell: kinds of its displays, and what went to stderr."""

    cell: Cell
    kinds: tuple[frozenset[str], ...]
    stderr: str

    @property
    def pictures(self) -> int:
        """Number of PNG pictures."""
        return sum("image/png" in kinds for kinds in self.kinds)


def cells_of(script: str) -> list[Cell]:
    """Return the cells of a script; the first is the title, which has no code.

    Comments right below a mark are the text of the cell.
    """
    title, *parts = re.split(r"^# %%.*\n", script, flags=re.MULTILINE)
    cells = [Cell(text=str(ast.get_docstring(ast.parse(title))), code="")]
    for part in parts:
        found = re.match(r"((?:#[^\n]*\n)*)(.*)", part, flags=re.DOTALL)
        assert found
        text = re.sub(r"^# ?", "", found[1], flags=re.MULTILINE)
        cells.append(Cell(text=text.strip(), code=found[2].strip()))
    return cells


def executed(script: str, folder: Path) -> list[Shown]:
    """Execute a script as a notebook in a folder, and return what stands under each cell."""
    cells = cells_of(script)
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c.code) for c in cells])
    private = folder / ".jupyter"
    private.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(private / name))
        # What an example writes goes with the folder, too.
        patch.setenv("TMPDIR", str(folder))
        where = {"metadata": {"path": str(folder)}}
        nbclient.NotebookClient(made, timeout=300, kernel_name="python3", resources=where).execute()
    return [
        _shown(cell, made_cell.outputs) for cell, made_cell in zip(cells, made.cells, strict=True)
    ]


def _shown(cell: Cell, outputs: list[Any]) -> Shown:
    errors = [o["text"] for o in outputs if o["output_type"] == "stream" and o["name"] == "stderr"]
    kinds = tuple(frozenset(output.get("data", {})) for output in outputs)
    return Shown(cell=cell, kinds=kinds, stderr="".join(errors))
